import { describe, expect, it } from 'vitest';
import { expectationAfter } from './schedule-exact.ts';
import type { SentrySchedule } from './schedule.ts';
import { lastDue, nextDue, readSchedule } from './schedule.ts';

const at = (text: string): number => Date.parse(text);
const iso = (instant: number | undefined): string | undefined =>
  instant === undefined ? undefined : new Date(instant).toISOString().slice(0, 16);

function read(schedule: string, timeZone?: string): SentrySchedule {
  const reading = readSchedule({ schedule, timeZone });
  if ('refused' in reading) throw new Error(reading.refused);
  return reading.schedule;
}

describe('a schedule', () => {
  it.each([
    ['@midnight', '0 0 * * *'],
    ['@annually', '0 0 1 1 *'],
    ['5/15 * ? * *', '5-59/15 * * * *'],
    ['0-59/5 0-23 * * *', '0-59/5 * * * *'],
    // Either day field in Kubernetes; by the star it would be both in Sentry.
    ['0 2 */2 * 1', '0 2 1-31/2 * 1'],
    ['0 2 13 * */7', '0 2 13 * 0'],
    ['0 2 1,* * 1', '0 2 * * 1'],
  ])('is given to Sentry in fields that it reads alike: %s', (given, value) => {
    expect(read(given)).toEqual({ type: 'crontab', value, timezone: 'UTC' });
  });

  it('is in the zone that it names itself, then in the one beside it', () => {
    expect(read('CRON_TZ=Asia/Tokyo 0 3 * * *', undefined).timezone).toBe('Asia/Tokyo');
    expect(read('0 3 * * *', 'Europe/Berlin').timezone).toBe('Europe/Berlin');
  });

  it.each([
    ['@every 90m', 90, 'minute'],
    ['@every 1h', 1, 'hour'],
    ['@every 48h', 2, 'day'],
  ])('%s is an interval, in UTC where no hour is left out', (given, value, unit) => {
    expect(read(given)).toEqual({ type: 'interval', value, unit, timezone: 'UTC' });
  });

  it.each([
    ['@every 90s', /whole minutes/],
    ['0 0 30 2 *', /never due/],
    ['every day', /cannot read/],
  ])('%s is refused, with the reason', (schedule, why) => {
    expect(readSchedule({ schedule })).toEqual({ refused: expect.stringMatching(why) });
  });

  it('in the zone of the control plane is taken for UTC, which is said', () => {
    expect(readSchedule({ schedule: 'TZ=Local 0 3 * * *' })).toMatchObject({ doubt: expect.stringContaining('UTC') });
  });

  it('counts an interval from an instant of its own', () => {
    const times = { schedule: '@every 90m', anchor: at('2027-01-01T00:10:00Z') };
    expect(iso(nextDue(times, at('2027-01-01T03:00:00Z')))).toBe('2027-01-01T03:10');
  });

  it('is next due after the run before, also weeks after the clock was set by half an hour', () => {
    // From Sunday the 4th of April at +11:00 Kubernetes counts in days to 00:30 at +10:30, and so leaves out the 11th.
    const times = { schedule: '@weekly', timeZone: 'Australia/Lord_Howe', anchor: at('2027-04-03T13:00:00Z') };
    expect(iso(nextDue(times, at('2027-04-10T13:15:00Z')))).toBe('2027-04-17T13:30');
    const { margin } = expectationAfter(times, read('@weekly', times.timeZone), 5, at('2027-04-10T13:15:00Z'));
    expect(margin).toBe(7 * 24 * 60 + 5);
  });

  it('was last due at the instant before', () => {
    const yearly = { schedule: '30 2 29 2 *', timeZone: 'Europe/Berlin' };
    expect(iso(lastDue(yearly, at('2027-01-01T00:00:00Z')))).toBe('2024-02-29T01:30');
    expect(iso(lastDue({ schedule: '* * * * *' }, at('2027-01-01T00:00:30Z')))).toBe('2027-01-01T00:00');
    expect(lastDue({ schedule: '0 0 30 2 *' }, at('2027-01-01T00:00:00Z'))).toBeUndefined();
  });
});

describe('what Sentry is to expect after a check-in', () => {
  const times = { schedule: '30 2 * * *', timeZone: 'Europe/Berlin' };
  const plain = read(times.schedule, times.timeZone);
  const after = (from: string) => expectationAfter(times, plain, 5, at(from));

  it('is the schedule as it stands, on a usual day', () => {
    expect(after('2027-03-26T01:30:04Z')).toEqual({ schedule: plain, margin: 5 });
  });

  it('has a margin up to the next real run before a time that the zone leaves out, and the usual one after it', () => {
    // Sentry expects one at 03:00 on the 28th; Kubernetes has the next at 02:30 on the 29th.
    expect(after('2027-03-27T01:30:04Z')).toEqual({ schedule: plain, margin: 23 * 60 + 30 + 5 });
    expect(after('2027-03-29T00:30:04Z')).toEqual({ schedule: plain, margin: 5 });
  });

  it('is in the offset that follows between two times with the same hands', () => {
    expect(after('2027-10-31T00:30:04Z').schedule).toEqual({ ...plain, timezone: 'Etc/GMT-1' });
    expect(after('2027-10-31T01:30:04Z').schedule).toEqual(plain);
  });

  it('names the one next time where that offset has no name', () => {
    const adelaide = { schedule: '30 2 * * *', timeZone: 'Australia/Adelaide' };
    const { schedule } = expectationAfter(
      adelaide,
      read('30 2 * * *', adelaide.timeZone),
      5,
      at('2027-04-03T16:00:04Z'),
    );
    expect(schedule).toEqual({ type: 'crontab', value: '0 17 3 4 *', timezone: 'UTC' });
  });

  it('is the one next time where an interval would be counted from the end of a run', () => {
    const every = { schedule: '@every 1h', anchor: at('2027-01-01T00:10:00Z') };
    const { schedule } = expectationAfter(every, read('@every 1h'), 5, at('2027-01-01T00:40:00Z'));
    expect(schedule).toEqual({ type: 'crontab', value: '10 1 1 1 *', timezone: 'UTC' });
    expect(expectationAfter(every, read('@every 1h'), 5, at('2027-01-01T00:10:03Z')).schedule.type).toBe('interval');
  });
});
