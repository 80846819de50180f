import type { Attributes } from '@opentelemetry/api';
import type { Attempt, ObjectRef, Run } from '../../lifecycle/transition.ts';
import { objectOf } from '../../lifecycle/transition.ts';

/** What every resource of a destination has beside that of its object. */
export interface Origin {
  readonly clusterName: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Kinds that the semantic conventions name: `k8s.cronjob.name`. */
const NAMED: ReadonlySet<string> = new Set([
  'CronJob',
  'Job',
  'Pod',
  'Deployment',
  'ReplicaSet',
  'StatefulSet',
  'DaemonSet',
  'Node',
]);

/** Attributes of one Kubernetes object by the semantic conventions: its namespace, name and UID. */
export function objectAttributes({ kind, namespace, name, uid }: ObjectRef): Attributes {
  const key = `k8s.${kind.toLowerCase()}`;
  return {
    ...(namespace !== '' && { 'k8s.namespace.name': namespace }),
    ...(NAMED.has(kind) && name !== '' && { [`${key}.name`]: name }),
    ...(NAMED.has(kind) && uid !== '' && { [`${key}.uid`]: uid }),
  };
}

/** What a person calls the workload of a run: its CronJob, or what owns it, else itself. */
export function workloadName({ ownerName, name }: Run): string {
  return ownerName ?? name;
}

/** The resource of a run: its workload is the service. */
export function runResource(run: Run, origin: Origin): Attributes {
  const { namespace, ownerKind, ownerName, ownerUid } = run;
  const owner = ownerKind !== undefined && { kind: ownerKind, namespace, name: ownerName ?? '', uid: ownerUid ?? '' };
  return {
    ...serviceResource(workloadName(run), namespace, origin),
    ...(owner && objectAttributes(owner)),
    ...objectAttributes(objectOf(run)),
  };
}

/** The resource of an object that belongs to no run: its own name is the service. */
export function objectResource(object: ObjectRef, origin: Origin): Attributes {
  return { ...serviceResource(object.name, object.namespace, origin), ...objectAttributes(object) };
}

/** The resource of one pod of a run. */
export function attemptResource(run: Run, { podName, podUid, nodeName }: Attempt, origin: Origin): Attributes {
  return {
    ...runResource(run, origin),
    ...objectAttributes({ kind: 'Pod', namespace: run.namespace, name: podName, uid: podUid }),
    ...(nodeName !== undefined && { 'k8s.node.name': nodeName }),
  };
}

function serviceResource(name: string, namespace: string, { clusterName, attributes }: Origin): Attributes {
  return {
    'service.name': name,
    ...(namespace !== '' && { 'service.namespace': namespace }),
    'k8s.cluster.name': clusterName,
    ...attributes,
  };
}
