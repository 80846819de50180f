import { WORKLOADS } from '../kubernetes/followed.ts';
import type { PodFacts } from '../kubernetes/observation.ts';
import type { ReplicaSetFacts } from '../kubernetes/kinds/replicaset.ts';
import type { Owner } from '../kubernetes/object-facts.ts';
import { podAttempt } from '../lifecycle/pod-attempt.ts';
import type { PodState } from '../lifecycle/pod-state.ts';
import type { RevisionFacts, RolloutRun, WorkloadFacts } from '../lifecycle/rollout-run.ts';
import { rolloutKey, rolloutUid } from '../lifecycle/rollout-run.ts';
import { isPodOf } from '../lifecycle/rollout-stuck.ts';
import type { RolloutState } from '../lifecycle/rollout.ts';
import type { ObjectRow } from '../store/objects.ts';
import type { Tx } from '../store/tx.ts';
import { factsOf, stateOf } from '../turn/object-rows.ts';

/** Of a rollout with more pods the first that were seen say enough. */
const MAX_ATTEMPTS = 100;

/** Whether a controller is a workload whose revisions are rolled out. */
export function isWorkload(owner: Owner | undefined): owner is Owner {
  return owner?.group === 'apps' && WORKLOADS.has(owner.kind);
}

/** The workload that controls a pod, or its ReplicaSet, as far as they were seen. */
export function workloadOf(tx: Tx, { owner }: Pick<PodFacts, 'owner'>): ObjectRow | undefined {
  const set = owner?.group === 'apps' && owner.kind === 'ReplicaSet' ? tx.objects.get(owner.uid) : undefined;
  const above = set === undefined ? owner : factsOf<ReplicaSetFacts>(set).owner;
  const row = isWorkload(above) ? tx.objects.get(above.uid) : undefined;
  return row !== undefined && WORKLOADS.has(row.kind) ? row : undefined;
}

/** Whether a pod is of a revision that is being rolled out. */
export function isRollingOut(tx: Tx, pod: PodState): boolean {
  const row = workloadOf(tx, pod.facts);
  if (row === undefined) return false;
  const { facts, runs } = stateOf<RolloutState>(row);
  return runs.some((run) => run.ended === undefined && isPodOf(facts, run, pod));
}

/** The pods of one revision, deleted ones included. */
export function podsOfRevision(tx: Tx, facts: WorkloadFacts, run: RolloutRun): PodState[] {
  const controller = facts.kind === 'Deployment' ? run.child.uid : facts.uid;
  const pods = tx.objects.children(controller, 'Pod').map((row) => stateOf<PodState>(row));
  return pods.filter((pod) => isPodOf(facts, run, pod));
}

/** Shows a pod as an attempt of the rollout that it is of. A revision that came back has those that did not end before. */
export function joinRollout(tx: Tx, { facts, runs }: RolloutState, pod: PodState): void {
  const own = runs.filter((run) => isPodOf(facts, run, pod));
  const run = own.find(({ startedAt }) => startedAt <= (pod.endedAt ?? Infinity)) ?? own.at(-1);
  if (run === undefined) return;
  const uid = rolloutUid(rolloutKey(facts, run.revision));
  const isNew = tx.runs.attempts(uid, pod.facts.uid).length === 0;
  // Nor is one kept of a rollout that the retention removed.
  if (isNew && (tx.runs.get(uid) === undefined || tx.runs.attempts(uid).length >= MAX_ATTEMPTS)) return;
  tx.runs.putAttempt(uid, podAttempt(pod));
}

/**
 * Whether nothing more can be reported of a ReplicaSet: it has no pods, and its rollout is past or had succeeded. A
 * Deployment has ten of these, and they are not looked at with each record of it.
 */
export function isPastRevision({ runs, floor }: RolloutState, facts: RevisionFacts): boolean {
  if (facts.kind !== 'ReplicaSet' || facts.desired + facts.replicas > 0) return false;
  const { revision = 0 } = facts;
  if (revision >= (runs[0]?.revision ?? 0)) return false;
  const run = runs.find((one) => one.revision === revision);
  return run === undefined ? revision <= floor : run.ended?.outcome === 'succeeded';
}

/** ReplicaSets that were seen before the rollouts of their Deployment, and are past, are not its children any more. */
export function letGo(tx: Tx, state: RolloutState): void {
  if (state.facts.kind !== 'Deployment') return;
  for (const row of tx.objects.children(state.facts.uid, 'ReplicaSet')) {
    if (isPastRevision(state, factsOf<RevisionFacts>(row))) tx.objects.put({ ...row, ownerUid: undefined });
  }
}
