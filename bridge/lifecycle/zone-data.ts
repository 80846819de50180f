import type { CronJobFacts } from '../kubernetes/observation.ts';
import type { Schedule } from '../kubernetes/schedule.ts';
import { isInstantOf, parseSchedule } from '../kubernetes/schedule.ts';
import { isFixedZone } from '../kubernetes/time-zone.ts';
import type { Instant } from '../lib/clock.ts';

/**
 * The zone data of the bridge and of the control plane may be of different releases, and the cluster's are the ones that
 * count. What it scheduled proves which they are:
 *
 *   agree ──a scheduled instant that our schedule does not have──▶ differ: no missed run is judged
 *     ▲                                                              │
 *     ├─an instant of ours that none of the shifts can explain───────┤
 *     └─another schedule or zone (starts over)───────────────────────┘
 *
 * A run that did not come may itself be the first sign: Kubernetes may be going to start it an hour later, or have left
 * it out because its clocks went forward. So a missing run is reported only when every shift that would explain it has
 * had an instant of its own at which no run came either (`provenAt`).
 */
export interface Comparison {
  /** Instants up to then may be those of an earlier schedule. */
  readonly since: Instant;
  /** The newest instant that was compared: older ones (restored or repeated Jobs) prove nothing. */
  readonly last?: Instant;
  readonly differs?: Difference | undefined;
}

export interface Difference {
  /** The first scheduled instant of the cluster that our schedule does not have. */
  readonly at: Instant;
  /** The shifts of our schedule, in ms, that have all the instants that were seen since. */
  readonly shifts: readonly number[];
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** The controller may take a moment to see a new schedule. */
const SETTLE_MS = MINUTE_MS;
/** Clocks of one cluster differ by less. */
const CLOCK_SKEW_MS = MINUTE_MS;
/** How far the offsets of a zone lie apart in two releases; Casey changed by three hours, most by one. */
const RELEASE_SPREAD_MS = 3 * HOUR_MS;
/** How far the control plane's own zone may lie from UTC. */
const LOCAL_SPREAD_MS = 14 * HOUR_MS;
/** Offsets of today change by half hours at the least. */
const SHIFT_STEP_MS = 30 * MINUTE_MS;
/** A run of a schedule that is rarer than this is not waited for. */
const MAX_PROOF_MS = 8 * DAY_MS;

/** Starts over with a schedule that was first seen `at`; `changed`: another one was known before. */
export function newComparison(at: Instant, changed: boolean): Comparison {
  return { since: changed ? at + SETTLE_MS : at };
}

/** True while the cluster reports a scheduled instant in the future: the clock of the control plane is or was ahead. */
export function isClockAhead({ lastScheduleAt }: CronJobFacts, now: Instant): boolean {
  return lastScheduleAt !== undefined && lastScheduleAt > now + CLOCK_SKEW_MS;
}

/**
 * Compares an instant that the cluster scheduled with our schedule. Comes back unchanged when the instant proves
 * nothing: it may be of an earlier schedule, is older than another one, in the future or not a whole minute. `@every`
 * has no zone.
 */
export function compared(before: Comparison, facts: CronJobFacts, at: Instant, now: Instant): Comparison {
  if (at <= (before.last ?? before.since) || at > now + CLOCK_SKEW_MS || at % MINUTE_MS !== 0) return before;
  const schedule = parseSchedule(facts.schedule, facts.timeZone);
  if ('error' in schedule || schedule.everyMs !== undefined) return before;
  const { since, differs } = before;
  const isOurs = isInstantOf(schedule, at);
  if (isOurs && differs === undefined) return { since, last: at };
  const explains = (shift: number): boolean => isInstantOf(schedule, at - shift);
  const known = differs?.shifts.filter(explains) ?? [];
  // The clocks of the one or the other may have changed meanwhile.
  const left = known.length > 0 ? known : neighbours(differs?.shifts ?? []).filter(explains);
  if (isOurs && left.length === 0) return { since, last: at };
  const shifts = left.length > 0 ? left : shiftsUpTo(LOCAL_SPREAD_MS).filter(explains);
  return { since, last: at, differs: { at: differs?.at ?? at, shifts } };
}

/**
 * When it is proven that the run of a scheduled instant of ours that did not come is missing: `at` itself where other
 * zone data would have had a run then all the same (`@every`, every five minutes, fixed zones). Of rare schedules a
 * week is enough.
 */
export function provenAt(facts: CronJobFacts, at: Instant): Instant {
  const schedule = parseSchedule(facts.schedule, facts.timeZone);
  if ('error' in schedule) return at;
  const shifts = shiftsUpTo(spreadOf(schedule, facts)).filter((shift) => !isInstantOf(schedule, at - shift));
  if (shifts.length === 0) return at;
  const ours = instantsAround(schedule, at);
  const known = new Set(ours);
  const proofs = shifts.map((shift) => {
    const own = ours.map((instant) => instant + shift).filter((instant) => instant > at && !known.has(instant));
    // On the day on which its clock goes back by half an hour, Kubernetes leaves out the first run too.
    return own[shift > 0 && shift % HOUR_MS !== 0 ? 1 : 0] ?? at;
  });
  return Math.min(Math.max(...proofs), at + MAX_PROOF_MS);
}

/** How far the instants of other zone data may lie from ours, in ms. */
function spreadOf(schedule: Schedule, { lastScheduleAt }: CronJobFacts): number {
  if (schedule.everyMs !== undefined) return 0;
  if (schedule.zone !== undefined) return isFixedZone(schedule.zone) ? 0 : RELEASE_SPREAD_MS;
  // The zone of the control plane is UTC as soon as one run says so.
  return lastScheduleAt !== undefined && isInstantOf(schedule, lastScheduleAt) ? 0 : LOCAL_SPREAD_MS;
}

/** Our instants from the widest spread before `at` to as far after the first one that is a day later. */
function instantsAround(schedule: Schedule, at: Instant): Instant[] {
  const nextDay = schedule.next(at + DAY_MS - 1) ?? at;
  const instants: Instant[] = [];
  let instant = schedule.next(at - LOCAL_SPREAD_MS - 1);
  for (; instant !== undefined && instant <= nextDay + LOCAL_SPREAD_MS; instant = schedule.next(instant)) {
    instants.push(instant);
  }
  return instants;
}

/** Up to an hour away from one of them, without 0; ms. */
function neighbours(shifts: readonly number[]): number[] {
  const near = shifts.flatMap((shift) => shiftsUpTo(HOUR_MS).map((change) => shift + change));
  return [...new Set(near)].filter((shift) => shift !== 0);
}

/** Both ways, without 0; ms. */
function shiftsUpTo(spread: number): number[] {
  const steps = Math.floor(spread / SHIFT_STEP_MS);
  return Array.from({ length: steps }, (_, n) => (n + 1) * SHIFT_STEP_MS).flatMap((shift) => [shift, -shift]);
}
