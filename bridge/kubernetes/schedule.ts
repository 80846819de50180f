import type { Instant } from '../lib/clock.ts';
import { isInstant } from './fields.ts';
import { parseGoDuration } from './go-duration.ts';
import type { Field } from './schedule-fields.ts';
import { parseFields, ScheduleError } from './schedule-fields.ts';
import type { TimeZone, ZoneData } from './time-zone.ts';
import { timeZone } from './time-zone.ts';

/** When a CronJob is due. */
export interface Schedule {
  /** The step of an `@every` schedule in ms: only it depends on where one begins to count. */
  readonly everyMs?: number;
  /** The name of its time zone; absent when that is the control plane's own, for which UTC is taken. */
  readonly zone?: string;
  /** The first scheduled instant later than `after`; undefined when there is none within five years. */
  next(after: Instant): Instant | undefined;
}

/** What these names mean; `@every` is none of them. */
export const DESCRIPTORS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};
export const EVERY = '@every ';
/** What Go's unicode.IsSpace takes for space. */
const SPACE = '[\\t-\\r \\u0085\\u00A0\\u1680\\u2000-\\u200A\\u2028\\u2029\\u202F\\u205F\\u3000]+';
const SPACES = new RegExp(SPACE, 'u');
const ENDS = new RegExp(`^${SPACE}|${SPACE}$`, 'gu');

/**
 * The schedule of `spec.schedule` and `spec.timeZone`, by the rules of the CronJob controller: robfig/cron v3's
 * ParseStandard, a zone in the text (`TZ=`, `CRON_TZ=`) before the one beside it. Never throws.
 */
export function parseSchedule(text: string, zone?: string): Parsed {
  const key = JSON.stringify([text, zone]);
  const known = parsed.get(key);
  if (known !== undefined) return known;
  if (parsed.size >= MAX_PARSED) parsed.clear();
  const schedule = parseScheduleWith(timeZone, text, zone);
  parsed.set(key, schedule);
  return schedule;
}

type Parsed = Schedule | { readonly error: string };
/** A schedule is asked for at each record of its CronJob, and mostly they are few. */
const MAX_PARSED = 2_000;
const parsed = new Map<string, Parsed>();

/** The same by other zone data than the bridge's. */
export function parseScheduleWith(zones: ZoneData, text: string, zone?: string): Parsed {
  if (zone !== undefined && zones(zone) === undefined) return { error: `unknown time zone: ${zone}` };
  try {
    return parse(withZone(text, zone), zones);
  } catch (error) {
    if (error instanceof ScheduleError) return { error: error.message };
    throw error;
  }
}

/** The text that the controller parses: `spec.timeZone` counts only where the schedule names no zone. */
export function withZone(text: string, zone: string | undefined): string {
  return zone === undefined || text.includes('TZ') ? text : `TZ=${zone} ${text}`;
}

/** The parts of a schedule between white space. */
export function partsOf(text: string): string[] {
  return text.split(SPACES).filter((part) => part !== '');
}

/** True when `at` is one of the schedule's instants. */
export function isInstantOf(schedule: Schedule, at: Instant): boolean {
  if (schedule.next(at - 1) === at) return true;
  // Around a change of the clock the instants depend on where one begins to count.
  let instant = schedule.next(at - 2 * HOUR_MS);
  while (instant !== undefined && instant < at) instant = schedule.next(instant);
  return instant === at;
}

function parse(text: string, zones: ZoneData): Schedule {
  const { name, rest } = splitZone(text);
  const zone = zones(name);
  if (zone === undefined) throw new ScheduleError(`unknown time zone: ${text}`);
  if (rest.startsWith(EVERY)) return every(rest.slice(EVERY.length));
  const fields = Object.hasOwn(DESCRIPTORS, rest) ? DESCRIPTORS[rest]! : rest;
  if (fields.startsWith('@')) throw new ScheduleError(`unrecognized descriptor: ${rest}`);
  const [minute, hour, dayOfMonth, month, dayOfWeek] = parseFields(partsOf(fields));
  const spec = { minute: minute!, hour: hour!, dayOfMonth: dayOfMonth!, month: month!, dayOfWeek: dayOfWeek! };
  return {
    ...(rest !== text && name !== 'Local' && { zone: name }),
    next: (after) => nextOf(spec, zone, after),
  };
}

/** The zone that a schedule begins with, UTC without one, and what follows it; throws a ScheduleError if nothing does. */
export function splitZone(text: string): { readonly name: string; readonly rest: string } {
  const prefix = /^(?:CRON_)?TZ=/.exec(text)?.[0];
  if (prefix === undefined) return { name: 'UTC', rest: text };
  const space = text.indexOf(' ');
  if (space < 0) throw new ScheduleError(`unknown time zone: ${text}`);
  return { name: text.slice(prefix.length, space), rest: text.slice(space).replaceAll(ENDS, '') };
}

/** From the last instant on, in whole seconds: the clock's hands do not matter. */
function every(text: string): Schedule {
  const nanoseconds = parseGoDuration(text);
  if (nanoseconds === undefined) throw new ScheduleError(`no duration: ${text}`);
  const delay = Math.max(1, Number(nanoseconds / 1_000_000_000n)) * 1000;
  const next = (after: Instant): Instant => Math.floor(after / 1000) * 1000 + delay;
  return { everyMs: delay, next: (after) => (isInstant(after) ? next(after) : undefined) };
}

interface Spec {
  readonly minute: Field;
  readonly hour: Field;
  readonly dayOfMonth: Field;
  readonly month: Field;
  readonly dayOfWeek: Field;
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const MAX_YEARS = 5;

/**
 * The first instant of a schedule after `after`. Where the clock is set back in the middle of an hour, the Go module
 * may come back to where it began; this one goes on an hour later.
 */
function nextOf(spec: Spec, zone: TimeZone, after: Instant): Instant | undefined {
  let at = searchFrom(spec, zone, after);
  for (let from = after; at !== undefined && at <= after; at = searchFrom(spec, zone, from)) from += HOUR_MS;
  return at;
}

/**
 * SpecSchedule.Next, step by step: its behaviour in the hours that a zone leaves out or repeats comes from these very
 * steps. A field that does not match is raised until it does; when it wraps around, everything is checked again. No
 * field of a time that is none (NaN) is 0 in a list of what is allowed: the loops end there, and so does the search.
 */
function searchFrom(spec: Spec, zone: TimeZone, after: Instant): Instant | undefined {
  if (spec.minute.empty || spec.hour.empty || spec.month.empty || !isInstant(after)) return undefined;
  const time = new ZonedTime(zone, Math.floor(after / SECOND_MS) * SECOND_MS + SECOND_MS);
  const yearLimit = time.local.getUTCFullYear() + MAX_YEARS;
  // Once a field was raised, those below it begin at their lowest value.
  let raised = false;
  const reset = (at: () => void): void => {
    if (!raised) at();
    raised = true;
  };
  while (time.local.getUTCFullYear() <= yearLimit) {
    const wrapped = nextMonth(spec, time, reset) || nextDay(spec, time, reset) || nextMinute(spec, time, reset);
    if (!wrapped) return isInstant(time.at) ? time.at : undefined;
  }
  return undefined;
}

/** Runs its argument only if no field was raised before. */
type Reset = (at: () => void) => void;

function nextMonth({ month }: Spec, time: ZonedTime, reset: Reset): boolean {
  while (month.allowed[time.local.getUTCMonth() + 1] === 0) {
    const { local } = time;
    reset(() => time.set(Date.UTC(local.getUTCFullYear(), local.getUTCMonth(), 1)));
    time.addDate(1, 0);
    if (time.local.getUTCMonth() === 0) return true;
  }
  return false;
}

function nextDay(spec: Spec, time: ZonedTime, reset: Reset): boolean {
  while (!dayMatches(spec, time.local)) {
    reset(() => time.set(time.localMidnight()));
    const before = time.at;
    time.addDate(0, 1);
    // Where a zone leaves out a whole day, the Go module never returns; this one goes on with the next.
    if (time.at <= before) time.add(before - time.at + 24 * HOUR_MS);
    // Where a change of the clock leaves midnight out.
    const hour = time.local.getUTCHours();
    if (hour !== 0) time.add((hour > 12 ? 24 - hour : -hour) * HOUR_MS);
    if (time.local.getUTCDate() === 1) return true;
  }
  return false;
}

function nextMinute({ hour, minute }: Spec, time: ZonedTime, reset: Reset): boolean {
  while (hour.allowed[time.local.getUTCHours()] === 0) {
    reset(() => time.set(time.localMidnight() + time.local.getUTCHours() * HOUR_MS));
    time.add(HOUR_MS);
    if (time.local.getUTCHours() === 0) return true;
  }
  while (minute.allowed[time.local.getUTCMinutes()] === 0) {
    reset(() => time.add(-(time.at % MINUTE_MS)));
    time.add(MINUTE_MS);
    if (time.local.getUTCMinutes() === 0) return true;
  }
  const seconds = time.local.getUTCSeconds();
  if (seconds === 0) return false;
  reset(() => undefined);
  time.add(MINUTE_MS - seconds * SECOND_MS);
  return true;
}

/** Either day field may match, unless one of them is a star: then both must. */
function dayMatches({ dayOfMonth, dayOfWeek }: Spec, local: Date): boolean {
  const dom = dayOfMonth.allowed[local.getUTCDate()] !== 0;
  const dow = dayOfWeek.allowed[local.getUTCDay()] !== 0;
  return dayOfMonth.star || dayOfWeek.star ? dom && dow : dom || dow;
}

/** An instant with its local fields, which are the UTC fields of `local`; changes as Go's time.Time does. */
class ZonedTime {
  readonly #zone: TimeZone;
  at: Instant;
  local: Date;

  constructor(zone: TimeZone, at: Instant) {
    this.#zone = zone;
    this.at = at;
    this.local = new Date(at + zone.offsetAt(at));
  }

  add(ms: number): void {
    this.at += ms;
    this.local = new Date(this.at + this.#zone.offsetAt(this.at));
  }

  /** time.Date: of a local time that does not exist or exists twice, the same one that Go takes. */
  set(local: number): void {
    const offset = this.#zone.offsetAt(local);
    const at = offset === 0 ? local : local - this.#zone.offsetAt(local - offset);
    this.add(at - this.at);
  }

  /** time.AddDate: the clock's hands stay. */
  addDate(months: number, days: number): void {
    const local = new Date(this.local);
    local.setUTCMonth(local.getUTCMonth() + months, local.getUTCDate() + days);
    this.set(local.getTime());
  }

  localMidnight(): number {
    return Math.floor(this.local.getTime() / (24 * HOUR_MS)) * 24 * HOUR_MS;
  }
}
