import { planDesired } from '../announce/desired.ts';
import { announce, NO_MEMORY } from '../announce/announce.ts';
import { podRun, unknownPodEnd } from '../lifecycle/bare-pod.ts';
import type { PodState } from '../lifecycle/pod-state.ts';
import { runUidOf } from '../lifecycle/pod-state.ts';
import type { ObjectRow } from '../store/objects.ts';
import { stateOf } from '../turn/object-rows.ts';
import type { Turn } from '../turn/turn.ts';
import { setGoneTimer } from './job.ts';
import { refreshRun, showAttempt } from './pod-run.ts';
import { judgeWorkload } from './pod-workload.ts';

/** Shows a pod as gone, as an attempt and in its run; the ending of one that is a run by itself may still come. */
export function losePod(turn: Turn, row: ObjectRow): void {
  const { tx, now, limits } = turn;
  const state = stateOf<PodState>(row);
  planDesired(turn, state.facts, false);
  const runUid = runUidOf(state.facts);
  if (runUid !== undefined) showAttempt(turn, runUid, state);
  if (runUid !== row.uid) {
    judgeWorkload(turn, { ...state, gone: undefined }, state, now);
    const job = runUid === undefined ? undefined : tx.runs.get(runUid);
    if (job !== undefined) refreshRun(tx, job.run.uid, job.run.runKey, job.memory);
    return;
  }
  tx.runs.put({ run: podRun(state), memory: tx.runs.get(row.uid)?.memory ?? NO_MEMORY });
  if (state.endedAt === undefined) setGoneTimer(tx, row.uid, now + limits.graceMs);
}

/** The grace of a pod that is gone and was a run by itself is over: its ending is unknown. */
export function settleGonePod(turn: Turn, row: ObjectRow): void {
  const { tx } = turn;
  const state = stateOf<PodState>(row);
  if (state.gone === undefined || state.endedAt !== undefined) return;
  const given: PodState = { ...state, unknownAt: state.gone.at };
  tx.objects.put({ ...row, state: given });
  const run = podRun(given);
  const memory = tx.runs.get(row.uid)?.memory ?? NO_MEMORY;
  tx.runs.put({ run, memory: announce(turn, { run, memory }, [unknownPodEnd(given, state.gone.at)]) });
}
