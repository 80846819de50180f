import type { Observation } from '../kubernetes/observation.ts';
import { compareVersions, isUnknownVersion } from '../kubernetes/version.ts';
import type { Instant } from '../lib/clock.ts';
import type { Gone } from './gone.ts';
import { stillGone } from './gone.ts';
import type { PodState } from './pod-state.ts';
import { revisionOf } from './rollout-revision.ts';
import type { RevisionFacts, RolloutRun, RolloutStep, WorkloadFacts } from './rollout-run.ts';
import { concludeRollout, rolloutTransition, startText } from './rollout-run.ts';
import type { NewRevision } from './rollout-start.ts';
import { overSince, startOf } from './rollout-start.ts';
import { rolloutStallDue, stallRollout, stuckStep } from './rollout-stuck.ts';
import { isObserved, progressing, verdictOf } from './rollout-verdict.ts';
import type { Transition } from './transition.ts';

/**
 * The rollouts of a Deployment, StatefulSet or DaemonSet, each revision a run:
 *
 *   (its ReplicaSet or ControllerRevision has the number) ──▶ started ──first new pod──▶ progressing
 *      started, progressing ─┬─ all pods of it and available ────────────▶ succeeded
 *                            ├─ ProgressDeadlineExceeded ────────────────▶ failed
 *                            ├─ another revision comes ──────────────────▶ superseded, or rolled_back if an earlier one
 *                            ├─ scaled to zero before a pod came up ─────▶ cancelled
 *                            ├─ deleted (a deletionTimestamp is enough) ─▶ cancelled
 *                            ├─ its pods wait, or nothing moves ─────────▶ stuck ──more pods than before──▶ unstuck
 *                            └─ paused ──▶ suspended ──▶ resumed
 *
 * Level-based: every record, old or new, is compared with what was reported, and what it alone proves is added. What was
 * reported as superseded, cancelled or failed and turns out otherwise later is reported once more, as a correction. Scaling is
 * not a rollout: the revision stays. A rollout that was over when its workload was first seen is recorded, not reported.
 */
export interface RolloutState {
  readonly facts: WorkloadFacts;
  /** Set once the DELETED record came. */
  readonly deletedAt: Instant | undefined;
  /** It was seen before its controller had looked at it: all that follows is new. */
  readonly bornSeen: boolean;
  /** Revisions up to this one that are not among `runs` are past: nothing more is reported of them. */
  readonly floor: number;
  /** The newest revision first. */
  readonly runs: readonly RolloutRun[];
  readonly gone?: Gone | undefined;
  /** Records that wait for what holds their template, or for its number: their revision, or its end, is not known yet. */
  readonly waiting: readonly Record[];
}

interface Record {
  readonly facts: WorkloadFacts;
  readonly observedAt: Instant;
}

/** What is known in addition to the workload: the newest state of each, deleted ones too while they are kept. */
export interface Around {
  /** Its own ReplicaSets or ControllerRevisions. */
  readonly children: readonly RevisionFacts[];
  /** Pods of all of them. */
  readonly pods: readonly PodState[];
  /** Since when workloads of its kind are followed: what began later is reported even if it was over at first sight. */
  readonly followedSince?: Instant;
  /** The version of a LIST of all ReplicaSets or ControllerRevisions that was just taken in as a whole. */
  readonly listed?: string;
}

/** How long a StatefulSet or DaemonSet may not move: as Kubernetes has it for Deployments (progressDeadlineSeconds); ms. */
export const NO_PROGRESS_MS = 600_000;
/** Runs that a late record may still correct, and records that wait for their revision. */
const MAX_RUNS = 5;
const MAX_WAITING = 5;

type Step = RolloutStep<RolloutState>;

/**
 * The next state and what is to be announced. Call it with the workload's own facts again, as observed now, when one of
 * its revisions or pods has changed.
 */
export function reduceRollout(
  previous: RolloutState | undefined,
  observation: Observation<WorkloadFacts>,
  around: Around,
): Step {
  const merged = mergeObservation(previous, observation);
  const before = merged.runs[0];
  let taken: Step = { state: { ...merged, waiting: [] }, transitions: [] };
  for (const record of recordsOf(previous, observation)) taken = then(taken, (state) => takeIn(state, record, around));
  const judged = then(taken, (state) => judgeNewest(state, before, around, observation.observedAt));
  const { runs, floor } = judged.state;
  const past = runs.slice(MAX_RUNS).map(({ revision }) => revision);
  const state = { ...judged.state, runs: runs.slice(0, MAX_RUNS), floor: Math.max(floor, ...past) };
  return { state, transitions: judged.transitions };
}

/** When the newest rollout becomes stuck by the clock alone. */
export function stallDue({ facts, runs, gone }: RolloutState, limitMs = NO_PROGRESS_MS): Instant | undefined {
  const [run] = runs;
  return run === undefined || gone !== undefined ? undefined : rolloutStallDue(facts, run, limitMs);
}

/** The step of a workload whose `stallDue` is over. */
export function stallWorkload(state: RolloutState, limitMs = NO_PROGRESS_MS): Step {
  return withNewest(state, (run) => stallRollout(state.facts, run, limitMs));
}

/** Gives up what is open of a workload that is gone: how it ended is not known, unless a record comes later. */
export function giveUpRollout(state: RolloutState, at: Instant): Step {
  return withNewest(state, (run) =>
    run.ended === undefined
      ? concludeRollout(state.facts, run, { outcome: 'unknown', at })
      : { state: run, transitions: [] },
  );
}

/** A newer observation replaces the facts; a deletion is final, since a UID never comes back. */
function mergeObservation(previous: RolloutState | undefined, observation: Observation<WorkloadFacts>): RolloutState {
  const { facts, deleted, observedAt } = observation;
  const isNewer = previous === undefined || compareVersions(facts.resourceVersion, previous.facts.resourceVersion) > 0;
  const gone = stillGone(previous?.gone, observation);
  const known = previous && !isUnknownVersion(previous.facts.resourceVersion) ? previous.deletedAt : undefined;
  const runs = previous?.runs ?? [];
  const isBack = runs[0]?.ended?.outcome === 'unknown' && gone === undefined && isNewer;
  return {
    facts: isNewer ? facts : previous.facts,
    deletedAt: known ?? (deleted ? (facts.deletionAt ?? observedAt) : undefined),
    bornSeen: previous?.bornSeen === true || facts.observedGeneration === 0,
    floor: previous?.floor ?? 0,
    runs: isBack ? [{ ...runs[0]!, ended: undefined }, ...runs.slice(1)] : runs,
    gone,
    waiting: [],
  };
}

/** What is to be looked at, in the order of its versions: what was seen since may explain an older record. */
function recordsOf(previous: RolloutState | undefined, { facts, observedAt }: Record): Record[] {
  const waiting = previous?.waiting ?? [];
  const newest = previous === undefined ? [] : [{ facts: previous.facts, observedAt }];
  const others = [...waiting, ...newest].filter((one) => one.facts.resourceVersion !== facts.resourceVersion);
  return [...others, { facts, observedAt }].toSorted((a, b) =>
    compareVersions(a.facts.resourceVersion, b.facts.resourceVersion),
  );
}

/** What one record says of the revision that it is about. */
function takeIn(state: RolloutState, record: Record, around: Around): Step {
  const { facts } = record;
  const about = revisionOf(facts, around.children, state.runs, around.listed);
  if (facts.deletionAt !== undefined) return { state, transitions: [] };
  if (about === undefined) return { state: isObserved(facts) ? withWaiting(state, record) : state, transitions: [] };
  if (about.run !== undefined) return prove(state, about.run, record, around);
  const isFirst = state.runs.length === 0 && !state.bornSeen;
  if (about.revision <= state.floor || (isFirst && !isObserved(facts))) return { state, transitions: [] };
  return start(state, about, record, around, isFirst);
}

/** The newest record is looked at again anyway. */
function withWaiting(state: RolloutState, record: Record): RolloutState {
  if (record.facts.resourceVersion === state.facts.resourceVersion) return state;
  return { ...state, waiting: [...state.waiting, record].slice(-MAX_WAITING) };
}

function start(state: RolloutState, about: NewRevision, record: Record, around: Around, isFirst: boolean): Step {
  const { facts, observedAt } = record;
  const run = startOf(facts, about, { ...state, children: around.children }, observedAt);
  const since = overSince(facts, run, about.child, observedAt);
  if (since !== undefined && since <= (around.followedSince ?? (isFirst ? Infinity : -Infinity))) {
    const verdict = verdictOf(facts, run, about.child, observedAt);
    // At zero it is not known whether it had ever come up: that it is scaled up again is not to be reported.
    const outcome = typeof verdict === 'object' && verdict.outcome === 'failed' ? 'failed' : 'succeeded';
    const ended = { outcome, at: run.startedAt, unreported: true } as const;
    const floor = isFirst ? run.revision : state.floor;
    return overtake({ ...withRun(state, { ...run, ended }), floor }, run.revision);
  }
  const start = rolloutTransition(facts, run, 'run.started', 'started', run.startedAt, startText(facts, run));
  const started = { state: withRun(state, run), transitions: [start] };
  const proven = then(started, (state) => prove(state, run, record, around));
  return then(proven, (state) => overtake(state, run.revision));
}

/** The revision before a new one is over; so is one that is seen only after the next. */
function overtake(state: RolloutState, revision: number): Step {
  const at = state.runs.findIndex((run) => run.revision === revision);
  let step: Step = { state, transitions: [] };
  for (const index of [at + 1, at]) {
    const [run, next] = [state.runs[index], state.runs[index - 1]];
    if (run === undefined || next === undefined) continue;
    const outcome = next.why === 'rolled_back' ? 'rolled_back' : 'superseded';
    step = then(step, (state) =>
      changed(state, concludeRollout(state.facts, run, { outcome, at: next.startedAt }), run),
    );
  }
  return step;
}

/** Adds what a record proves of a revision: that pods are made, and how it ended. */
function prove(state: RolloutState, known: RolloutRun, record: Record, around: Around): Step {
  const { facts, observedAt } = record;
  const child = around.children.find(({ uid }) => uid === known.child.uid);
  const isAtWork = isObserved(facts) && facts.desired > 0;
  const available = child?.kind === 'ReplicaSet' ? child.available : facts.available;
  const moved = isAtWork ? facts.updated + available : 0;
  const progress = {
    updated: Math.max(known.progress.updated, isAtWork ? facts.updated : 0),
    moved: Math.max(known.progress.moved, moved),
    at: moved > known.progress.moved ? Math.max(known.progress.at, observedAt) : known.progress.at,
  };
  const verdict = verdictOf(facts, known, child, observedAt);
  const run = { ...known, progress, ...(isAtWork && { wanted: true as const }) };
  if (typeof verdict === 'object') return changed(state, concludeRollout(facts, run, verdict), known);
  const isFirstPod = known.ended === undefined && known.progress.updated === 0 && progress.updated > 0;
  const at = Math.max(progressing(facts)?.at ?? observedAt, run.startedAt);
  const text = `${facts.updated} of ${facts.desired} pods are of revision ${run.revision}`;
  const transitions = isFirstPod ? [rolloutTransition(facts, run, 'run.progressing', 'progressing', at, text)] : [];
  const next = verdict === 'unconfirmed' ? withWaiting(state, record) : state;
  return changed(next, { state: run, transitions }, known);
}

/** What only the newest record says of the newest revision: whether it was deleted or paused, and what it waits for. */
function judgeNewest(state: RolloutState, before: RolloutRun | undefined, around: Around, observedAt: Instant): Step {
  const { facts, deletedAt } = state;
  const end = deletedAt ?? facts.deletionAt;
  return withNewest(state, (run) => {
    if (run.ended !== undefined) return { state: run, transitions: [] };
    if (end !== undefined) return concludeRollout(facts, run, { outcome: 'cancelled', at: end });
    const paused = pauseStep(facts, run, observedAt);
    const hasMoved = before?.revision === run.revision && run.progress.moved > before.progress.moved;
    const stuck = stuckStep(facts, paused.state, around.pods, hasMoved, observedAt);
    return { state: stuck.state, transitions: [...paused.transitions, ...stuck.transitions] };
  });
}

function pauseStep(facts: WorkloadFacts, run: RolloutRun, observedAt: Instant): RolloutStep<RolloutRun> {
  const suspended = facts.kind === 'Deployment' && facts.paused;
  if (suspended === run.suspended) return { state: run, transitions: [] };
  const suspensions = run.suspensions + (suspended ? 1 : 0);
  const [kind, text] = suspended ? (['run.suspended', 'paused'] as const) : (['run.resumed', 'resumed'] as const);
  const suffix = `${kind.slice('run.'.length)}/${suspensions}`;
  const transition = rolloutTransition(facts, run, kind, suffix, observedAt, text);
  return { state: { ...run, suspended, suspensions }, transitions: [transition] };
}

function withNewest(state: RolloutState, change: (run: RolloutRun) => RolloutStep<RolloutRun>): Step {
  const [run] = state.runs;
  return run === undefined ? { state, transitions: [] } : changed(state, change(run), run);
}

function changed(state: RolloutState, { state: run, transitions }: RolloutStep<RolloutRun>, known: RolloutRun): Step {
  return { state: run === known ? state : withRun(state, run), transitions };
}

function withRun(state: RolloutState, run: RolloutRun): RolloutState {
  const others = state.runs.filter(({ revision }) => revision !== run.revision);
  return { ...state, runs: [...others, run].toSorted((a, b) => b.revision - a.revision) };
}

function then({ state, transitions }: Step, next: (state: RolloutState) => Step): Step {
  const step = next(state);
  const all: readonly Transition[] = [...transitions, ...step.transitions];
  return { state: step.state, transitions: all };
}
