import { announce, NO_MEMORY } from '../announce/announce.ts';
import { planDesired } from '../announce/desired.ts';
import { WORKLOADS } from '../kubernetes/followed.ts';
import type { Kind, Observation } from '../kubernetes/observation.ts';
import { isUnknownVersion } from '../kubernetes/version.ts';
import type { Instant } from '../lib/clock.ts';
import { isSameJson } from '../lib/same.ts';
import type { PodState } from '../lifecycle/pod-state.ts';
import type { RevisionFacts, WorkloadFacts } from '../lifecycle/rollout-run.ts';
import { rolloutRun } from '../lifecycle/rollout-run.ts';
import { isStuckPod } from '../lifecycle/rollout-stuck.ts';
import type { RolloutState } from '../lifecycle/rollout.ts';
import { giveUpRollout, reduceRollout, stallDue, stallWorkload } from '../lifecycle/rollout.ts';
import type { Transition } from '../lifecycle/transition.ts';
import type { ObjectRow } from '../store/objects.ts';
import { followedSince } from '../turn/followed-since.ts';
import { factsOf, saveObject, stateOf } from '../turn/object-rows.ts';
import { saveRun } from '../turn/run-rows.ts';
import type { Turn } from '../turn/turn.ts';
import { setGoneTimer } from './job.ts';
import { keepTimer } from './keep-timer.ts';
import { isLate } from './late-records.ts';
import { joinRollout, letGo, podsOfRevision } from './rollout-pods.ts';

/** A rollout is stuck by one of its pods: of more that wait the first seen are looked at. */
export const MAX_STUCK = 20;

/** What is kept of a Deployment, StatefulSet or DaemonSet. */
export interface WorkloadState extends RolloutState {
  /** UIDs of pods that wait for a reason that needs a person: of thousands only these are looked at with each record. */
  readonly stuckPods?: readonly string[];
}

interface Step {
  readonly state: WorkloadState;
  readonly transitions: readonly Transition[];
  /** The pods of the revisions that are new. */
  readonly joined: readonly PodState[];
}

/** Takes in a workload: the rollouts of its revisions, each a run. */
export function observeWorkload(turn: Turn, observation: Observation & { readonly facts: WorkloadFacts }): void {
  const { tx, now, unwritten } = turn;
  const row = unwritten.loadFor(tx, observation);
  if (row === undefined && isLate(turn, observation)) return;
  const previous = row && stateOf<WorkloadState>(row);
  const step = judge(turn, previous, observation);
  const isNews = saveObject(turn, row, observation, step.state, isOver(step.state) ? now : undefined);
  if (!isNews && step.transitions.length === 0) return;
  planDesired(turn, step.state.facts, !isOver(step.state));
  announceRollouts(turn, previous, step);
}

/** What was found out beside the records of a workload. */
interface Found {
  readonly stuckPods?: readonly string[];
  /** The version of a LIST of all its revisions. */
  readonly listed?: string;
}

/** Judges a workload by its last record again: one of its revisions or pods has changed, or all revisions are known. */
export function judgeAgain(turn: Turn, uid: string, observedAt: Instant, found: Found = {}): void {
  const { tx, unwritten } = turn;
  const row = unwritten.load(tx, uid);
  if (row === undefined || !WORKLOADS.has(row.kind) || isUnknownVersion(row.version)) return;
  const previous = stateOf<WorkloadState>(row);
  const step = judge(turn, previous, { facts: previous.facts, deleted: false, observedAt }, found);
  if (isSameJson(previous, step.state)) return;
  unwritten.forget(uid);
  tx.objects.put({ ...row, state: step.state });
  announceRollouts(turn, previous, step);
}

/** The next state of a workload. What its pods wait for is known before the revision that they are of, or after it. */
function judge(
  turn: Turn,
  previous: WorkloadState | undefined,
  observation: Observation<WorkloadFacts>,
  { stuckPods = previous?.stuckPods ?? [], listed }: Found = {},
): Step {
  const { tx } = turn;
  const { facts } = observation;
  const children = childrenOf(turn, facts);
  const since = followedSince(turn, facts.kind);
  const reduce = (before: RolloutState | undefined, pods: readonly string[]) =>
    reduceRollout(before, observation, {
      children,
      pods: pods.flatMap((uid) => {
        const pod = tx.objects.get(uid);
        return pod === undefined ? [] : [stateOf<PodState>(pod)];
      }),
      ...(since !== undefined && { followedSince: since }),
      ...(listed !== undefined && { listed }),
    });
  let { state, transitions } = reduce(previous, stuckPods);
  const fresh = state.runs.filter(({ revision }) => !knows(previous, revision));
  const joined = fresh.flatMap((run) => podsOfRevision(tx, facts, run));
  const waiting = joined.filter(isStuckPod).map((pod) => pod.facts.uid);
  const all = [...new Set([...stuckPods, ...waiting])].slice(0, MAX_STUCK);
  if (all.length > stuckPods.length) {
    const again = reduce(state, all);
    [state, transitions] = [again.state, [...transitions, ...again.transitions]];
  }
  return { state: { ...state, ...(all.length > 0 && { stuckPods: all }) }, transitions, joined };
}

function childrenOf({ tx }: Turn, { uid, kind }: WorkloadFacts): RevisionFacts[] {
  const of: Kind = kind === 'Deployment' ? 'ReplicaSet' : 'ControllerRevision';
  return tx.objects.children(uid, of).map((row) => factsOf<RevisionFacts>(row));
}

function isOver({ deletedAt, gone }: RolloutState): boolean {
  return deletedAt !== undefined || gone !== undefined;
}

/** Announces what a step gave, shows its rollouts as they are now, and looks at the workload again when it may be stuck. */
function announceRollouts(turn: Turn, previous: RolloutState | undefined, step: Step): void {
  const { tx, now } = turn;
  const { state, transitions, joined } = step;
  const reported = new Set<string>();
  for (const run of state.runs.toReversed()) {
    const row = rolloutRun(state.facts, run, isOver(state));
    const own = transitions.filter(({ runUid }) => runUid === row.uid);
    for (const { id } of own) reported.add(id);
    const known = tx.runs.get(row.uid);
    const memory = announce(turn, { run: row, memory: known?.memory ?? NO_MEMORY }, own);
    // One that the retention removed is not shown again for nothing.
    if (known !== undefined || own.length > 0 || !knows(previous, run.revision))
      saveRun(tx, known, { run: row, memory });
  }
  // Of more revisions at once than are remembered.
  for (const transition of transitions) if (!reported.has(transition.id)) tx.timeline.add(transition, now);
  for (const pod of joined) joinRollout(tx, state, pod);
  if (state.runs.some(({ revision }) => !knows(previous, revision))) letGo(tx, state);
  watchStall(turn, previous, state);
}

function knows(state: RolloutState | undefined, revision: number): boolean {
  return state?.runs.some((run) => run.revision === revision) === true;
}

const stallTimer = (uid: string): string => `rollout/${uid}`;

function watchStall({ tx }: Turn, previous: RolloutState | undefined, state: RolloutState): void {
  const { uid } = state.facts;
  keepTimer(tx, { id: stallTimer(uid), kind: 'rollout', uid }, previous && stallDue(previous), stallDue(state));
}

/** The time of a rollout to move is over: it is stuck. One that is not followed any more may have moved. */
export function settleStall(turn: Turn, uid: string): void {
  const { tx } = turn;
  tx.timers.clear(stallTimer(uid));
  const row = tx.objects.get(uid);
  if (row !== undefined && row.overAt === undefined) change(turn, row, stallWorkload);
}

/** Shows the rollouts of a workload that is gone; how an open one ended may still come. */
export function loseWorkload(turn: Turn, row: ObjectRow): void {
  const { tx, now, limits } = turn;
  const state = stateOf<WorkloadState>(row);
  planDesired(turn, state.facts, false);
  announceRollouts(turn, { ...state, gone: undefined }, { state, transitions: [], joined: [] });
  if (state.runs[0] !== undefined && state.runs[0].ended === undefined) setGoneTimer(tx, row.uid, now + limits.graceMs);
}

/** The grace of a workload that is gone is over: how an open rollout ended is not known. */
export function settleGoneWorkload(turn: Turn, row: ObjectRow): void {
  const { gone } = stateOf<WorkloadState>(row);
  if (gone !== undefined) change(turn, row, (state) => giveUpRollout(state, gone.at));
}

function change(
  turn: Turn,
  row: ObjectRow,
  step: (state: RolloutState) => { readonly state: RolloutState; readonly transitions: readonly Transition[] },
): void {
  const previous = stateOf<WorkloadState>(row);
  const { state, transitions } = step(previous);
  if (state === previous) return;
  turn.tx.objects.put({ ...row, state });
  announceRollouts(turn, previous, { state, transitions, joined: [] });
}
