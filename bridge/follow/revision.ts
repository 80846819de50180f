import type { ReplicaSetFacts } from '../kubernetes/kinds/replicaset.ts';
import type { Observation } from '../kubernetes/observation.ts';
import { mergeRevision } from '../lifecycle/rollout-revision.ts';
import type { RevisionFacts } from '../lifecycle/rollout-run.ts';
import { stateOf } from '../turn/object-rows.ts';
import type { Turn } from '../turn/turn.ts';
import { observeKept } from './kept.ts';
import { judgeAgain } from './rollout.ts';
import type { WorkloadState } from './rollout.ts';
import { isPastRevision, isWorkload } from './rollout-pods.ts';

/** Takes in what holds the template of a revision: the number that it has now decides which revision its workload is at. */
export function observeRevision(turn: Turn, observation: Observation & { readonly facts: RevisionFacts }): void {
  const { facts, observedAt } = observation;
  const isAlone = facts.kind === 'ReplicaSet' && isPast(turn, facts);
  if (!observeKept(turn, observation, { merge: mergeRevision, isAlone })) return;
  if (!isAlone && isWorkload(facts.owner)) judgeAgain(turn, facts.owner.uid, observedAt);
}

function isPast({ tx }: Turn, facts: ReplicaSetFacts): boolean {
  const row = isWorkload(facts.owner) ? tx.objects.get(facts.owner.uid) : undefined;
  return row?.kind === 'Deployment' && isPastRevision(stateOf<WorkloadState>(row), facts);
}
