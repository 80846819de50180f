import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Schedule } from './schedule.ts';
import { isInstantOf, parseSchedule, parseScheduleWith } from './schedule.ts';

interface Row {
  readonly schedule: string;
  readonly timeZone?: string;
  readonly after?: string;
  readonly next?: readonly string[];
  readonly end?: boolean;
  readonly error?: boolean;
}

const table = JSON.parse(
  readFileSync(new URL('../../test/fixtures/schedule/table.json', import.meta.url), 'utf8'),
) as readonly Row[];

/** The same row with our own answers. */
function ask({ schedule, timeZone, after, next: expected = [] }: Row): Row {
  const parsed = parseSchedule(schedule, timeZone);
  const asked = { schedule, ...(timeZone !== undefined && { timeZone }) };
  if ('error' in parsed) return { ...asked, error: true };
  const next: string[] = [];
  let at = parsed.next(Date.parse(after ?? ''));
  for (; at !== undefined && next.length < expected.length; at = parsed.next(at)) {
    next.push(new Date(at).toISOString().replace('.000Z', 'Z'));
  }
  const answers = { ...(next.length > 0 && { next }), ...(at === undefined && { end: true }) };
  return { ...asked, ...(after !== undefined && { after }), ...answers };
}

function valid(text: string, zone: string): Schedule {
  const parsed = parseSchedule(text, zone);
  if ('error' in parsed) throw new Error(parsed.error);
  return parsed;
}

describe('a schedule', () => {
  it('is due exactly when the Go module says, in every zone and around every change of the clock', () => {
    expect(table.length).toBeGreaterThan(900);
    expect(table.map(ask)).toEqual(table);
  });

  it('leaps to the next day that can match: minute by minute, this would not end in time', () => {
    const schedule = valid('0 3 29 2 *', 'Europe/Berlin');
    const due = Array.from({ length: 1_000 }, (_, n) => schedule.next(Date.UTC(2025, 2, 1) + n * 60_000));
    expect(new Set(due)).toEqual(new Set([Date.UTC(2028, 1, 29, 2)]));
  });

  it('goes on where a zone left out a whole day', () => {
    const schedule = valid('0 0 1 * *', 'Pacific/Apia');
    expect(schedule.next(Date.parse('2011-12-30T09:30:00Z'))).toBe(Date.parse('2011-12-31T10:00:00Z'));
  });

  it('goes on where a clock is set back in the middle of an hour, to which the Go module comes back', () => {
    const change = Date.parse('2026-09-20T01:00:00Z');
    const zone = { offsetAt: (at: number) => (at < change ? 90 : 30) * 60_000 };
    const schedule = parseScheduleWith(() => zone, '30 2 * * 0', 'Africa/Casablanca');
    if ('error' in schedule) throw new Error(schedule.error);
    const times = [Date.parse('2026-09-19T12:00:00Z')];
    for (let n = 0; n < 3; n++) times.push(schedule.next(times.at(-1)!)!);
    expect(times.map((at) => new Date(at).toISOString().slice(5, 16)).slice(1)).toEqual([
      '09-20T01:00',
      '09-27T02:00',
      '10-04T02:00',
    ]);
    expect(times.slice(1).map((at) => isInstantOf(schedule, at))).toEqual([true, true, true]);
    expect(isInstantOf(schedule, change + 60_000)).toBe(false);
  });

  it('says why it cannot be read', () => {
    expect(parseSchedule('61 * * * *')).toEqual({ error: 'out of range: 61' });
    expect(parseSchedule('* * * * *', 'Nowhere/Else')).toEqual({ error: 'unknown time zone: Nowhere/Else' });
  });
});
