import type { Facts, ObjectFacts, Owner, PodFacts } from '../../kubernetes/observation.ts';
import { isOwnedByCronJob, isOwnedByJob } from '../../kubernetes/metadata.ts';
import type { Instant } from '../../lib/clock.ts';

/** Whose pods are recorded, under its name. */
export interface Workload {
  readonly uid: string;
  readonly name: string;
  readonly createdAt: Instant;
  readonly namespace: string;
  readonly labels: ObjectFacts['labels'];
}

/** The age of a controller that is not followed is not known: in a conflict about a name it comes last. */
const LATEST: Instant = Date.UTC(9999, 11, 31);

/**
 * The workload of a pod, ReplicaSet or Job; `unseen`: there is one, and it was not seen yet; undefined: none that is
 * recorded. By ownerReference and API group: a Job of another group is not a Job, and names are never cut.
 */
export function workloadOf(object: Facts, owners: readonly Facts[]): Workload | 'unseen' | undefined {
  if (object.kind === 'Pod') return ofPod(object, owners);
  if (object.kind === 'Job' && isOwnedByCronJob(object.owner)) return seen(object.owner, owners[0]);
  if (object.kind === 'ReplicaSet' && object.owner !== undefined) return ofReplicaSet(object, object.owner, owners[0]);
  return workload(object, object.createdAt);
}

function ofPod({ owner }: PodFacts, [nearest, ...others]: readonly Facts[]): Workload | 'unseen' | undefined {
  if (owner === undefined || !isRecorded(owner)) return undefined;
  if (nearest === undefined || nearest.uid !== owner.uid) return 'unseen';
  return workloadOf(nearest, others);
}

/** Whether the pods of a controller are recorded. */
export function isRecorded(owner: Owner): boolean {
  const { group, kind } = owner;
  return isOwnedByJob(owner) || (group === 'apps' && ['ReplicaSet', 'StatefulSet', 'DaemonSet'].includes(kind));
}

/** A ReplicaSet of a Deployment, or of a controller that is not followed (Argo Rollouts): then it is known by its reference. */
function ofReplicaSet(set: Facts, owner: Owner, above: Facts | undefined): Workload | 'unseen' {
  if (owner.group === 'apps' && owner.kind === 'Deployment') return seen(owner, above);
  return { uid: owner.uid, name: owner.name, createdAt: LATEST, namespace: set.namespace, labels: set.labels };
}

function seen({ uid }: Owner, facts: Facts | undefined): Workload | 'unseen' {
  return facts?.uid === uid ? workload(facts, facts.createdAt) : 'unseen';
}

function workload({ uid, name, namespace, labels }: Facts, createdAt: Instant = LATEST): Workload {
  return { uid, name, createdAt, namespace, labels };
}
