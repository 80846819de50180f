import { barePodTransitions, podRun } from '../lifecycle/bare-pod.ts';
import { podAttempt } from '../lifecycle/pod-attempt.ts';
import type { JobState } from '../lifecycle/job.ts';
import type { PodState, PodStep } from '../lifecycle/pod-state.ts';
import { runUidOf } from '../lifecycle/pod-state.ts';
import { jobRun, stuckReason } from '../lifecycle/run.ts';
import type { Transition } from '../lifecycle/transition.ts';
import type { Tx } from '../store/tx.ts';
import { announceAlone } from '../announce/alone.ts';
import { announce, NO_MEMORY } from '../announce/announce.ts';
import { stateOf } from '../turn/object-rows.ts';
import { saveRun } from '../turn/run-rows.ts';
import type { Turn } from '../turn/turn.ts';
import { isRollingOut } from './rollout-pods.ts';

/** Announces what a pod did, and shows its run as it is now. */
export function announcePod(turn: Turn, previous: PodState | undefined, { state, transitions }: PodStep): void {
  const { tx, now } = turn;
  const runUid = runUidOf(state.facts);
  if (runUid === state.facts.uid) return observeBarePod(turn, previous, state, transitions);
  const isMoved = isStuck(previous) !== isStuck(state);
  if (transitions.length === 0 && !isMoved) return;
  const run = runUid === undefined ? undefined : tx.runs.get(runUid);
  if (run === undefined) {
    for (const transition of transitions) {
      if (runUid !== undefined) tx.timeline.add(transition, now);
      else if (isOfPod(turn, state, transition)) announceAlone(turn, transition);
    }
    return;
  }
  const memory = announce(turn, run, transitions);
  if (isMoved) return refreshRun(tx, run.run.uid, run.run.runKey, memory);
  saveRun(tx, run, { run: run.run, memory });
}

/**
 * What is reported of a pod that belongs to no run: each end of a container, that the pod failed or was disrupted, and what
 * it waits for, unless the rollout that it is of reports that, once for all its pods.
 */
function isOfPod({ tx }: Turn, state: PodState, { kind, outcome }: Transition): boolean {
  if (kind === 'run.stuck') return !isRollingOut(tx, state);
  if (kind === 'attempt.ended') return outcome === 'failed' || state.facts.disruption !== undefined;
  return kind === 'container.terminated';
}

/** Recomputes the Job's status from all its pods; only when one of them got stuck or moved. */
export function refreshRun(tx: Tx, uid: string, runKey: string, memory: typeof NO_MEMORY): void {
  const job = tx.objects.get(uid);
  if (job === undefined) return;
  const run = jobRun(stateOf<JobState>(job), runKey, stuckReason(podsOf(tx, uid)));
  tx.runs.put({ run, memory });
}

/** Shows a pod as an attempt of its run, which may not be seen yet; not of one that was pruned. */
export function showAttempt({ tx }: Turn, runUid: string, state: PodState): void {
  const isPruned = tx.runs.get(runUid) === undefined && tx.tombstones.has(runUid);
  if (!isPruned) tx.runs.putAttempt(runUid, podAttempt(state));
}

/** The states of all pods of a Job. */
export function podsOf(tx: Tx, jobUid: string): PodState[] {
  return tx.objects.children(jobUid, 'Pod').map((row) => stateOf<PodState>(row));
}

function isStuck(state: PodState | undefined): boolean {
  return state?.stuck !== undefined && state.endedAt === undefined;
}

function observeBarePod(
  turn: Turn,
  previous: PodState | undefined,
  state: PodState,
  transitions: readonly Transition[],
): void {
  const { tx } = turn;
  const run = podRun(state);
  const all = [...transitions, ...barePodTransitions(previous, state)];
  const before = tx.runs.get(run.uid);
  const memory = announce(turn, { run, memory: before?.memory ?? NO_MEMORY }, all);
  saveRun(tx, before, { run, memory });
}
