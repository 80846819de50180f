import { scheduledJobName } from '../kubernetes/metadata.ts';
import type { CronJobFacts } from '../kubernetes/observation.ts';
import type { Schedule } from '../kubernetes/schedule.ts';
import { isInstantOf, parseSchedule } from '../kubernetes/schedule.ts';
import type { Instant } from '../lib/clock.ts';
import type { Reason } from '../lib/reasons.ts';
import { REASONS } from '../lib/reasons.ts';
import type { Run, Transition } from './transition.ts';
import { refOf } from './transition.ts';
import type { Comparison } from './zone-data.ts';
import { compared, isClockAhead, newComparison, provenAt } from './zone-data.ts';

/**
 * What a CronJob's schedule promises, one scheduled instant S after the other:
 *
 *   nothing ◀──suspended, deleted, unreadable schedule── expected S ──Job of S, or lastScheduleTime ≥ S──▶ expected next
 *      │                                                  ▲  │  │
 *      └─first sight, resume, new schedule or zone────────┘  │  └─due, neither ─────────────────────────▶ cronjob.missed
 *        (only what comes after it is expected)              └─due, Forbid and the previous run active
 *                                                               └─▶ blocked until the next instant or the deadline
 *                                                                   ├─Job of S (Kubernetes made it late)─▶ expected next
 *                                                                   └─neither ───────────────────────▶ cronjob.skipped
 *
 * missed and skipped are reported once other zone data cannot explain them (zone-data.ts). While the zone data differ, or
 * the clock of the control plane is ahead, nothing is reported.
 */
export interface Expectation {
  readonly at: Instant;
  /** When it is judged, at the earliest. */
  readonly due: Instant;
  /** The previous run was still active when it was first judged, and the policy is Forbid. */
  readonly blocked: boolean;
}

/** A scheduled instant without a Job, which other zone data may explain until `due`. */
export interface Unproven {
  readonly at: Instant;
  readonly due: Instant;
  readonly status: 'missed' | 'skipped';
  readonly reason: Reason;
}

/** What is remembered of a CronJob's schedule. */
export interface Watch {
  /** The scheduled instant that is waited for; none while it is suspended or cannot be scheduled. */
  readonly expected?: Expectation | undefined;
  /** The oldest first. */
  readonly unproven?: readonly Unproven[] | undefined;
  readonly comparison?: Comparison | undefined;
}

export interface Watched extends Watch {
  readonly facts: CronJobFacts;
  /** Scheduled instants that the status reported and whose Jobs were not seen yet. */
  readonly awaited?: readonly { readonly at: Instant }[] | undefined;
}

/** What the store knows of a scheduled instant. */
export interface Sight {
  readonly jobSeen: boolean;
  /** A run of an earlier instant is active, or was at that instant. */
  readonly previousActive: boolean;
}

/** The controller is usually there within a second, and the stream within another. */
const GRACE_MS = 60_000;

/** Per tick: after an outage a CronJob of every minute has thousands to judge, and everything else must go on meanwhile. */
const MAX_JUDGED = 100;

/** What is watched from an observation on, at `now`; unchanged when the schedule is, except for what the status reports. */
export function watchFrom(
  previous: Watched | undefined,
  facts: CronJobFacts,
  observedAt: Instant,
  now: Instant,
): Watch {
  const before = previous?.facts;
  const same = before?.schedule === facts.schedule && before.timeZone === facts.timeZone;
  const since = Math.max(observedAt, facts.createdAt ?? observedAt);
  const known: Watch = same ? previous! : { comparison: newComparison(since, before !== undefined) };
  const { comparison = newComparison(since, false), unproven } = known;
  // What a clock that jumped made us expect is dropped.
  const kept =
    before !== undefined && isClockAhead(before, now) && !isClockAhead(facts, now) ? undefined : known.expected;
  const startsNothing = facts.suspend || facts.deletionAt !== undefined;
  const expected = startsNothing ? undefined : (kept ?? expectAfter(facts, since));
  const watch: Watch = { expected, comparison, unproven };
  return seeInstant({ facts, ...watch }, facts.lastScheduleAt, now) ?? watch;
}

/** The watch after the cluster scheduled an instant; undefined when that proves nothing new about its zone data. */
export function seeInstant(watched: Watched, at: Instant | undefined, now: Instant): Watch | undefined {
  const { facts, expected, unproven, comparison } = watched;
  if (at === undefined || comparison === undefined) return undefined;
  const next = compared(comparison, facts, at, now);
  if (next === comparison) return undefined;
  if (next.differs !== undefined) return { expected, comparison: next };
  // What lies before they agree is not judged.
  const isBack = comparison.differs !== undefined && expected !== undefined;
  return { expected: isBack ? expectAfter(facts, at) : expected, comparison: next, unproven };
}

/** False while the zone data differ or the clock of the control plane is ahead. */
export function isJudged({ facts, comparison }: Watched, now: Instant): boolean {
  return comparison?.differs === undefined && !isClockAhead(facts, now);
}

/** When something of the watch is to be judged. */
export function nextDue({ expected, unproven = [] }: Watch): Instant | undefined {
  const due = Math.min(expected?.due ?? Infinity, ...unproven.map((other) => other.due));
  return Number.isFinite(due) ? due : undefined;
}

export interface Judgement {
  readonly expected: Expectation | undefined;
  readonly verdict?: Verdict;
}

export interface Verdict {
  readonly at: Instant;
  readonly status: 'missed' | 'skipped';
  readonly reason: Reason;
}

/** Up to when the records are complete, the time, and what the store knows of an instant. */
export interface Look {
  readonly until: Instant;
  readonly now: Instant;
  readonly sight: (at: Instant) => Sight;
}

/** Judges the scheduled instants that are due, as many as fit into one tick. */
export function judgeDue(watched: Watched, { until, now, sight }: Look): { watch: Watch; verdicts: Verdict[] } {
  const { facts, awaited = [], comparison } = watched;
  const judged = isJudged(watched, now);
  const isSeen = (at: Instant): boolean =>
    sight(at).jobSeen || facts.lastScheduleAt === at || awaited.some((other) => other.at === at);
  const proven = (watched.unproven ?? []).filter(({ due }) => due <= until);
  const verdicts: Verdict[] = judged ? proven.filter(({ at }) => !isSeen(at) && isOurs(facts, at)) : [];
  const unproven = (watched.unproven ?? []).filter(({ due }) => due > until);
  let { expected } = watched;
  for (let n = 0; n < MAX_JUDGED && expected !== undefined && expected.due <= until; n++) {
    const { at }: Expectation = expected;
    const step: Judgement = judged ? judge(facts, expected, sight(at)) : { expected: expectAfter(facts, at) };
    expected = step.expected;
    if (step.verdict === undefined || !isOurs(facts, at)) continue;
    const due = provenAt(facts, at) + GRACE_MS;
    if (due > until) unproven.push({ ...step.verdict, due });
    else verdicts.push(step.verdict);
  }
  return { watch: { expected, comparison, ...(unproven.length > 0 && { unproven }) }, verdicts };
}

/** Judges the expected instant once it is due, and expects the next one. */
export function judge(facts: CronJobFacts, expected: Expectation, sight: Sight): Judgement {
  const { at, due } = expected;
  const { lastScheduleAt } = facts;
  if (sight.jobSeen || (lastScheduleAt !== undefined && lastScheduleAt >= at)) {
    return { expected: expectAfter(facts, Math.max(at, lastScheduleAt ?? at)) };
  }
  const blocked = expected.blocked || (facts.concurrencyPolicy === 'Forbid' && sight.previousActive);
  const end = startableUntil(facts, at) + GRACE_MS;
  if (blocked && end > due) return { expected: { at, due: end, blocked } };
  const next = expectAfter(facts, at);
  const reason: Reason = blocked
    ? 'forbid_active'
    : facts.startingDeadlineSeconds === undefined
      ? 'missed_schedule'
      : 'starting_deadline_exceeded';
  return { expected: next, verdict: { at, status: blocked ? 'skipped' : 'missed', reason } };
}

function expectAfter(facts: CronJobFacts, after: Instant): Expectation | undefined {
  const at = nextOf(facts, after);
  if (at === undefined) return undefined;
  // Without a deadline a run may start at any time before the next instant, which is too long to wait.
  const due = (facts.startingDeadlineSeconds === undefined ? at : startableUntil(facts, at)) + GRACE_MS;
  return { at, due, blocked: false };
}

/** Until when the controller may start the run of an instant: the deadline, or until a later instant takes its place. */
function startableUntil(facts: CronJobFacts, at: Instant): Instant {
  const deadline = at + (facts.startingDeadlineSeconds ?? Infinity) * 1000;
  return Math.min(deadline, nextOf(facts, at) ?? at);
}

/** The next scheduled instant; undefined when there is none, or the schedule cannot be read. */
export function nextOf(facts: CronJobFacts, after: Instant): Instant | undefined {
  const schedule = parseSchedule(facts.schedule, facts.timeZone);
  return 'error' in schedule ? undefined : nextInstant(schedule, facts, after);
}

/** False when it was expected by the zone data of another release of the bridge. */
function isOurs(facts: CronJobFacts, at: Instant): boolean {
  const schedule = parseSchedule(facts.schedule, facts.timeZone);
  return 'error' in schedule || schedule.everyMs !== undefined || isInstantOf(schedule, at);
}

/** `@every` counts from the last scheduled instant or the creation; one of the future comes from a clock that jumped. */
function nextInstant(schedule: Schedule, facts: CronJobFacts, after: Instant): Instant | undefined {
  const { everyMs } = schedule;
  const start = isClockAhead(facts, after) ? facts.createdAt : (facts.lastScheduleAt ?? facts.createdAt);
  if (everyMs === undefined || start === undefined) return schedule.next(after);
  return start + Math.max(1, Math.floor((after - start) / everyMs) + 1) * everyMs;
}

/** The run that did not happen, under `uid`, and the transition that reports it. */
export function notRun(
  facts: CronJobFacts,
  { at, status, reason }: Verdict,
  uid: string,
): { readonly run: Run; readonly transition: Transition } {
  const run: Run = {
    uid,
    kind: 'Job',
    namespace: facts.namespace,
    name: scheduledJobName(facts.name, at), // as the controller would have named the Job
    runKey: uid,
    ownerKind: 'CronJob',
    ownerName: facts.name,
    ownerUid: facts.uid,
    status,
    createdAt: undefined,
    scheduledAt: at,
    startedAt: undefined,
    endedAt: undefined,
    reason,
    message: REASONS[reason],
    deleted: false,
  };
  const transition: Transition = {
    id: `${facts.uid}/${at}/${status}`,
    kind: `cronjob.${status}`,
    at,
    about: refOf(facts),
    runUid: uid,
    text: `${status}: ${REASONS[reason]}`,
    reason,
  };
  return { run, transition };
}
