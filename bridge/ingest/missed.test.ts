import * as fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { condition, T0 } from '../../test/fixtures/facts.ts';
import type { CronJobFacts } from '../kubernetes/observation.ts';
import type { TestEngineOptions } from './test-engine.ts';
import { at, complete, CRON, cron, scheduled, TestEngine, uidOf } from './test-engine.ts';

const MINUTE = 60_000;
let engine: TestEngine;
const open = (options: TestEngineOptions = {}): TestEngine => (engine = new TestEngine(options));
afterEach(() => engine.close());

function shown(): string[] {
  const { items } = engine.reader.runs({ limit: 100 });
  const watched = items.filter(({ status }) => status === 'missed' || status === 'skipped');
  return watched
    .map(({ status, scheduledAt, reason }) => `${status} ${((scheduledAt ?? 0) - T0) / MINUTE} ${reason}`)
    .toReversed();
}

describe('a scheduled time without a Job', () => {
  it('is missed: once, with the scheduled time, and announced to nobody', () => {
    open().take([at(cron(), T0)], T0);
    engine.live(T0, T0 + 9 * MINUTE);
    expect(shown()).toEqual(['missed 5 missed_schedule']);
    const [run] = engine.reader.runs({ limit: 1 }).items;
    expect(engine.transitions(run!.uid)).toMatchObject([
      { id: `${CRON.uid}/${T0 + 5 * MINUTE}/missed`, kind: 'cronjob.missed', at: T0 + 5 * MINUTE },
    ]);
    expect(run).toMatchObject({ ownerName: 'report', name: `report-${T0 / MINUTE + 5}` });
    expect(engine.pings()).toEqual([]);
    expect(engine.decisions(run!.uid)).toEqual([]);
  });

  it('is missed again and again', () => {
    open().take([at(cron(), T0)], T0);
    engine.live(T0, T0 + 18 * MINUTE);
    expect(shown().map((text) => text.slice(0, 9))).toEqual(['missed 5 ', 'missed 10', 'missed 15']);
  });

  it.each([
    ['its Job was seen', () => at(scheduled({ scheduledAt: T0 + 5 * MINUTE }), T0)],
    ['lastScheduleTime says so', () => at(cron({ lastScheduleAt: T0 + 5 * MINUTE }), T0)],
    ['it was suspended', () => at(cron({ suspend: true }), T0)],
    ['it got another schedule', () => at(cron({ schedule: '0 0 * * *' }), T0)],
    ['it was deleted', () => at(cron(), T0, true)],
    ['its schedule cannot be read any more', () => at(cron({ schedule: 'never' }), T0)],
  ])('is not missed when %s', (_name, record) => {
    open().take([at(cron(), T0)], T0);
    engine.live(T0, T0 + 5 * MINUTE);
    engine.take([record()], T0 + 5 * MINUTE + 1_000);
    engine.live(T0 + 5 * MINUTE + 2_000, T0 + 9 * MINUTE);
    expect(shown()).toEqual([]);
  });

  it('is not missed when it got another zone', () => {
    const morning = { schedule: '*/5 10 * * *' };
    open().take([at(cron(morning), T0)], T0);
    engine.live(T0, T0 + 5 * MINUTE);
    engine.take([at(cron({ ...morning, timeZone: 'Asia/Tokyo' }), T0 + 5 * MINUTE)], T0 + 5 * MINUTE);
    engine.live(T0 + 5 * MINUTE, T0 + 12 * MINUTE);
    expect(shown()).toEqual([]);
  });

  it('does not count what lies before first sight or before a resume', () => {
    open().take([at(cron({ createdAt: T0 - 3_600_000 }), T0 + 6 * MINUTE)], T0 + 6 * MINUTE);
    engine.live(T0 + 6 * MINUTE, T0 + 8 * MINUTE);
    engine.take([at(cron({ suspend: true }), T0 + 8 * MINUTE)], T0 + 8 * MINUTE);
    engine.live(T0 + 8 * MINUTE, T0 + 21 * MINUTE);
    engine.take([at(cron(), T0 + 21 * MINUTE)], T0 + 21 * MINUTE);
    engine.live(T0 + 21 * MINUTE, T0 + 29 * MINUTE);
    expect(shown()).toEqual(['missed 25 missed_schedule']);
  });

  it('counts every @every from the last scheduled time', () => {
    open().take([at(cron({ schedule: '@every 5m', createdAt: T0 - 2 * MINUTE }), T0)], T0);
    engine.live(T0, T0 + 6 * MINUTE);
    expect(shown()).toEqual(['missed 3 missed_schedule']);
  });

  it('waits for startingDeadlineSeconds, and says that they are over', () => {
    open().take([at(cron({ startingDeadlineSeconds: 120 }), T0)], T0);
    engine.live(T0, T0 + 7 * MINUTE);
    expect(shown()).toEqual([]);
    engine.live(T0 + 7 * MINUTE, T0 + 10 * MINUTE);
    expect(shown()).toEqual(['missed 5 starting_deadline_exceeded']);
  });
});

describe('scheduled times whose Jobs or status are seen in the end', () => {
  it('are never missed, in whatever order and how often the records come', () => {
    const times = [5, 10, 15].map((minutes) => T0 + minutes * MINUTE);
    const records = [
      at(cron(), T0),
      ...times.flatMap((time, n) => [
        at(cron({ lastScheduleAt: time, activeUids: [uidOf(n)] }), time + 1_000),
        at(scheduled({ uid: uidOf(n), scheduledAt: time, startAt: time }), time + 1_000),
        at(complete({ uid: uidOf(n), scheduledAt: time, startAt: time }), time + 9_000),
      ]),
    ];
    const shuffled = fc.shuffledSubarray([...records, ...records], { minLength: records.length * 2 });
    const cuts = fc.array(fc.nat(records.length * 2), { maxLength: 4 });
    fc.assert(
      fc.property(shuffled, cuts, (order, at) => {
        const bounds = [0, ...at.toSorted((a, b) => a - b), order.length];
        open();
        for (const [n, from] of bounds.entries()) engine.take(order.slice(from, bounds[n + 1]), T0 + 16 * MINUTE);
        engine.live(T0 + 16 * MINUTE, T0 + 20 * MINUTE);
        expect(shown()).toEqual([]);
        engine.close();
      }),
      { numRuns: 20 },
    );
    open();
  });
});

describe('concurrencyPolicy Forbid', () => {
  const forbid = (changes: Partial<CronJobFacts> = {}): CronJobFacts =>
    cron({ concurrencyPolicy: 'Forbid', lastScheduleAt: T0, ...changes });

  it('skips a time while the previous run is active', () => {
    open().take([at(forbid({ activeUids: [scheduled().uid] }), T0), at(scheduled(), T0)], T0);
    engine.live(T0, T0 + 9 * MINUTE);
    expect(shown()).toEqual([]);
    engine.live(T0 + 9 * MINUTE, T0 + 13 * MINUTE);
    expect(shown()).toEqual(['skipped 5 forbid_active']);
  });

  it('is nothing when Kubernetes makes the run as soon as the previous one ends', () => {
    open().take([at(forbid({ activeUids: [scheduled().uid] }), T0), at(scheduled(), T0)], T0);
    engine.live(T0, T0 + 7 * MINUTE);
    const next = scheduled({ uid: uidOf(2), scheduledAt: T0 + 5 * MINUTE });
    const done = at(forbid({ lastScheduleAt: T0 + 5 * MINUTE, activeUids: [next.uid] }), T0 + 8 * MINUTE);
    engine.take([at(complete(), T0 + 8 * MINUTE), at(next, T0 + 8 * MINUTE), done], T0 + 8 * MINUTE);
    engine.live(T0 + 8 * MINUTE, T0 + 11 * MINUTE);
    expect(shown()).toEqual([]);
  });

  it('knows that the previous run was active at the time, when it ended before the judgement', () => {
    const end = T0 + 5 * MINUTE + 5_000;
    open().take(
      [at(forbid({ startingDeadlineSeconds: 2, activeUids: [scheduled().uid] }), T0), at(scheduled(), T0)],
      T0,
    );
    const ended = complete({ completionAt: end, conditions: [condition('Complete', end)] });
    engine.live(T0, end);
    engine.take([at(ended, end), at(forbid({ startingDeadlineSeconds: 2 }), end)], end);
    engine.live(end, T0 + 9 * MINUTE);
    expect(shown()).toEqual(['skipped 5 forbid_active']);
  });
});

describe('silence', () => {
  it('proves nothing: it is judged when records flow again, with what they say', () => {
    open().take([at(cron(), T0)], T0);
    engine.live(T0, T0 + 4 * MINUTE);
    for (let now = T0 + 4 * MINUTE; now < T0 + 60 * MINUTE; now += MINUTE) engine.tick(now);
    expect(shown()).toEqual([]);
    const back = T0 + 60 * MINUTE;
    engine.take([], back);
    for (let now = back; now < back + 10_000; now += 1_000) engine.tick(now);
    // The control plane catches up with the last one only.
    engine.take([at(cron({ lastScheduleAt: back }), back + 10_000)], back + 10_000);
    engine.live(back + 15_000, back + 4 * MINUTE);
    expect(shown()).toEqual([]);
    engine.live(back + 4 * MINUTE, back + 9 * MINUTE);
    expect(shown()).toEqual(['missed 65 missed_schedule']);
  });

  it('of the bridge itself is waited for too; a restart neither forgets nor repeats', () => {
    open().take([at(cron(), T0)], T0);
    engine.live(T0, T0 + 3 * MINUTE);
    engine.restart();
    const back = T0 + 8 * MINUTE;
    for (let now = back; now < back + 10_000; now += 1_000) engine.tick(now);
    engine.take([], back + 10_000);
    engine.tick(back + 11_000);
    expect(shown()).toEqual([]);
    engine.live(back + 15_000, back + 90_000);
    expect(shown()).toEqual(['missed 5 missed_schedule']);
    engine.restart();
    engine.live(back + 91_000, T0 + 10 * MINUTE + 30_000);
    expect(shown()).toEqual(['missed 5 missed_schedule']);
  });

  it('is not judged at all in a replay', () => {
    open({ engine: { scheduleTimers: false } }).take([at(cron(), T0)], T0);
    engine.live(T0, T0 + 20 * MINUTE);
    expect(shown()).toEqual([]);
  });
});
