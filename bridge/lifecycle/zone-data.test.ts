import { describe, expect, it } from 'vitest';
import { cronJobFacts } from '../../test/fixtures/facts.ts';
import type { CronJobFacts } from '../kubernetes/observation.ts';
import { isInstantOf, parseSchedule, parseScheduleWith } from '../kubernetes/schedule.ts';
import type { Schedule } from '../kubernetes/schedule.ts';
import { isFixedZone, timeZone } from '../kubernetes/time-zone.ts';
import type { TimeZone, ZoneData } from '../kubernetes/time-zone.ts';
import type { CronJobState } from './cronjob.ts';
import { reduceCronJob } from './cronjob.ts';
import { judgeDue, nextDue } from './schedule-watch.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const FROM = Date.UTC(2026, 0, 10);
const TO = Date.UTC(2027, 0, 10);
const CHANGE = Date.UTC(2026, 3, 19, 16);
/** When clocks change somewhere, in some release. */
const SEASONS = [
  [Date.UTC(2026, 1, 18), Date.UTC(2026, 4, 1)],
  [Date.UTC(2026, 8, 6), Date.UTC(2026, 10, 26)],
] as const;
const SCHEDULES = ['0 9 * * *', '30 2 * * 0', '0 0 * * 1-5'];
const iso = (at: number): string => new Date(at).toISOString();

type Release = (ours: TimeZone) => TimeZone;
const since =
  (ms: number): Release =>
  (ours) => ({
    offsetAt: (at) => ours.offsetAt(at) + (at < CHANGE ? 0 : ms),
  });
const moved =
  (days: number): Release =>
  (ours) => ({ offsetAt: (at) => ours.offsetAt(at - days * DAY) });
const always =
  (choose: (...offsets: number[]) => number): Release =>
  (ours) => {
    const offset = choose(ours.offsetAt(FROM), ours.offsetAt(FROM + 180 * DAY));
    return { offsetAt: (at) => (at < CHANGE ? ours.offsetAt(at) : offset) };
  };

/** What another release of the zone data may say of a zone; no release changes UTC. */
const RELEASES: Readonly<Record<string, Release>> = {
  'an hour ahead since April': since(HOUR),
  'an hour behind since April': since(-HOUR),
  'half an hour ahead since April': since(HOUR / 2),
  'its clocks change three weeks later': moved(21),
  'its clocks change two weeks earlier': moved(-14),
  'no summer time any more': always(Math.min),
  'summer time for ever': always(Math.max),
};

const ZONES = Intl.supportedValuesOf('timeZone').filter((name) => timeZone(name) !== undefined);

function released(release: Release): ZoneData {
  const zones = new Map<string, TimeZone>();
  return (name) => {
    const ours = timeZone(name);
    if (ours === undefined || isFixedZone(name)) return ours;
    if (!zones.has(name)) zones.set(name, release(ours));
    return zones.get(name);
  };
}

interface Year {
  /** Scheduled instants reported as missed. */
  readonly missed: readonly number[];
  /** The instants at which the difference was noticed, and those at which they agreed again. */
  readonly noticed: readonly number[];
  readonly agreed: readonly number[];
  /** Instants of the cluster that our schedule does not have. */
  readonly strange: readonly number[];
}

interface Cluster {
  readonly schedule: string;
  readonly zone?: string | undefined;
  readonly theirs?: ZoneData;
  /** The cluster's own zone, for CronJobs without one. */
  readonly local?: string;
  readonly from?: number;
  readonly to?: number;
  readonly isLost?: (at: number) => boolean;
}

function valid(schedule: Schedule | { readonly error: string }): Schedule {
  if ('error' in schedule) throw new Error(schedule.error);
  return schedule;
}

/** A cluster with other zone data runs a CronJob for a year; the bridge sees what its status shows. */
function live({ schedule, zone, theirs = timeZone, local, from = FROM, to = TO, isLost = () => false }: Cluster): Year {
  const cluster = valid(parseScheduleWith(theirs, schedule, zone ?? local));
  const ours = valid(parseSchedule(schedule, zone));
  const year = { missed: [] as number[], noticed: [] as number[], agreed: [] as number[], strange: [] as number[] };
  let version = 1;
  let state: CronJobState | undefined;
  const see = (changes: Partial<CronJobFacts>, observedAt: number): void => {
    const facts = cronJobFacts({
      schedule,
      timeZone: zone,
      createdAt: from,
      resourceVersion: `${version++}`,
      ...changes,
    });
    const before = state?.comparison?.differs;
    state = reduceCronJob(state, { facts, deleted: false, observedAt }, observedAt);
    const after = state.comparison?.differs;
    if (before === undefined && after !== undefined) year.noticed.push(facts.lastScheduleAt!);
    if (before !== undefined && after === undefined) year.agreed.push(facts.lastScheduleAt!);
  };
  const judgeUntil = (end: number): void => {
    for (let due = nextDue(state!); due !== undefined && due <= end; due = nextDue(state)) {
      const sight = () => ({ jobSeen: false, previousActive: false });
      const { watch, verdicts } = judgeDue(state!, { until: due, now: due, sight });
      year.missed.push(...verdicts.map(({ at }) => at));
      state = { ...state!, ...watch, unproven: watch.unproven };
    }
  };
  see({}, from);
  for (let at = cluster.next(from); at !== undefined && at < to; at = cluster.next(at)) {
    if (isLost(at)) continue;
    judgeUntil(at + 1_000);
    see({ lastScheduleAt: at }, at + 1_000);
    if (!isInstantOf(ours, at)) year.strange.push(at);
  }
  judgeUntil(to);
  return year;
}

/** Zones that have the same clock in that year are one to every schedule. */
const CLOCKS = [...Map.groupBy(ZONES, clockOf).values()];

function clockOf(name: string): string {
  const zone = timeZone(name)!;
  const days = Array.from({ length: 2 * 460 }, (_, half) => zone.offsetAt(FROM - 40 * DAY + (half * DAY) / 2));
  return `${isFixedZone(name)} ${days.join()}`;
}

describe('zone data of another release than the cluster has', () => {
  it('is tried in every zone', () => {
    expect(ZONES.length).toBeGreaterThan(400);
    expect(CLOCKS.length).toBeGreaterThan(50);
  });

  it.each(Object.entries(RELEASES))(
    '(%s) makes no run missed, in any zone, and is noticed at the first run that differs',
    (_name, release) => {
      const theirs = released(release);
      const wrong = CLOCKS.flatMap((zones) =>
        SCHEDULES.flatMap((schedule) =>
          SEASONS.flatMap(([from, to]) => {
            const { missed, noticed, strange } = live({ schedule, zone: zones[0]!, theirs, from, to });
            return missed.length === 0 && noticed[0] === strange[0]
              ? []
              : [{ zones, schedule, missed, noticed, strange }];
          }),
        ),
      );
      expect(wrong).toEqual([]);
    },
  );

  it.each([
    '0 9-17 * * *',
    '0 9,10 * * 1-5',
    '*/20 6-22 * * *',
    '0 * * * *',
    '15 */2 * * *',
    '0 2 * * *',
    '30 1 1,15 * *',
    '0 0 31 * *',
    '0 0 1 * 1',
    '0 0,12 * * *',
    '59 23 * * 6',
    '@daily',
    '@weekly',
  ])('makes no run of %s missed and does not come and go', (schedule) => {
    for (const [name, release] of Object.entries(RELEASES)) {
      for (const zone of ['America/Vancouver', 'Australia/Lord_Howe']) {
        const season = { from: Date.UTC(2026, 2, 20), to: Date.UTC(2026, 4, 5) };
        const { missed, noticed, strange } = live({ schedule, zone, theirs: released(release), ...season });
        expect({ name, zone, missed, first: noticed[0] }).toEqual({ name, zone, missed: [], first: strange[0] });
        expect(noticed.length).toBeLessThanOrEqual(2);
      }
    }
  });

  it('is over with the first run that only our schedule can have', () => {
    const theirs = released(moved(21));
    const year = live({ schedule: '0 9 * * *', zone: 'Europe/Berlin', theirs });
    expect(year.noticed.map(iso)).toEqual(['2026-03-29T08:00:00.000Z', '2026-10-25T07:00:00.000Z']);
    expect(year.agreed.map(iso)).toEqual(['2026-04-19T07:00:00.000Z', '2026-11-15T08:00:00.000Z']);
  });

  it('is not over with a run that both may have: of nine to five, ten to five', () => {
    const year = live({ schedule: '0 9-17 * * *', zone: 'Europe/Berlin', theirs: released(since(-HOUR)) });
    expect(year).toMatchObject({ missed: [], agreed: [] });
    expect(year.noticed).toHaveLength(1);
  });
});

describe('a run that did not come', () => {
  const lost = (...times: string[]): ((at: number) => boolean) => {
    const instants = new Set(times.map((time) => Date.parse(time)));
    return (at) => instants.has(at);
  };

  it.each([
    ['0 9 * * *', '2026-02-03T08:00:00Z', '2026-02-04T10:31:00Z'],
    ['0 9 * * *', '2026-03-28T08:00:00Z', '2026-03-29T09:31:00Z'],
    ['30 2 * * 0', '2026-05-03T00:30:00Z', '2026-05-10T03:01:00Z'],
    ['0 0 * * 1-5', '2026-02-05T23:00:00Z', '2026-02-09T01:31:00Z'],
    ['0 6 1 * *', '2026-02-01T05:00:00Z', '2026-02-09T05:01:00Z'],
    ['0 * * * *', '2026-02-03T08:00:00Z', '2026-02-03T09:31:00Z'],
    ['0 9-17 * * *', '2026-02-03T08:00:00Z', '2026-02-03T17:01:00Z'],
    ['*/30 * * * *', '2026-02-03T08:00:00Z', '2026-02-03T08:01:00Z'],
    ['*/5 * * * *', '2026-02-03T08:00:00Z', '2026-02-03T08:01:00Z'],
  ])('of %s at %s is missed at %s, once no other zone data can explain it', (schedule, time, missedAt) => {
    const isLost = lost(time);
    const at = Date.parse(time);
    const zone = 'Europe/Berlin';
    expect(live({ schedule, zone, isLost, to: Date.parse(missedAt) - 1 }).missed).toEqual([]);
    expect(live({ schedule, zone, isLost, to: Date.parse(missedAt) }).missed).toEqual([at]);
    expect(live({ schedule, zone, isLost, to: at + 40 * DAY })).toMatchObject({ missed: [at], noticed: [] });
  });

  it('is missed in every zone, and each of several', () => {
    for (const [zone] of CLOCKS) {
      for (const schedule of SCHEDULES) {
        const instants: number[] = [];
        // The run that cannot be distinguished at the end of a week is left out.
        const isLost = (at: number): boolean => {
          const is = at > FROM + 20 * DAY && at < FROM + 60 * DAY && new Date(at).getUTCDate() % 3 === 0;
          if (is) instants.push(at);
          return is;
        };
        const { missed, noticed } = live({ schedule, zone: zone!, isLost, to: FROM + 90 * DAY });
        expect({ zone, schedule, missed, noticed }).toEqual({ zone, schedule, missed: instants, noticed: [] });
      }
    }
  });

  it('is missed a minute later where no release can change the zone', () => {
    const at = Date.parse('2026-02-03T09:00:00Z');
    for (const zone of ['UTC', 'Etc/UTC', 'Etc/GMT+5', undefined]) {
      const cluster = { schedule: '0 9 * * *', isLost: (time: number) => new Date(time).getUTCDate() === 3, zone };
      const { missed } = live({ ...cluster, to: Date.parse('2026-02-03T15:00:00Z') });
      expect(missed).toEqual([zone === 'Etc/GMT+5' ? at + 5 * HOUR : at]);
    }
  });

  it('is not reported while the zone data differ', () => {
    const isLost = lost('2026-06-03T08:00:00Z', '2026-06-04T08:00:00Z');
    const year = live({ schedule: '0 9 * * *', zone: 'Europe/Berlin', theirs: released(since(-HOUR)), isLost });
    expect(year).toMatchObject({ missed: [], agreed: [] });
  });
});

describe("a CronJob without a time zone runs by the control plane's own", () => {
  it.each(['America/New_York', 'Asia/Kolkata', 'Asia/Kathmandu', 'Pacific/Auckland', 'Europe/Berlin'])(
    'which is not UTC but %s: noticed at the first run, and nothing is missed',
    (local) => {
      for (const schedule of ['0 9 * * *', '0 0 * * 1-5', '30 2 * * 0', '0 9-17 * * *']) {
        const { missed, noticed, strange } = live({ schedule, local, to: FROM + 60 * DAY });
        expect({ schedule, missed, noticed }).toEqual({ schedule, missed: [], noticed: strange.slice(0, 1) });
      }
    },
  );
});
