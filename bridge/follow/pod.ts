import { planDesired } from '../announce/desired.ts';
import type { Observation, PodFacts } from '../kubernetes/observation.ts';
import type { PodState } from '../lifecycle/pod-state.ts';
import { podAttempt } from '../lifecycle/pod-attempt.ts';
import { reducePod } from '../lifecycle/pod.ts';
import { runUidOf } from '../lifecycle/pod-state.ts';
import { isSameJson } from '../lib/same.ts';
import { asPodOfInferredRun } from './inferred-uid.ts';
import { isLate } from './late-records.ts';
import { saveObject, stateOf } from '../turn/object-rows.ts';
import { announcePod, showAttempt } from './pod-run.ts';
import { judgeWorkload } from './pod-workload.ts';
import { watchPod } from './stuck.ts';
import type { Turn } from '../turn/turn.ts';

/** Takes in a pod: an attempt of its Job's run, a run of its own, or only its containers' ends. */
export function observePod(turn: Turn, given: Observation & { readonly facts: PodFacts }): void {
  const { tx, now, unwritten } = turn;
  const observation = asPodOfInferredRun(tx, given);
  const row = unwritten.loadFor(tx, observation);
  if (row === undefined && isLate(turn, observation)) return;
  const previous = row && stateOf<PodState>(row);
  const { state, transitions } = reducePod(previous, observation);
  const isOver = state.deletedAt !== undefined || state.gone !== undefined;
  const isNews = saveObject(turn, row, observation, state, isOver ? now : undefined);
  if (!isNews && transitions.length === 0) return;
  const runUid = runUidOf(state.facts);
  if (runUid !== undefined && !isSameAttempt(previous, state)) showAttempt(turn, runUid, state);
  planDesired(turn, state.facts, !isOver);
  announcePod(turn, previous, { state, transitions });
  watchPod(turn, previous, state);
  judgeWorkload(turn, previous, state, observation.observedAt);
}

function isSameAttempt(previous: PodState | undefined, state: PodState): boolean {
  if (previous === undefined || runUidOf(previous.facts) !== runUidOf(state.facts)) return false;
  return isSameJson(podAttempt(previous), podAttempt(state));
}
