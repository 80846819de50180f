import type { ReplicaSetFacts } from '../kubernetes/kinds/replicaset.ts';
import type { Observation } from '../kubernetes/observation.ts';
import { mergeRevision } from '../lifecycle/rollout-revision.ts';
import type { RevisionFacts } from '../lifecycle/rollout-run.ts';
import { stateOf } from '../turn/object-rows.ts';
import type { Turn } from '../turn/turn.ts';
import { observeKept } from './kept.ts';
import { judgeAgain } from './rollout.ts';
import type { WorkloadState } from './rollout.ts';
import { isWorkload } from './rollout-pods.ts';

/** Takes in what holds the template of a revision: the number that it has now decides which revision its workload is at. */
export function observeRevision(turn: Turn, observation: Observation & { readonly facts: RevisionFacts }): void {
  const { facts, observedAt } = observation;
  const isPast = facts.kind === 'ReplicaSet' && isPastRevision(turn, facts);
  if (!observeKept(turn, observation, { merge: mergeRevision, isAlone: isPast })) return;
  if (!isPast && isWorkload(facts.owner)) judgeAgain(turn, facts.owner.uid, observedAt);
}

/**
 * Whether nothing more can follow from a ReplicaSet: it has no pods, and its rollout is past or had succeeded. A Deployment
 * has ten of these, and they are not looked at with each record of it.
 */
function isPastRevision({ tx }: Turn, { owner, revision = 0, desired, replicas }: ReplicaSetFacts): boolean {
  const row = desired + replicas === 0 && isWorkload(owner) ? tx.objects.get(owner.uid) : undefined;
  if (row?.kind !== 'Deployment') return false;
  const { runs, floor } = stateOf<WorkloadState>(row);
  if (revision >= (runs[0]?.revision ?? 0)) return false;
  const run = runs.find((one) => one.revision === revision);
  return run === undefined ? revision <= floor : run.ended?.outcome === 'succeeded';
}
