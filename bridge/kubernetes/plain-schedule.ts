import type { Field, Range } from './schedule-fields.ts';
import { BOUNDS, parseFields, ScheduleError } from './schedule-fields.ts';
import { EVERY, parseSchedule, partsOf, splitZone, withZone } from './schedule.ts';

/** A schedule as others read it. */
export interface PlainSchedule {
  /** Five fields in their common form, `@daily` and its like, or `@every` with a whole time; one space between parts. */
  readonly schedule: string;
  /** Name of an IANA time zone, which the schedule itself never holds. */
  readonly timeZone: string;
  /** Why it may not be exactly when Kubernetes starts the CronJob. */
  readonly doubt?: string;
}

/** What Go takes for UTC and others do not know. */
const AS_UTC: ReadonlySet<string> = new Set(['', 'Local', 'Factory']);
/** February has no 30th: the common form of a schedule that is never due. */
const NEVER = '0 0 30 2 *';
/** Longer lists are written again, from what they allow. */
const MAX_FIELD = 60;
/** What is written so is left so. */
const PLAIN_VALUE = /^(?:\d{1,2}|[a-z]{3})$/i;
const STEPS = /^\*\/\d{1,2}$/;
const RANGE = /^(?:\d{1,2}-\d{1,2}|[a-z]{3}-[a-z]{3})(?:\/\d{1,2})?$/i;
const DAY_OF_MONTH = 2;
const DAY_OF_WEEK = 4;

/**
 * `spec.schedule` and `spec.timeZone` without what only Kubernetes understands: zones in the schedule, white space,
 * empty items, signs, `?`, `5/15`, steps beyond a field, day fields that others combine in another way, and an `@every`
 * of less than a second. What cannot be read is left as it is, apart from its white space and zone. Never throws.
 */
export function plainSchedule(text: string, zone: string | undefined): PlainSchedule {
  const parsed = parseSchedule(text, zone);
  const { name, rest } = zoneOf(text, zone);
  const parts = partsOf(rest);
  const timeZone = AS_UTC.has(name) ? 'UTC' : name;
  if ('error' in parsed) return { schedule: parts.join(' '), timeZone, doubt: `it cannot be read: ${parsed.error}` };
  const doubt = parsed.next(0) === undefined ? { doubt: 'it is never due' } : undefined;
  const local =
    name === 'Local' ? { doubt: "Local is the time zone of Kubernetes' own controller: UTC is assumed" } : {};
  if (parsed.everyMs !== undefined) return { schedule: plainEvery(rest, parsed.everyMs), timeZone, ...local };
  const schedule = parts.length === 1 ? parts[0]! : plainFields(parseFields(parts));
  return { schedule, timeZone, ...(doubt ?? local) };
}

function zoneOf(text: string, zone: string | undefined): { readonly name: string; readonly rest: string } {
  try {
    return splitZone(withZone(text, zone));
  } catch (error) {
    if (error instanceof ScheduleError) return { name: zone ?? 'UTC', rest: text };
    throw error;
  }
}

function plainEvery(text: string, everyMs: number): string {
  const duration = text.slice(EVERY.length);
  const isPlain = /^(?!$)(?:[1-9]\d*h)?(?:[1-9]\d*m)?(?:[1-9]\d*s)?$/.test(duration);
  return EVERY + (isPlain ? duration : `${everyMs / 1000}s`);
}

/** Kubernetes lets either day field match unless one is a star; that others do the same shows in how they are written. */
function plainFields(fields: readonly Field[]): string {
  const dayOfMonth = fields[DAY_OF_MONTH]!;
  const dayOfWeek = fields[DAY_OF_WEEK]!;
  const either = !dayOfMonth.star && !dayOfWeek.star;
  const isAnyDay = either && [DAY_OF_MONTH, DAY_OF_WEEK].some((index) => isFull(fields[index]!, index));
  const texts = fields.map((field, index) => {
    const isDay = index === DAY_OF_MONTH || index === DAY_OF_WEEK;
    if (isDay && (isAnyDay || (either && field.empty && dayOfMonth.empty !== dayOfWeek.empty))) return '*';
    return plainField(field, isDay, either);
  });
  return texts.includes('') ? NEVER : texts.join(' ');
}

function isFull({ allowed }: Field, index: number): boolean {
  return allowed.subarray(BOUNDS[index]!.min).every((is) => is === 1);
}

function plainField({ star, ranges, allowed }: Field, isDay: boolean, either: boolean): string {
  const [first] = ranges;
  if (star) return !isDay && ranges.length === 1 && STEPS.test(first!.text) ? first!.text : '*';
  const text = ranges.map((range) => plainRange(range, isDay && either)).join(',');
  return text.length <= MAX_FIELD ? text : runsOf(allowed);
}

function plainRange({ text, star, start, last, step }: Range, isStarless: boolean): string {
  if (step > last - start) return PLAIN_VALUE.test(text) ? text : String(start);
  if ((star ? STEPS : RANGE).test(text) && !(star && isStarless)) return text;
  const range = star && !isStarless ? '*' : `${start}-${last}`;
  return step === 1 ? range : `${range}/${step}`;
}

/** The values of a field as ranges. */
function runsOf(allowed: Uint8Array): string {
  const runs: string[] = [];
  for (let value = 0; value < allowed.length; value++) {
    if (allowed[value] !== 1) continue;
    const start = value;
    while (allowed[value + 1] === 1) value++;
    runs.push(value === start ? String(start) : `${start}-${value}`);
  }
  return runs.join(',');
}
