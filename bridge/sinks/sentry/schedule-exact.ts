import { timeZone } from '../../kubernetes/time-zone.ts';
import type { Instant } from '../../lib/clock.ts';
import { cronsimNext } from './schedule-cronsim.ts';
import { MAX_MARGIN_MINUTES } from './monitor-limits.ts';
import type { SentrySchedule, Times } from './schedule.ts';
import { nextDue, UNIT_MINUTES } from './schedule.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** What a monitor is to be from one check-in to the next. */
export interface Expectation {
  readonly schedule: SentrySchedule;
  /** Minutes. */
  readonly margin: number;
}

/**
 * The schedule and margin after which Sentry, when it takes a check-in at `from`, misses the next run exactly `margin`
 * minutes after the time for which Kubernetes starts it. Mostly they are as they stand. They are not
 *
 * - before a time that the zone leaves out: Sentry expects a run right after the gap and Kubernetes has none, so the margin
 *   reaches on to the next real one;
 * - before a time that the zone has twice, of which Sentry expects the first only, and where an interval is counted from a
 *   check-in in the middle of it: then the schedule is that of the offset which follows, or names the one next time.
 */
export function expectationAfter(times: Times, schedule: SentrySchedule, margin: number, from: Instant): Expectation {
  const due = nextDue(times, from);
  if (due === undefined) return { schedule, margin };
  const next = minuteOf(due);
  const expected = expectedNext(schedule, from);
  if (expected === next) return { schedule, margin };
  const early = expected === undefined ? -1 : (next - expected) / MINUTE_MS;
  if (early > 0 && margin + early <= MAX_MARGIN_MINUTES) return { schedule, margin: margin + early };
  const byOffset = atOffset(schedule, next);
  if (byOffset !== undefined && expectedNext(byOffset, from) === next) return { schedule: byOffset, margin };
  return { schedule: onlyAt(next), margin };
}

/** When Sentry expects the next check-in after one that it took at `from`. */
function expectedNext(schedule: SentrySchedule, from: Instant): Instant | undefined {
  if (schedule.type === 'interval') return minuteOf(from + schedule.value * UNIT_MINUTES[schedule.unit] * MINUTE_MS);
  const zone = timeZone(schedule.timezone);
  return zone && cronsimNext(schedule.value, zone, from);
}

function minuteOf(at: Instant): Instant {
  return Math.floor(at / MINUTE_MS) * MINUTE_MS;
}

/** The same crontab by the offset from UTC that its zone has at `at`, where that offset has a name. */
function atOffset(schedule: SentrySchedule, at: Instant): SentrySchedule | undefined {
  const hours = (timeZone(schedule.timezone)?.offsetAt(at) ?? 0) / HOUR_MS;
  if (schedule.type !== 'crontab' || !Number.isInteger(hours)) return undefined;
  // By POSIX the sign says what is missing to UTC.
  const timezone = hours === 0 ? 'UTC' : `Etc/GMT${hours > 0 ? '-' : '+'}${Math.abs(hours)}`;
  return { ...schedule, timezone };
}

/** A schedule that is due at this minute, and a year later. */
function onlyAt(at: Instant): SentrySchedule {
  const date = new Date(at);
  const day = [date.getUTCMinutes(), date.getUTCHours(), date.getUTCDate(), date.getUTCMonth() + 1];
  return { type: 'crontab', value: `${day.join(' ')} *`, timezone: 'UTC' };
}
