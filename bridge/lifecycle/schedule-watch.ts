import { scheduledJobName } from '../kubernetes/metadata.ts';
import type { CronJobFacts } from '../kubernetes/observation.ts';
import type { Schedule } from '../kubernetes/schedule.ts';
import { parseSchedule } from '../kubernetes/schedule.ts';
import type { Instant } from '../lib/clock.ts';
import type { Reason } from '../lib/reasons.ts';
import { REASONS } from '../lib/reasons.ts';
import type { Run, Transition } from './transition.ts';

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
 */
export interface Expectation {
  readonly at: Instant;
  /** When it is judged, at the earliest. */
  readonly due: Instant;
  /** The previous run was still active when it was first judged, and the policy is Forbid. */
  readonly blocked: boolean;
}

/** What the store knows of a scheduled instant. */
export interface Sight {
  readonly jobSeen: boolean;
  /** A run of an earlier instant is active, or was at that instant. */
  readonly previousActive: boolean;
}

/** The controller is usually there within a second, and the stream within another. */
const GRACE_MS = 60_000;

/** What a CronJob is expected to start from an observation on; unchanged when its schedule is. */
export function expectation(
  previous: { readonly facts: CronJobFacts; readonly expected?: Expectation | undefined } | undefined,
  facts: CronJobFacts,
  observedAt: Instant,
): Expectation | undefined {
  if (facts.suspend || facts.deletionAt !== undefined) return undefined;
  const before = previous?.facts;
  const same = before?.schedule === facts.schedule && before.timeZone === facts.timeZone;
  if (same && previous?.expected !== undefined) return previous.expected;
  return expectAfter(facts, Math.max(observedAt, facts.createdAt ?? observedAt));
}

export interface Judgement {
  readonly expected: Expectation | undefined;
  readonly verdict?: { readonly run: Run; readonly transition: Transition };
}

/** Judges the expected instant once it is due, and expects the next one. `uid` names the row of what did not run. */
export function judge(facts: CronJobFacts, expected: Expectation, sight: Sight, uid: string): Judgement {
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
  return { expected: next, verdict: verdict(facts, at, blocked ? 'skipped' : 'missed', reason, uid) };
}

function expectAfter(facts: CronJobFacts, after: Instant): Expectation | undefined {
  const at = nextOf(facts, after);
  if (at === undefined) return undefined;
  // A deadline says how late a start is still fine; without one, any time until the next is, but nobody waits that long.
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

/** `@every` counts from the last scheduled instant or the creation. */
function nextInstant(schedule: Schedule, facts: CronJobFacts, after: Instant): Instant | undefined {
  const { everyMs } = schedule;
  const start = facts.lastScheduleAt ?? facts.createdAt;
  if (everyMs === undefined || start === undefined) return schedule.next(after);
  return start + Math.max(1, Math.floor((after - start) / everyMs) + 1) * everyMs;
}

function verdict(
  facts: CronJobFacts,
  at: Instant,
  status: 'missed' | 'skipped',
  reason: Reason,
  uid: string,
): NonNullable<Judgement['verdict']> {
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
    runUid: uid,
    text: `${status}: ${REASONS[reason]}`,
    reason,
  };
  return { run, transition };
}
