import type { JobFacts, Observation } from '../kubernetes/observation.ts';
import type { Instant } from '../lib/clock.ts';
import { trueCondition } from './conditions.ts';
import type { Gone } from './gone.ts';
import { stillGone } from './gone.ts';
import { mergeRecord } from './merge.ts';
import type { Outcome, Transition } from './transition.ts';
import { refOf } from './transition.ts';

/**
 * The life of a Job, as one run:
 *
 *   pending ──startTime──▶ running ◀──resume── suspended
 *      │                   │  │  └───suspend──▶   │
 *      │                   │  ├─ Complete ─────────────────────────────▶ succeeded
 *      │                   │  ├─ Failed ───────────────────────────────▶ failed
 *      │                   │  └─ DELETED ─┬─ SuccessCriteriaMet ───────▶ succeeded
 *      │                   │              ├─ FailureTarget ────────────▶ failed
 *      │                   │              ├─ Replace, successor seen ──▶ replaced
 *      │                   │              ├─ Replace, none within 30 s ▶ cancelled
 *      │                   │              └─ otherwise ────────────────▶ cancelled
 *      │                   └─ gone (not in two LISTs), 15 min ──┬─ its CronJob proves success ▶ succeeded (inferred)
 *      │                                                        └─ otherwise ─────────────────▶ unknown
 *      └──DELETED, no startTime ever──▶ never_started ──older record with a startTime──▶ as DELETED above
 *
 * A scheduled run whose Job was never seen starts as gone, from its CronJob's status (inferred.ts). The two endings after
 * "gone" are assumptions: a record that comes later brings the real one.
 *
 * Level-based: every newer observation is compared with what was announced (`startedAt`, `ended`), so a missed
 * intermediate state still yields the run's transitions, with true times. SuccessCriteriaMet and FailureTarget are
 * written before Complete and Failed (Kubernetes 1.31 and later) and end nothing while the Job exists.
 */
export interface JobState {
  readonly facts: JobFacts;
  /** Set once the DELETED record came; an older record never undoes it. */
  readonly deletedAt: Instant | undefined;
  /** The first startTime that was seen: a resume sets a new one, which is not a second run. */
  readonly startedAt: Instant | undefined;
  readonly suspended: boolean;
  /** Number of the last suspension that was reported. */
  readonly suspensions: number;
  readonly ended: Ending | undefined;
  readonly gone?: Gone | undefined;
}

type JobOutcome = Exclude<Outcome, 'superseded' | 'rolled_back'>;

export interface Ending {
  readonly outcome: JobOutcome;
  /** Not read from the Job itself but concluded from its CronJob's status. */
  readonly inferred?: true;
  readonly at: Instant;
  readonly reason: string | undefined;
  readonly message: string | undefined;
}

/** What is known of a successor when a Job of a Replace CronJob was deleted while active. */
export type Replacement = 'none' | 'wait' | 'seen';

export type ReplacementOf = (deleted: JobFacts, deletedAt: Instant) => Replacement;

export interface JobStep {
  readonly state: JobState;
  readonly transitions: readonly Transition[];
}

/** The next state and what is to be announced; `runKey` is the root of the transition ids. */
export function reduceJob(
  previous: JobState | undefined,
  observation: Observation & { readonly facts: JobFacts },
  runKey: string,
  replacementOf: ReplacementOf,
): JobStep {
  const merged = mergeObservation(previous, observation);
  const transitions: Transition[] = [];
  let state = merged;
  // A start is not reported after the end: the vendor would show the run as open again.
  const isOver = merged.ended !== undefined && merged.ended.outcome !== 'unknown';
  if (merged.startedAt !== undefined && previous?.startedAt === undefined && !isOver) {
    transitions.push(runTransition(merged, runKey, 'run.started', merged.startedAt, 'started'));
  }
  const suspension = suspensionEdge(previous, state, runKey, observation.observedAt);
  if (suspension !== undefined) transitions.push(suspension);
  state = { ...state, suspensions: state.suspensions + (suspension?.kind === 'run.suspended' ? 1 : 0) };
  const ending = endJob(state, runKey, observation.observedAt, replacementOf);
  return { state: ending.state, transitions: [...transitions, ...ending.transitions] };
}

/** Ends a Job that is over and not reported yet; also called when a successor appears or the wait for one is over. */
export function endJob(state: JobState, runKey: string, observedAt: Instant, replacementOf: ReplacementOf): JobStep {
  const ended = isOpen(state) ? readEnding(state, observedAt, replacementOf) : undefined;
  return ended === undefined ? { state, transitions: [] } : concludeJob(state, runKey, ended);
}

/** True while no record showed how it ended, whatever was assumed meanwhile. */
export function isOpen({ ended }: JobState): boolean {
  return ended === undefined || ended.outcome === 'unknown' || ended.inferred === true;
}

/**
 * Ends a Job. An unknown ending has an id of its own, so that the real one is still reported. After an inferred ending the
 * real one is reported only if it differs.
 */
export function concludeJob(state: JobState, runKey: string, ended: Ending): JobStep {
  const inferred = state.ended?.inferred === true ? state.ended : undefined;
  if (inferred?.outcome === ended.outcome) return { state: { ...state, ended }, transitions: [] };
  const end = runTransition(state, runKey, 'run.ended', ended.at, endingText(ended));
  const transition: Transition = {
    ...end,
    // Not the end of a run: if an older record proves that it was one, its end must still be reported.
    ...(ended.outcome === 'never_started' && { id: `${runKey}/never_started` }),
    ...(ended.outcome === 'unknown' && { id: `${runKey}/unknown` }),
    ...(inferred !== undefined && { id: `${end.id}/corrected`, corrects: true }),
    ...(ended.inferred && { inferred: true }),
    outcome: ended.outcome,
    ...(ended.reason !== undefined && { reason: ended.reason }),
    ...(ended.message !== undefined && { message: ended.message }),
  };
  return { state: { ...state, ended }, transitions: [transition] };
}

/**
 * A newer observation replaces the facts; an older one adds what it alone proves: the start, the owner and the deletion.
 * The owner stays when it is cut off (`kubectl delete cronjob --cascade=orphan`): the run must end where its start was
 * reported.
 */
function mergeObservation(
  previous: JobState | undefined,
  observation: Observation & { readonly facts: JobFacts },
): JobState {
  const { facts } = observation;
  const gone = stillGone(previous?.gone, observation);
  const { latest, deletedAt } = mergeRecord(previous, observation);
  const startedAt = previous?.startedAt ?? facts.startAt;
  const outcome = previous?.ended?.outcome;
  const reopened = (outcome === 'never_started' && startedAt !== undefined) || (outcome === 'unknown' && !gone);
  return {
    facts: { ...latest, owner: latest.owner ?? previous?.facts.owner ?? facts.owner },
    deletedAt,
    startedAt,
    suspended: trueCondition(latest.conditions, 'Suspended') !== undefined,
    suspensions: previous?.suspensions ?? 0,
    ended: reopened ? undefined : previous?.ended,
    gone,
  };
}

function readEnding(
  { facts, deletedAt, startedAt }: JobState,
  observedAt: Instant,
  replacementOf: ReplacementOf,
): Ending | undefined {
  const ending = (outcome: JobOutcome, type: string): Ending | undefined => {
    const condition = trueCondition(facts.conditions, type);
    if (condition === undefined) return undefined;
    const completedAt = outcome === 'succeeded' ? facts.completionAt : undefined;
    const at = completedAt ?? condition.at ?? deletedAt ?? observedAt;
    return { outcome, at, reason: condition.reason, message: condition.message };
  };
  const ended = ending('succeeded', 'Complete') ?? ending('failed', 'Failed');
  if (ended !== undefined || deletedAt === undefined) return ended;
  const hinted = ending('succeeded', 'SuccessCriteriaMet') ?? ending('failed', 'FailureTarget');
  if (hinted !== undefined) return hinted;
  const removed = { at: deletedAt, reason: undefined, message: undefined };
  if (startedAt === undefined) return { outcome: 'never_started', ...removed };
  const replacement = replacementOf(facts, deletedAt);
  if (replacement === 'wait') return undefined;
  return { outcome: replacement === 'seen' ? 'replaced' : 'cancelled', ...removed };
}

function suspensionEdge(
  previous: JobState | undefined,
  state: JobState,
  runKey: string,
  observedAt: Instant,
): Transition | undefined {
  if (state.suspended === (previous?.suspended ?? false)) return undefined;
  const at = state.facts.conditions.find((condition) => condition.type === 'Suspended')?.at ?? observedAt;
  return state.suspended
    ? runTransition(state, runKey, 'run.suspended', at, 'suspended', state.suspensions + 1)
    : runTransition(state, runKey, 'run.resumed', at, 'resumed', state.suspensions);
}

/** A transition of the run as a whole; its id holds no time. */
export function runTransition(
  state: JobState,
  runKey: string,
  kind: Transition['kind'],
  at: Instant,
  text: string,
  number?: number,
): Transition {
  const id = `${runKey}/${kind.slice('run.'.length)}${number === undefined ? '' : `/${number}`}`;
  return { id, kind, at, about: refOf(state.facts), runUid: state.facts.uid, text };
}

const ENDING_TEXT: Record<JobOutcome, string> = {
  succeeded: 'succeeded',
  failed: 'failed',
  cancelled: 'cancelled: deleted while active',
  replaced: 'replaced by the next run (concurrencyPolicy Replace)',
  never_started: 'deleted before it started: no run',
  unknown: 'gone from the cluster: how it ended is not known',
};

function endingText({ outcome, reason, inferred }: Ending): string {
  const text = inferred === true ? `${ENDING_TEXT[outcome]}, by its CronJob's status` : ENDING_TEXT[outcome];
  return reason === undefined ? text : `${text}: ${reason}`;
}
