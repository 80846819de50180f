import type { ReplicaSetFacts } from '../kubernetes/kinds/replicaset.ts';
import type { Kind, Observation } from '../kubernetes/observation.ts';
import { awaitsList, mergeRevision } from '../lifecycle/rollout-revision.ts';
import type { RevisionFacts } from '../lifecycle/rollout-run.ts';
import { eachAlone } from '../turn/each-alone.ts';
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

/**
 * All objects of a kind were LISTed at `version`, in one namespace or all: if these are the ControllerRevisions, which one a
 * DaemonSet is at is known, also where numbers alone do not say it.
 */
export function judgeListed(turn: Turn, kind: Kind, namespace: string | undefined, version: string): void {
  if (kind !== 'ControllerRevision') return;
  const { tx, now, unwritten } = turn;
  for (const { uid } of tx.versions.live('DaemonSet', 0, Number.MAX_SAFE_INTEGER, namespace)) {
    const { facts, runs } = stateOf<WorkloadState>(tx.objects.get(uid)!);
    if (!awaitsList(facts, runs)) continue;
    eachAlone(turn, uid, () => unwritten.part(() => judgeAgain(turn, uid, now, { listed: version })));
  }
}
