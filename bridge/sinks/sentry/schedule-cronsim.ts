import type { Field } from '../../kubernetes/schedule-fields.ts';
import { parseFields } from '../../kubernetes/schedule-fields.ts';
import type { TimeZone } from '../../kubernetes/time-zone.ts';
import type { Instant } from '../../lib/clock.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const MAX_YEARS = 50;

/** A local time: its hands as ms of UTC, and whether it is the second of two with the same hands. */
interface Wall {
  readonly at: number;
  readonly second: boolean;
}

interface Crontab {
  readonly minute: Field;
  readonly hour: Field;
  readonly day: Field;
  readonly month: Field;
  readonly weekday: Field;
  /** Both day fields must match, as Debian's cron has it: by how they are written. */
  readonly bothDays: boolean;
  /** It runs at set times of the day: then a time that a zone leaves out is the first that exists after it. */
  readonly isSetTime: boolean;
  readonly zone: TimeZone;
}

/**
 * The first instant after `after` at which Sentry expects a check-in of a crontab of five fields: what the Python package
 * cronsim 2.8 gives, step by step. Its rules are those of Debian's cron, which differ from those of Kubernetes around
 * changes of the clock. `scripts/cronsim-oracle.ts` compares the two.
 */
export function cronsimNext(crontab: string, zone: TimeZone, after: Instant): Instant | undefined {
  const parts = crontab.split(' ');
  const [minute, hour, day, month, weekday] = parseFields(parts);
  const starts = parts.map((part) => part.startsWith('*'));
  const spec: Crontab = {
    minute: minute!,
    hour: hour!,
    day: day!,
    month: month!,
    weekday: weekday!,
    bothDays: starts[2]! || starts[4]!,
    isSetTime: !starts[0]! && !starts[1]!,
    zone,
  };
  const from = Math.floor(after / SECOND_MS) * SECOND_MS;
  return spec.isSetTime ? nextSetTime(spec, from) : nextStep(spec, from);
}

/** By the hands of a clock that knows no change. */
function nextSetTime(spec: Crontab, from: Instant): Instant | undefined {
  const hands = new Search(spec, { at: from + spec.zone.offsetAt(from), second: false }, (wall, ms) => {
    return { at: wall.at + ms, second: false };
  }).next();
  if (hands === undefined) return undefined;
  let at = hands;
  while (!exists(spec.zone, at)) at += MINUTE_MS;
  return instantOf(spec.zone, { at, second: false });
}

/** By instants, each looked at on the clock. */
function nextStep(spec: Crontab, from: Instant): Instant | undefined {
  const { zone } = spec;
  const search = new Search(spec, wallOf(zone, from), (wall, ms) => wallOf(zone, instantOf(zone, wall) + ms));
  return search.next() === undefined ? undefined : instantOf(zone, search.wall);
}

/** A field that does not match is raised until it does, or wraps around: then everything is checked again. */
class Search {
  readonly #spec: Crontab;
  readonly #tick: (wall: Wall, ms: number) => Wall;
  wall: Wall;

  constructor(spec: Crontab, wall: Wall, tick: (wall: Wall, ms: number) => Wall) {
    this.#spec = spec;
    this.#tick = tick;
    this.wall = tick(wall, SECOND_MS);
  }

  /** The hands of the next match; undefined where there is none within fifty years. */
  next(): number | undefined {
    const lastYear = this.#local().getUTCFullYear() + MAX_YEARS;
    for (;;) {
      this.#month();
      if (this.#local().getUTCFullYear() > lastYear) return undefined;
      if (!this.#day() && !this.#hour() && !this.#minute() && !this.#second()) return this.wall.at;
    }
  }

  #local(): Date {
    return new Date(this.wall.at);
  }

  #tickBy(ms: number): void {
    this.wall = this.#tick(this.wall, ms);
  }

  #month(): void {
    const local = this.#local();
    const { allowed } = this.#spec.month;
    if (allowed[local.getUTCMonth() + 1] !== 0) return;
    local.setUTCHours(0, 0, 0, 0);
    do local.setUTCMonth(local.getUTCMonth() + 1, 1);
    while (allowed[local.getUTCMonth() + 1] === 0);
    this.wall = { at: local.getTime(), second: false };
  }

  #day(): boolean {
    let day = Math.floor(this.wall.at / DAY_MS) * DAY_MS;
    if (this.#matches(day)) return false;
    do day += DAY_MS;
    while (!this.#matches(day) && new Date(day).getUTCDate() !== 1);
    this.wall = { at: day, second: false };
    return true;
  }

  #matches(day: number): boolean {
    const local = new Date(day);
    const dom = this.#spec.day.allowed[local.getUTCDate()] !== 0;
    const dow = this.#spec.weekday.allowed[local.getUTCDay()] !== 0;
    return this.#spec.bothDays ? dom && dow : dom || dow;
  }

  #hour(): boolean {
    const { allowed } = this.#spec.hour;
    if (allowed[this.#local().getUTCHours()] !== 0) return false;
    this.#floor(HOUR_MS);
    do this.#tickBy(HOUR_MS);
    while (allowed[this.#local().getUTCHours()] === 0 && this.#local().getUTCHours() !== 0);
    return true;
  }

  #minute(): boolean {
    const { allowed } = this.#spec.minute;
    const minute = this.#local().getUTCMinutes();
    if (allowed[minute] !== 0) return false;
    this.#floor(MINUTE_MS);
    const only = allowed.indexOf(1);
    // With one minute it leaps there, across a change of the clock too.
    if (allowed.lastIndexOf(1) === only) this.#tickBy(((only - minute + 60) % 60) * MINUTE_MS);
    while (allowed[this.#local().getUTCMinutes()] === 0) {
      this.#tickBy(MINUTE_MS);
      if (this.#local().getUTCMinutes() === 0) break;
    }
    return true;
  }

  #second(): boolean {
    const second = this.#local().getUTCSeconds();
    if (second === 0) return false;
    this.#tickBy((60 - second) * SECOND_MS);
    return true;
  }

  #floor(ms: number): void {
    this.wall = { at: Math.floor(this.wall.at / ms) * ms, second: this.wall.second };
  }
}

/** The instants that may have these hands: by the offset before and after a change of the clock, where there is one. */
function candidates(zone: TimeZone, at: number): readonly [Instant, Instant] {
  const before = zone.offsetAt(at - DAY_MS);
  const after = zone.offsetAt(at + DAY_MS);
  if (before === after) return [at - before, at - before];
  const isBefore = zone.offsetAt(at - before) === before;
  const isAfter = zone.offsetAt(at - after) === after;
  if (isBefore !== isAfter) {
    const only = isBefore ? at - before : at - after;
    return [only, only];
  }
  return [at - before, at - after];
}

/** PEP 495: hands that exist twice mean the first or the second, those that do not exist go by the offset before. */
function instantOf(zone: TimeZone, { at, second }: Wall): Instant {
  return candidates(zone, at)[second ? 1 : 0];
}

function wallOf(zone: TimeZone, instant: Instant): Wall {
  const at = instant + zone.offsetAt(instant);
  const [first, other] = candidates(zone, at);
  return { at, second: instant === other && first < other };
}

function exists(zone: TimeZone, at: number): boolean {
  const [first] = candidates(zone, at);
  return first + zone.offsetAt(first) === at;
}
