import type { Observation, PodFacts } from '../kubernetes/observation.ts';
import { barePodTransitions, podRun } from '../lifecycle/bare-pod.ts';
import type { JobState } from '../lifecycle/job.ts';
import type { PodState, PodStep } from '../lifecycle/pod.ts';
import { podAttempt, reducePod, runUidOf } from '../lifecycle/pod.ts';
import { jobRun, stuckReason } from '../lifecycle/run.ts';
import type { Transition } from '../lifecycle/transition.ts';
import type { Instant } from '../lib/clock.ts';
import { isSameJson } from '../lib/same.ts';
import type { Tx } from '../store/store.ts';
import { announce, NO_MEMORY } from './announce.ts';
import type { Destination } from './deps.ts';
import { isLate } from './late.ts';
import type { UnwrittenVersions } from './state.ts';
import { saveObject, stateOf } from './state.ts';

/** Takes in a pod: an attempt of its Job's run, a run of its own, or only its containers' ends. Returns its states. */
export function observePod(
  tx: Tx,
  destinations: readonly Destination[],
  unwritten: UnwrittenVersions,
  observation: Observation & { readonly facts: PodFacts },
  now: Instant,
): { readonly previous: PodState | undefined; readonly state: PodState } | undefined {
  const row = unwritten.loadFor(tx, observation);
  if (row === undefined && isLate(tx, observation, now)) return undefined;
  const previous = row && stateOf<PodState>(row);
  const { state, transitions } = reducePod(previous, observation);
  const isOver = state.deletedAt !== undefined || state.gone !== undefined;
  const isNews = saveObject(tx, unwritten, row, observation, state, isOver ? now : undefined);
  if (!isNews && transitions.length === 0) return undefined;
  const runUid = runUidOf(state.facts);
  if (runUid !== undefined && !isSameAttempt(previous, state)) tx.putAttempt(runUid, podAttempt(state));
  tellPod(tx, destinations, previous, { state, transitions }, now);
  return { previous, state };
}

/** Announces what a pod did, and shows its run as it is now. */
export function tellPod(
  tx: Tx,
  destinations: readonly Destination[],
  previous: PodState | undefined,
  { state, transitions }: PodStep,
  now: Instant,
): void {
  const runUid = runUidOf(state.facts);
  if (runUid === state.facts.uid) return observeBarePod(tx, destinations, previous, state, transitions, now);
  const isMoved = isStuck(previous) !== isStuck(state);
  if (transitions.length === 0 && !isMoved) return;
  const run = runUid === undefined ? undefined : tx.run(runUid);
  if (run === undefined) {
    const told = runUid === undefined ? transitions.filter(({ kind }) => kind === 'container.terminated') : transitions;
    for (const transition of told) tx.addTransition(transition, now);
    return;
  }
  const memory = announce(tx, destinations, run, transitions, now);
  if (isMoved) return refreshRun(tx, run.run.uid, run.run.runKey, memory);
  if (memory !== run.memory) tx.putRun({ run: run.run, memory });
}

function isSameAttempt(previous: PodState | undefined, state: PodState): boolean {
  if (previous === undefined || runUidOf(previous.facts) !== runUidOf(state.facts)) return false;
  return isSameJson(podAttempt(previous), podAttempt(state));
}

/** Recomputes the Job's status from all its pods; only when one of them got stuck or moved. */
export function refreshRun(tx: Tx, uid: string, runKey: string, memory: typeof NO_MEMORY): void {
  const job = tx.object(uid);
  if (job === undefined) return;
  const run = jobRun(stateOf<JobState>(job), runKey, stuckReason(podsOf(tx, uid)));
  tx.putRun({ run, memory });
}

/** The states of all pods of a Job. */
export function podsOf(tx: Tx, jobUid: string): PodState[] {
  return tx.children(jobUid, 'Pod').map((row) => stateOf<PodState>(row));
}

function isStuck(state: PodState | undefined): boolean {
  return state?.stuck !== undefined && state.endedAt === undefined;
}

function observeBarePod(
  tx: Tx,
  destinations: readonly Destination[],
  previous: PodState | undefined,
  state: PodState,
  transitions: readonly Transition[],
  now: Instant,
): void {
  const run = podRun(state);
  const all = [...transitions, ...barePodTransitions(previous, state)];
  const before = tx.run(run.uid);
  const memory = announce(tx, destinations, { run, memory: before?.memory ?? NO_MEMORY }, all, now);
  if (before === undefined || memory !== before.memory || !isSameJson(run, before.run)) {
    tx.putRun({ run, memory });
  }
}
