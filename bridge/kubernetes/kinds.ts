import type { KeepsAnnotation } from './annotations.ts';
import { isOwnAnnotation } from './annotations.ts';
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

/** The facts schema of a kind: rows with another one are read again by the audit. */
export type SchemaOf = (kind: Kind) => number;

/** As each kind's own reader has it, with no annotation of a sink. */
export const ownSchema: SchemaOf = (kind) => KINDS[kind].schema;

/** What the decoder makes of objects of these kinds, by `apiVersion/kind`. `keeps`: which annotations, beside what readers need. */
export function plansOf(kinds: readonly Kind[], keeps = isOwnAnnotation): Map<string, Plan> {
  return new Map(
    kinds.flatMap((kind) => {
      const { plan } = KINDS[kind];
      const inside = typeof plan['metadata'] === 'object' ? plan['metadata'] : {};
      const more = inside['annotations'];
      const annotations = typeof more === 'function' ? (name: string) => more(name) || keeps(name) : keeps;
      const metadata = { ...METADATA, ...inside, annotations };
      const whole = { ...plan, apiVersion: 'scalar', kind: 'scalar', metadata } as const;
      return namesOf(kind).map((name) => [name, whole] as const);
    }),
  );
}

/** Reads the facts of an object of one of these kinds; undefined for any other (valid) Kubernetes object. */
export type ReadObject<K extends Kind> = (object: KubeObject) => FactsByKind[K] | undefined;

/** `keeps`: which annotations stay in the facts, beside what the readers need. */
export function readerOf<K extends Kind>(kinds: readonly K[], keeps?: KeepsAnnotation): ReadObject<K> {
  const readers = new Map(kinds.flatMap((kind) => namesOf(kind).map((name) => [name, KINDS[kind].read] as const)));
  return (object) => {
    return readers.get(`${textAt(object, 'apiVersion') ?? ''}/${textAt(object, 'kind') ?? ''}`)?.(object, keeps);
  };
}

function namesOf(kind: Kind): string[] {
  const { apiVersion, alsoAs } = KINDS[kind];
  return [apiVersion, ...(alsoAs === undefined ? [] : [alsoAs])].map((version) => `${version}/${kind}`);
}
