import type { Instant } from '../lib/clock.ts';

/** A time zone of the IANA database. */
export interface TimeZone {
  /** Local time minus UTC at an instant, in ms. */
  offsetAt(at: Instant): number;
}

const DAY_MS = 86_400_000;
/** Days whose offset is remembered per zone: a schedule asks again and again for the days around now. */
const MAX_DAYS = 4_000;

const UTC: TimeZone = { offsetAt: () => 0 };
/** There are some 600 zones, but no end of names that are none. */
const MAX_NAMES = 2_000;
const known = new Map<string, TimeZone | undefined>();

/** The zones of a release of the IANA database. */
export type ZoneData = (name: string) => TimeZone | undefined;

/**
 * The zone of a name as Go's time.LoadLocation knows it, or undefined. `Local` is the controller manager's own zone:
 * the bridge cannot know it and takes UTC, as in every usual image. `Factory` is in Go's database but not in ICU's.
 */
export function timeZone(name: string): TimeZone | undefined {
  if (name === '' || name === 'UTC' || name === 'Local' || name === 'Factory') return UTC;
  if (known.has(name)) return known.get(name);
  if (known.size >= MAX_NAMES) known.clear();
  const zone = load(name);
  known.set(name, zone);
  return zone;
}

const FIXED = /^(?:Etc\/.+|UTC|UCT|GMT.*|Greenwich|Universal|Zulu|Factory|EST|MST|HST)?$/;

/** True when no release of the database can change the zone: it belongs to no place. */
export function isFixedZone(name: string): boolean {
  return FIXED.test(name);
}

function load(name: string): TimeZone | undefined {
  if (!/^[A-Za-z]/.test(name)) return undefined;
  try {
    const format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' });
    const { timeZone: resolved } = format.resolvedOptions();
    // Names are file names for Go: it does not know europe/berlin.
    if (resolved !== name && resolved.toLowerCase() === name.toLowerCase()) return undefined;
    return cached((at) => readOffset(format.format(at)));
  } catch {
    return undefined;
  }
}

/** Where a day begins and ends with the same offset it had it all day; only days of a change are looked up exactly. */
function cached(read: (at: Instant) => number): TimeZone {
  const days = new Map<number, number>();
  const dayOffset = (day: number): number => {
    const before = days.get(day);
    if (before !== undefined) return before;
    if (days.size >= MAX_DAYS) days.clear();
    const offset = read(day * DAY_MS);
    days.set(day, offset);
    return offset;
  };
  return {
    offsetAt(at) {
      const day = Math.floor(at / DAY_MS);
      const offset = dayOffset(day);
      return offset === dayOffset(day + 1) ? offset : read(at);
    },
  };
}

/** Ms from text that ends in GMT, GMT+05:30 or GMT-00:44:30. */
function readOffset(text: string): number {
  const match = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(text);
  const [, sign, hours = '0', minutes = '0', seconds = '0'] = match ?? [];
  const offset = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
  return sign === '-' ? -offset : offset;
}
