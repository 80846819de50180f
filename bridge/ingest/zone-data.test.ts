import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ownedBy, T0 } from '../../test/fixtures/facts.ts';
import { cronJobText } from '../commands/run-text.ts';
import type { CronJobFacts } from '../kubernetes/observation.ts';
import { at, CRON, cron, scheduled, TestEngine, uidOf } from './test-engine.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** 09:00 in Vancouver by the bridge's zone data, and what a cluster without its winter time makes of it. */
const OURS = Date.parse('2026-01-05T17:00:00Z');
const THEIRS = OURS - HOUR;

let engine: TestEngine;
beforeEach(() => (engine = new TestEngine()));
afterEach(() => engine.close());

const vancouver = (changes: Partial<CronJobFacts> = {}): CronJobFacts =>
  cron({ schedule: '0 9 * * *', timeZone: 'America/Vancouver', ...changes });
const ran = (time: number): CronJobFacts => vancouver({ lastScheduleAt: time });

function take(...facts: (CronJobFacts | ReturnType<typeof scheduled>)[]): void {
  for (const one of facts) engine.take([at(one, now)], now);
}

let now = T0;
beforeEach(() => (now = T0));

/** Records flow and ticks go up to a time. */
function until(time: number): void {
  for (; now < time; now += 15 * MINUTE) {
    engine.take([], now);
    engine.tick(now);
  }
  now = time;
  for (const after of [0, MINUTE, 2 * MINUTE]) {
    engine.take([], now + after);
    engine.tick(now + after);
  }
}

const missed = (): number[] =>
  engine.reader
    .runs({ limit: 100, status: 'missed' })
    .items.map(({ scheduledAt }) => scheduledAt!)
    .toReversed();
const reasons = (): string[] => engine.reader.unjudgedCounts().map(({ reason, count }) => `${count} ${reason}`);
const changes = (): string[] =>
  engine.store
    .take('unjudged')
    .map(({ reason, zone, over, others }) => `${over ? 'over' : 'begins'} ${reason} ${zone} ${others}`);
const explained = (): string => cronJobText(engine.reader.cronJob('shop', 'report')!);

describe('an instant of the cluster that our schedule does not have', () => {
  it.each([
    ['of the status', () => ran(THEIRS)],
    ['of a Job', () => scheduled({ scheduledAt: THEIRS })],
  ])('(%s) is said, and no run is missed until they agree again', (_name, record) => {
    take(vancouver());
    until(THEIRS + 1_000);
    take(record());
    expect(reasons()).toEqual(['1 zone_data_differ']);
    expect(changes()).toEqual(['begins zone_data_differ America/Vancouver 0']);
    expect(explained()).toMatch(
      /Missed runs are not judged\n.*2026-01-05T16:00:00.000Z is not a time of "0 9 \* \* \*"/,
    );
    until(T0 + 3 * DAY);
    expect(missed()).toEqual([]);
    until(OURS + 3 * DAY + 1_000);
    take(ran(OURS + 3 * DAY));
    expect(reasons()).toEqual([]);
    expect(changes()).toEqual(['over zone_data_differ America/Vancouver 0']);
    expect(explained()).not.toContain('not judged');
    until(OURS + 6 * DAY);
    expect(missed()).toEqual([OURS + 4 * DAY]);
  });

  it('is named once, however often it comes, and stays over a restart', () => {
    take(vancouver());
    for (let day = 0; day < 3; day++) {
      until(THEIRS + day * DAY + 1_000);
      take(scheduled({ uid: uidOf(day), scheduledAt: THEIRS + day * DAY }), ran(THEIRS + day * DAY));
      engine.restart();
    }
    until(THEIRS + 5 * DAY);
    expect(reasons()).toEqual(['1 zone_data_differ']);
    expect(missed()).toEqual([]);
  });

  it('begins again with another schedule or zone', () => {
    take(vancouver());
    until(THEIRS + 1_000);
    take(ran(THEIRS));
    take(vancouver({ timeZone: 'America/Denver', lastScheduleAt: THEIRS }));
    expect(reasons()).toEqual([]);
    until(T0 + 3 * DAY);
    expect(missed()).toEqual([THEIRS + DAY]);
  });

  it('is not said in a replay, which moves times away from the schedules and judges none', () => {
    engine.close();
    engine = new TestEngine({ engine: { scheduleTimers: false } });
    take(vancouver());
    take(ran(THEIRS));
    expect(reasons()).toEqual([]);
    expect(explained()).not.toContain('not judged');
  });

  it('is gone with the CronJob, and while it is suspended', () => {
    take(vancouver());
    until(THEIRS + 1_000);
    take(ran(THEIRS), vancouver({ lastScheduleAt: THEIRS, suspend: true }));
    expect(reasons()).toEqual([]);
    take(ran(THEIRS));
    expect(reasons()).toEqual(['1 zone_data_differ']);
    engine.take([at(ran(THEIRS), now, true)], now);
    expect(reasons()).toEqual([]);
  });

  it('says in the log how many other CronJobs of the zone have it too', () => {
    const other = { uid: '33333333-0000-4000-8000-000000000002', name: 'other' };
    take(vancouver(), vancouver(other));
    until(THEIRS + 1_000);
    take(ran(THEIRS), vancouver({ ...other, lastScheduleAt: THEIRS }));
    expect(changes()).toEqual([
      'begins zone_data_differ America/Vancouver 0',
      'begins zone_data_differ America/Vancouver 1',
    ]);
  });
});

describe('what proves nothing about zone data', () => {
  it.each<[string, () => Parameters<typeof take>]>([
    ['an instant from before first sight', () => [vancouver({ lastScheduleAt: T0 - HOUR })]],
    ['a Job that was restored with its annotation', () => [scheduled({ scheduledAt: T0 - DAY })]],
    ['a Job by hand', () => [scheduled({ scheduledAt: THEIRS, manual: true })]],
    [
      'a Job of another CronJob',
      () => [scheduled({ scheduledAt: THEIRS, owner: ownedBy({ ...CRON, uid: uidOf(9) }) })],
    ],
    ['seconds', () => [vancouver({ lastScheduleAt: THEIRS + 17_000 })]],
    ['an instant of the future', () => [scheduled({ scheduledAt: THEIRS + 30 * DAY })]],
    [
      '@every',
      () => [vancouver({ schedule: '@every 7h' }), vancouver({ schedule: '@every 7h', lastScheduleAt: THEIRS })],
    ],
    [
      'a run at once after a change of the schedule',
      () => [vancouver({ schedule: '30 7 * * *' }), vancouver({ schedule: '30 7 * * *', lastScheduleAt: THEIRS })],
    ],
    ['a schedule that cannot be read', () => [vancouver({ schedule: 'never', lastScheduleAt: THEIRS })]],
  ])('%s', (_name, records) => {
    take(vancouver());
    until(THEIRS + 1_000);
    take(...records());
    expect(reasons().filter((text) => text.includes('zone_data_differ'))).toEqual([]);
  });

  it('an older instant than one that was compared', () => {
    take(vancouver());
    until(OURS + 1_000);
    take(ran(OURS), scheduled({ scheduledAt: OURS }), scheduled({ uid: uidOf(5), scheduledAt: THEIRS }));
    expect(reasons()).toEqual([]);
  });
});

describe('a schedule that cannot be read, or a zone that is not known', () => {
  it.each([
    ['0 9 * * *', 'America/Atlantis', 'unknown time zone: America/Atlantis'],
    ['61 * * * *', undefined, 'out of range: 61'],
  ])('%s %s is said: its runs are not judged', (schedule, timeZone, why) => {
    take(cron({ schedule, timeZone }));
    expect(reasons()).toEqual(['1 schedule_unreadable']);
    expect(explained()).toContain(why);
  });

  it('is not said of the zone Factory, which is UTC in Go', () => {
    take(cron({ schedule: '0 11 * * *', timeZone: 'Factory' }));
    expect(reasons()).toEqual([]);
    until(T0 + 2 * HOUR);
    expect(missed()).toEqual([T0 + HOUR]);
  });
});

describe('a CronJob without a time zone', () => {
  it("says that the control plane's own is not UTC, and what to do", () => {
    take(cron({ schedule: '0 9 * * *' }));
    until(T0 + 4 * HOUR);
    take(cron({ schedule: '0 9 * * *', lastScheduleAt: T0 + 4 * HOUR }));
    expect(reasons()).toEqual(['1 zone_data_differ']);
    expect(explained()).toContain('set spec.timeZone');
    until(T0 + 3 * DAY);
    expect(missed()).toEqual([]);
  });

  it('is judged a minute later once a run has come in UTC', () => {
    take(cron({ schedule: '0 9 * * *', lastScheduleAt: T0 - HOUR }));
    until(T0 + 23 * HOUR + 5 * MINUTE);
    expect(missed()).toEqual([T0 + 23 * HOUR]);
  });
});

describe('a newer release of the bridge, with other zone data', () => {
  it('judges nothing that only the older one expected', () => {
    take(vancouver());
    engine.store.transaction((tx) => {
      const row = tx.objects.get(CRON.uid)!;
      const stale = { at: THEIRS, due: THEIRS + MINUTE };
      const state = {
        ...row.state,
        expected: { ...stale, blocked: false },
        unproven: [{ ...stale, status: 'missed', reason: 'missed_schedule' }],
      };
      tx.objects.put({ ...row, state });
      tx.timers.set({ id: `schedule/${CRON.uid}`, kind: 'schedule', uid: CRON.uid, due: stale.due });
    });
    until(T0 + 2 * DAY + 12 * HOUR);
    expect(missed()).toEqual([OURS, OURS + DAY]);
  });
});
