import { plainSchedule } from '../../kubernetes/plain-schedule.ts';
import { parseFields } from '../../kubernetes/schedule-fields.ts';
import { DESCRIPTORS, parseSchedule } from '../../kubernetes/schedule.ts';
import type { Instant } from '../../lib/clock.ts';

const MINUTE_MS = 60_000;

/** A schedule as Sentry takes it, with the name of its time zone. */
export type SentrySchedule =
  | { readonly type: 'crontab'; readonly value: string; readonly timezone: string }
  | { readonly type: 'interval'; readonly value: number; readonly unit: IntervalUnit; readonly timezone: string };

type IntervalUnit = 'day' | 'hour' | 'minute';
export const UNIT_MINUTES: Readonly<Record<IntervalUnit, number>> = { day: 1_440, hour: 60, minute: 1 };

/** What a CronJob says of its times. */
export interface Times {
  readonly schedule: string;
  readonly timeZone?: string | undefined;
  /** An instant at which it was due: of an `@every` schedule all others depend on it, else those around a change of the clock. */
  readonly anchor?: Instant | undefined;
}

/** How Sentry reads a schedule; `doubt`: why that may differ from Kubernetes; `refused`: why it cannot have it. */
export type Reading = { readonly schedule: SentrySchedule; readonly doubt?: string } | { readonly refused: string };

/** The schedule of a CronJob in the form that Sentry reads as Kubernetes does. Never throws. */
export function readSchedule({ schedule: text, timeZone }: Times): Reading {
  const parsed = parseSchedule(text, timeZone);
  if ('error' in parsed) return { refused: `the bridge cannot read it: ${parsed.error}` };
  if (parsed.next(0) === undefined) return { refused: 'it is never due' };
  if (parsed.everyMs !== undefined) return readInterval(parsed.everyMs);
  const { schedule, timeZone: zone, doubt } = plainSchedule(text, timeZone);
  // Sentry knows most of the names, and all by their fields.
  const value = DESCRIPTORS[schedule] ?? wholeFields(schedule);
  return { schedule: { type: 'crontab', value, timezone: zone }, ...(doubt !== undefined && { doubt }) };
}

/** In UTC: in a zone Sentry would add an interval to the hands of the clock. */
function readInterval(everyMs: number): Reading {
  if (everyMs % MINUTE_MS !== 0)
    return { refused: `Sentry counts intervals in whole minutes, and this one is ${everyMs / 1000} s` };
  const minutes = everyMs / MINUTE_MS;
  const unit = (['day', 'hour', 'minute'] as const).find((one) => minutes % UNIT_MINUTES[one] === 0)!;
  return { schedule: { type: 'interval', value: minutes / UNIT_MINUTES[unit], unit, timezone: 'UTC' } };
}

/** Minutes and hours that are all of them as a star: by that Sentry distinguishes set times of a day from others. */
function wholeFields(schedule: string): string {
  const texts = schedule.split(' ');
  const fields = parseFields(texts);
  return texts.map((text, index) => (index < 2 && !fields[index]!.allowed.includes(0) ? '*' : text)).join(' ');
}

/** How far back an instant counts that was not the last before: changes of the clock mostly have their effect within a day. */
const MAX_ANCHOR_MS = 2 * 24 * 60 * MINUTE_MS;

/** The first instant after `after` at which Kubernetes starts the CronJob. */
export function nextDue({ schedule, timeZone, anchor }: Times, after: Instant): Instant | undefined {
  const parsed = parseSchedule(schedule, timeZone);
  if ('error' in parsed) return undefined;
  const { everyMs } = parsed;
  if (anchor === undefined) return parsed.next(after);
  if (everyMs !== undefined) return anchor + (Math.floor((after - anchor) / everyMs) + 1) * everyMs;
  if (anchor > after) return parsed.next(after);
  // Around a change of the clock the next instant depends on the one before, from which Kubernetes begins to count.
  let next = parsed.next(anchor);
  // Where the clock is set by half an hour that may be weeks ago: Kubernetes leaves out midnights until the month is over.
  if (next !== undefined && next <= after && after - anchor > MAX_ANCHOR_MS) return parsed.next(after);
  while (next !== undefined && next <= after) next = parsed.next(next);
  return next;
}

const FIRST_WINDOW_MS = 2 * MINUTE_MS;
const MAX_WINDOW_MS = 6 * 366 * 24 * 60 * MINUTE_MS;

/** The last such instant up to `until`; undefined where there is none within six years. */
export function lastDue(times: Times, until: Instant): Instant | undefined {
  for (let window = FIRST_WINDOW_MS; window <= MAX_WINDOW_MS; window *= 4) {
    let last = nextDue(times, until - window);
    if (last === undefined || last > until) continue;
    for (let next = nextDue(times, last); next !== undefined && next <= until; next = nextDue(times, last)) last = next;
    return last;
  }
  return undefined;
}
