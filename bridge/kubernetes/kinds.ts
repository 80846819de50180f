import type { KubeObject } from './fields.ts';
import { textAt } from './fields.ts';
import type { KindSpec } from './kind-spec.ts';
import { CONTROLLER_REVISION } from './kinds/controller-revision.ts';
import { CRON_JOB } from './kinds/cronjob.ts';
import { DAEMON_SET } from './kinds/daemonset.ts';
import { DEPLOYMENT } from './kinds/deployment.ts';
import { EVENT } from './kinds/event.ts';
import { JOB } from './kinds/job.ts';
import { NAMESPACE } from './kinds/namespace.ts';
import { NODE } from './kinds/node.ts';
import { POD } from './kinds/pod.ts';
import { REPLICA_SET } from './kinds/replicaset.ts';
import { STATEFUL_SET } from './kinds/statefulset.ts';
import type { FactsByKind, Kind } from './observation.ts';
import type { Plan } from './plan.ts';
import { METADATA } from './plan.ts';

/** What each kind is: decoder, readers, LIST, audit and late records ask here. */
export const KINDS: { readonly [K in Kind]: KindSpec<FactsByKind[K]> } = {
  CronJob: CRON_JOB,
  Job: JOB,
  Pod: POD,
  Deployment: DEPLOYMENT,
  StatefulSet: STATEFUL_SET,
  DaemonSet: DAEMON_SET,
  ReplicaSet: REPLICA_SET,
  ControllerRevision: CONTROLLER_REVISION,
  Namespace: NAMESPACE,
  Node: NODE,
  Event: EVENT,
};

/** What the decoder makes of objects of these kinds, by `apiVersion/kind`. */
export function plansOf(kinds: readonly Kind[]): Map<string, Plan> {
  return new Map(
    kinds.flatMap((kind) => {
      const { plan } = KINDS[kind];
      const inside = plan['metadata'];
      const metadata = typeof inside === 'object' ? { ...METADATA, ...inside } : METADATA;
      const whole = { ...plan, apiVersion: 'scalar', kind: 'scalar', metadata } as const;
      return namesOf(kind).map((name) => [name, whole] as const);
    }),
  );
}

/** Reads the facts of an object of one of these kinds; undefined for any other (valid) Kubernetes object. */
export type ReadObject<K extends Kind> = (object: KubeObject) => FactsByKind[K] | undefined;

export function readerOf<K extends Kind>(kinds: readonly K[]): ReadObject<K> {
  const readers = new Map(kinds.flatMap((kind) => namesOf(kind).map((name) => [name, KINDS[kind].read] as const)));
  return (object) => readers.get(`${textAt(object, 'apiVersion') ?? ''}/${textAt(object, 'kind') ?? ''}`)?.(object);
}

function namesOf(kind: Kind): string[] {
  const { apiVersion, alsoAs } = KINDS[kind];
  return [apiVersion, ...(alsoAs === undefined ? [] : [alsoAs])].map((version) => `${version}/${kind}`);
}
