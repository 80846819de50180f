import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { monitorSchema } from '../../test/vendors/cronitor-rules.ts';
import { plainSchedule } from './plain-schedule.ts';
import { parseSchedule } from './schedule.ts';

const T0 = Date.UTC(2026, 0, 5, 10);
const UTC = { timeZone: 'UTC' };

/** The next instants of a schedule. */
function due(text: string, zone: string | undefined, count = 12): (number | undefined)[] {
  const schedule = parseSchedule(text, zone);
  if ('error' in schedule) throw new Error(schedule.error);
  const all: (number | undefined)[] = [schedule.next(T0)];
  while (all.length < count && all.at(-1) !== undefined) all.push(schedule.next(all.at(-1)!));
  return all;
}

describe('a schedule as vendors read it', () => {
  it.each([
    ['0 9 * * *', '0 9 * * *'],
    ['*/5 08-18 1,15 jan-MAR Mon-fri', '*/5 08-18 1,15 jan-MAR Mon-fri'],
    ['0-30/5 * * * *', '0-30/5 * * * *'],
    [' 0\t9  * *\n*\n', '0 9 * * *'],
    ['0\u00a09\u3000* * *', '0 9 * * *'],
    ['@daily', '@daily'],
    ['*/+5 +5 * * *', '*/5 5 * * *'],
    ['1,,2 , * * *', '0 0 30 2 *'],
    ['1,,2, 3 * * *', '1,2 3 * * *'],
    ['? ? ? * ?', '* * * * *'],
    ['*/1 * */1 * *', '*/1 * * * *'],
    ['*-5 */100 * * *', '* 0 * * *'],
    ['5/15 0 * * *', '5-59/15 0 * * *'],
    ['5/1 0-0 * * *', '5-59 0 * * *'],
    ['*,7 0 * * *', '* 0 * * *'],
    ['0 0 */2 * 1', '0 0 1-31/2 * 1'],
    ['0 0 */2 * *', '0 0 */2 * *'],
    ['0 0 1-31 * 1', '0 0 * * *'],
    ['0 0 , * 1', '0 0 * * 1'],
    ['0 0 1 * ,', '0 0 1 * *'],
    ['0 0 , * *', '0 0 30 2 *'],
    ['0 0 , * ,', '0 0 30 2 *'],
    [', * * * *', '0 0 30 2 *'],
    ['0 0 31 2 *', '0 0 31 2 *'],
    [
      `${Array.from({ length: 60 }, (_, minute) => minute)
        .filter((minute) => minute !== 7)
        .join(',')} * * * *`,
      '0-6,8-59 * * * *',
    ],
    ['@every 1h30m', '@every 1h30m'],
    ['@every 500ms', '@every 1s'],
    ['@every -5m', '@every 1s'],
    ['@every 0', '@every 1s'],
    ['@every 1.5h', '@every 5400s'],
    ['@every 0h5m', '@every 300s'],
  ])('%o is %o', (text, schedule) => {
    expect(plainSchedule(text, undefined)).toMatchObject({ schedule, ...UTC });
  });

  it.each([
    ['0 3 * * *', undefined, '0 3 * * *', 'UTC'],
    ['0 3 * * *', 'Asia/Kathmandu', '0 3 * * *', 'Asia/Kathmandu'],
    ['CRON_TZ=Asia/Kathmandu 45 5 * * 1-5', undefined, '45 5 * * 1-5', 'Asia/Kathmandu'],
    ['TZ=Etc/GMT+5 0 3 * * *', 'Europe/Paris', '0 3 * * *', 'Etc/GMT+5'],
    ['TZ=Europe/Berlin   @daily ', undefined, '@daily', 'Europe/Berlin'],
    ['CRON_TZ=Europe/Berlin @every 5m', 'Europe/Paris', '@every 5m', 'Europe/Berlin'],
    ['TZ= 0 3 * * *', undefined, '0 3 * * *', 'UTC'],
    [' @daily\n', 'Europe/Paris', '@daily', 'Europe/Paris'],
  ])('%o beside %o is %o in %s', (text, zone, schedule, timeZone) => {
    expect(plainSchedule(text, zone)).toEqual({ schedule, timeZone });
  });

  it.each([
    ['TZ=Local 0 3 * * *', undefined, { schedule: '0 3 * * *', ...UTC, doubt: expect.stringContaining('Local') }],
    ['0 3 * * *', 'Factory', { schedule: '0 3 * * *', ...UTC }],
    ['0 0 31 2 *', undefined, { schedule: '0 0 31 2 *', ...UTC, doubt: 'it is never due' }],
    [', * * * *', 'Europe/Paris', { timeZone: 'Europe/Paris', doubt: 'it is never due' }],
    [' H 9 * * * ', undefined, { schedule: 'H 9 * * *', ...UTC, doubt: expect.stringContaining('cannot be read') }],
    ['', undefined, { schedule: '', ...UTC, doubt: expect.stringContaining('cannot be read') }],
    ['0 9 * * *', 'Mars/Base', { schedule: '0 9 * * *', timeZone: 'Mars/Base', doubt: expect.any(String) }],
    ['TZ=Mars/Base 0 9 * * *', undefined, { schedule: '0 9 * * *', timeZone: 'Mars/Base', doubt: expect.any(String) }],
    ['TZ=Mars/Base', undefined, { schedule: 'TZ=Mars/Base', ...UTC, doubt: expect.any(String) }],
  ])('%o beside %o says why it may differ', (text, zone, expected) => {
    expect(plainSchedule(text, zone)).toMatchObject(expected);
  });

  const number = (min: number, max: number) =>
    fc.tuple(fc.constantFrom('', '', '0', '+'), fc.integer({ min, max })).map(([sign, value]) => `${sign}${value}`);
  const field = (min: number, max: number) => {
    const ends = fc
      .tuple(number(min, max), number(min, max))
      .map((pair) => pair.toSorted((a, b) => Number(a) - Number(b)));
    const range = fc.oneof(
      number(min, max),
      ends.map((pair) => pair.join('-')),
      fc.constantFrom('*', '?', '*-3', ''),
    );
    const step = fc.oneof(fc.constant(''), fc.constantFrom('/1', '/2', '/+7', '/03', '/70'));
    const item = fc.tuple(range, step).map(([text, by]) => (text === '' ? '' : text + by));
    return fc.array(item, { minLength: 1, maxLength: 4 }).map((items) => items.join(',') || ',');
  };
  const fields = [field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 6)] as const;

  it('is due at the same instants, in a form that anyone reads, whatever Kubernetes takes', () => {
    const zones = fc.constantFrom(undefined, 'UTC', 'Europe/Berlin', 'Asia/Kathmandu');
    fc.assert(
      fc.property(fc.tuple(...fields), zones, fc.constantFrom(' ', '\t', '  \n'), (given, zone, space) => {
        const text = given.join(space);
        const { schedule, timeZone } = plainSchedule(text, zone);
        expect(due(schedule, timeZone, 6)).toEqual(due(text, zone, 6));
        const item = String.raw`(\d+|[a-zA-Z]{3})(-(\d+|[a-zA-Z]{3})(/\d+)?)?`;
        const plain = String.raw`(\*(/\d+)?|${item}|\*/\d+)(,(${item}|\*/\d+))*`;
        expect(schedule).toMatch(new RegExp(`^${plain}( ${plain}){4}$`));
        // A day field that begins with a star is "any day" to some readers, and none of two to Kubernetes.
        const days = schedule.split(' ').filter((_, index) => index === 2 || index === 4);
        expect(days.includes('*') || !days.join(' ').includes('*')).toBe(true);
        const monitor = { key: 'k', type: 'job', schedule, timezone: timeZone };
        expect(monitorSchema.safeParse(monitor).error?.issues).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });
});
