import { afterEach, describe, expect, it } from 'vitest';
import { condition, T0 } from '../../test/fixtures/facts.ts';
import type { CronJobFacts, Observation } from '../kubernetes/observation.ts';
import type { Instant } from '../lib/clock.ts';
import { uuidv5 } from '../lib/ids.ts';
import { Db } from '../store/sqlite/db/db.ts';
import type { TestEngineOptions } from './test-engine.ts';
import { at, complete, CRON, cron, scheduled, TestEngine, uidOf } from './test-engine.ts';

const MINUTE = 60_000;
const FIVE = T0 + 5 * MINUTE;
const TEN = T0 + 10 * MINUTE;
let engine: TestEngine;
const open = (options: TestEngineOptions = {}): TestEngine => (engine = new TestEngine(options));
afterEach(() => engine.close());

const keyOf = (instant: Instant): string => `${CRON.uid}/${instant}`;
/** The UID of the run of an instant whose Job's UID nobody saw. */
const ownUid = (instant: Instant): string => uuidv5(keyOf(instant));

/** A run of the instant, seen from its start to its end, 9 s later. */
function whole(n: number, instant: Instant, end = instant + 9_000): Observation[] {
  const facts = {
    uid: uidOf(n),
    name: `report-${instant / MINUTE}`,
    scheduledAt: instant,
    createdAt: instant,
    startAt: instant + 1_000,
  };
  const done = complete({ ...facts, completionAt: end, conditions: [condition('Complete', end)] });
  return [at(scheduled(facts), instant), at(done, end)];
}

/** The status as it is after a run of the instant that succeeded. */
const after = (instant: Instant, success = instant + 9_000, changes: Partial<CronJobFacts> = {}): CronJobFacts =>
  cron({ lastScheduleAt: instant, lastSuccessfulAt: success, ...changes });

/** The CronJob is seen, and long after one run of its first instant its status; then the grace goes by. */
function statusOnly(status: CronJobFacts, until = FIVE + 22 * MINUTE): void {
  open().take([at(cron({ resourceVersion: '900' }), T0)], T0);
  engine.live(T0, FIVE + MINUTE / 2);
  engine.take([at(status, FIVE + MINUTE / 2)], FIVE + MINUTE / 2);
  engine.live(FIVE + MINUTE / 2, until);
}

describe('a run whose Job nobody saw', () => {
  it('is reported by its CronJob after the grace: start and, where the status proves it, success; and it was not missed', () => {
    statusOnly(after(FIVE), FIVE + 15 * MINUTE);
    expect(engine.pings()).toEqual([]);
    engine.live(FIVE + 15 * MINUTE, FIVE + 20 * MINUTE);
    expect(engine.reported(ownUid(FIVE))).toEqual(['run@300', 'complete@309']);
    expect(engine.decisions(ownUid(FIVE))).toEqual(['planned inferred', 'planned inferred']);
    expect(engine.run(ownUid(FIVE))).toMatchObject({ status: 'succeeded', ownerName: 'report', runKey: keyOf(FIVE) });
    const missed = engine.reader.runs({ limit: 100 }).items.filter(({ status }) => status === 'missed');
    expect(missed.map(({ scheduledAt }) => scheduledAt)).not.toContain(FIVE);
  });

  it('is waited for no longer once it is reported', () => {
    statusOnly(after(FIVE));
    const db = new Db(engine.path, true);
    const rows = db.all<{ state: string }>("SELECT state FROM objects WHERE kind = 'CronJob'");
    expect(rows.map(({ state }) => (JSON.parse(state) as { awaited: unknown }).awaited)).toEqual([[]]);
    expect(db.all("SELECT * FROM timers WHERE kind = 'inferred'")).toEqual([]);
    db.close();
  });

  it('ends as unknown, announced to nobody, when the status does not prove how it ended', () => {
    statusOnly(cron({ lastScheduleAt: FIVE }));
    expect(engine.reported(ownUid(FIVE))).toEqual(['run@300']);
    expect(engine.run(ownUid(FIVE))?.status).toBe('unknown');
    expect(engine.decisions(ownUid(FIVE))).toContain('dropped outcome_unknown');
  });

  it('has the UID that status.active showed in any version', () => {
    open().take([at(cron(), T0)], T0);
    engine.take([at(after(FIVE), FIVE)], FIVE);
    engine.take(
      [at(cron({ resourceVersion: '500', lastScheduleAt: FIVE, activeUids: [uidOf(7)], lastJobUid: uidOf(7) }), FIVE)],
      FIVE,
    );
    engine.live(FIVE, FIVE + 18 * MINUTE);
    expect(engine.reported(uidOf(7))).toEqual(['run@300', 'complete@309']);
  });

  it('is waited for as long as it is active', () => {
    const active = { activeUids: [uidOf(7)], lastJobUid: uidOf(7) };
    statusOnly(cron({ lastScheduleAt: FIVE, ...active }), FIVE + 40 * MINUTE);
    expect(engine.pings()).toEqual([]);
    engine.take([at(after(FIVE, FIVE + 39 * MINUTE), FIVE + 40 * MINUTE)], FIVE + 40 * MINUTE);
    engine.live(FIVE + 40 * MINUTE, FIVE + 60 * MINUTE);
    expect(engine.reported(uidOf(7))).toEqual(['run@300', 'complete@2640']);
  });

  it('takes the place of the row that said missed, when the status came late', () => {
    open().take([at(cron(), T0)], T0);
    engine.live(T0, FIVE + 4 * MINUTE);
    expect(engine.run(ownUid(FIVE))?.status).toBe('missed');
    engine.take([at(after(FIVE, FIVE + 9_000, { lastJobUid: uidOf(7) }), FIVE + 4 * MINUTE)], FIVE + 4 * MINUTE);
    engine.live(FIVE + 4 * MINUTE, FIVE + 22 * MINUTE);
    expect(engine.run(ownUid(FIVE))?.status).toBe('succeeded');
    expect(engine.reported(ownUid(FIVE))).toEqual(['run@300', 'complete@309']);
  });

  it('is reported too when its CronJob was deleted meanwhile', () => {
    open().take([at(cron(), T0), at(after(FIVE), FIVE, true)], FIVE);
    engine.live(FIVE, FIVE + 18 * MINUTE);
    expect(engine.reported(ownUid(FIVE))).toEqual(['run@300', 'complete@309']);
  });

  it('is history when it lies before the cut-off', () => {
    open({ cutoff: TEN }).take([at(after(FIVE), TEN)], TEN);
    engine.live(TEN, TEN + 30 * MINUTE);
    expect(engine.run(ownUid(FIVE))).toBeUndefined();
  });

  it('is not a second run when its Job is seen, before or after the status', () => {
    open().take([at(cron(), T0), at(after(FIVE), FIVE), ...whole(1, FIVE)], FIVE);
    engine.take([...whole(2, TEN), at(after(TEN), TEN)], TEN);
    engine.live(TEN, TEN + 20 * MINUTE);
    expect(engine.pings().map(({ series, state }) => `${series.at(-1)} ${state}`)).toEqual([
      '1 run',
      '1 complete',
      '2 run',
      '2 complete',
    ]);
  });

  it('is not a second run when its Job carries no scheduled time (Kubernetes before 1.28)', () => {
    const bare = whole(1, FIVE).map(
      ({ facts, ...rest }) => ({ ...rest, facts: { ...facts, scheduledAt: undefined } }) as Observation,
    );
    open().take([at(cron(), T0), ...bare, at(after(FIVE), FIVE)], FIVE);
    engine.live(FIVE, FIVE + 20 * MINUTE);
    expect(engine.pings().map(({ series, state }) => `${series.at(-1)} ${state}`)).toEqual(['1 run', '1 complete']);
  });

  it('is not reported in a replay of the past', () => {
    open({ engine: { scheduleTimers: false } }).take([at(cron(), T0), at(after(FIVE), FIVE)], FIVE);
    engine.live(FIVE, FIVE + 30 * MINUTE);
    expect(engine.pings()).toEqual([]);
  });
});

describe('a success in the status', () => {
  const end = (): string | undefined => engine.run(ownUid(TEN))?.status;
  const judged = (records: Observation[]): string | undefined => {
    open().take([at(cron(), T0), ...records], TEN + MINUTE);
    engine.live(TEN + MINUTE, TEN + 20 * MINUTE);
    return end();
  };

  it('proves the run when the one before it is known', () => {
    expect(judged([...whole(1, FIVE), at(after(TEN), TEN)])).toBe('succeeded');
  });
  it('proves nothing when a run between may have gone unseen', () => {
    expect(judged([at(after(TEN), TEN)])).toBe('unknown');
  });
  it('proves nothing when it is that of the run before, which ended late', () => {
    expect(judged([...whole(1, FIVE, TEN + 9_000), at(after(TEN), TEN)])).toBe('unknown');
  });
  it('proves nothing while the run before is open', () => {
    expect(judged([...whole(1, FIVE).slice(0, 1), at(after(TEN), TEN)])).toBe('unknown');
  });
  it('proves nothing when it lies before the scheduled time', () => {
    expect(judged([...whole(1, FIVE), at(after(TEN, TEN - 1_000), TEN)])).toBe('unknown');
  });
  it('proves nothing when it is seen only after the next run was scheduled', () => {
    const next = at(after(TEN + 5 * MINUTE, TEN + 9_000), TEN + 5 * MINUTE);
    expect(judged([...whole(1, FIVE), at(cron({ lastScheduleAt: TEN }), TEN), next])).toBe('unknown');
  });
  it('is that of a run by hand when that ended then', () => {
    const byHand = complete({
      uid: uidOf(9),
      manual: true,
      scheduledAt: undefined,
      startAt: TEN,
      completionAt: TEN + 9_000,
      conditions: [condition('Complete', TEN + 9_000)],
    });
    expect(judged([...whole(1, FIVE), at(byHand, TEN), at(after(TEN), TEN)])).toBe('unknown');
  });
});

describe('the real Job of a run that was inferred', () => {
  const real = (changes: Partial<Parameters<typeof complete>[0]> = {}) =>
    complete({
      uid: uidOf(1),
      scheduledAt: FIVE,
      createdAt: FIVE,
      startAt: FIVE + 1_000,
      completionAt: FIVE + 9_000,
      conditions: [condition('Complete', FIVE + 9_000)],
      ...changes,
    });
  const failed = real({ completionAt: undefined, conditions: [condition('Failed', FIVE + 30_000)] });
  const late = FIVE + 30 * MINUTE;

  it('is merged silently where it agrees, under the UID that was first sent', () => {
    statusOnly(after(FIVE));
    engine.take([at(real(), late), at(real(), late), at({ ...real(), resourceVersion: '130' }, late, true)], late);
    expect(engine.pings().map(({ state }) => state)).toEqual(['run', 'complete']);
    expect(engine.run(ownUid(FIVE))).toMatchObject({ status: 'succeeded', deleted: true });
    expect(engine.run(uidOf(1))).toBeUndefined();
  });

  it('corrects it once where it differs', () => {
    statusOnly(after(FIVE));
    engine.take([at(failed, late), at(failed, late)], late);
    engine.restart();
    engine.take([at({ ...failed, resourceVersion: '130' }, late, true)], late);
    expect(engine.reported(ownUid(FIVE))).toEqual(['run@300', 'complete@309', 'fail@330']);
    expect(engine.decisions(ownUid(FIVE))).toContain('planned corrects_inferred');
  });

  it('is counted once, by the ending that was inferred', () => {
    statusOnly(after(FIVE));
    const ended = engine.store.take('ended');
    expect(ended).toHaveLength(1);
    expect(ended[0]).not.toHaveProperty('attempts');
    engine.take([at(failed, late)], late);
    expect(engine.store.take('ended')).toEqual([]);
  });

  it('reports the end that was not known', () => {
    statusOnly(cron({ lastScheduleAt: FIVE }));
    engine.take([at(failed, late)], late);
    expect(engine.reported(ownUid(FIVE))).toEqual(['run@300', 'fail@330']);
  });

  it('is one Job: another with the same annotation is a run of its own', () => {
    statusOnly(after(FIVE));
    engine.take([at(real(), late), at({ ...failed, uid: uidOf(2) }, late), at(real(), late)], late);
    expect(engine.reported(ownUid(FIVE))).toEqual(['run@300', 'complete@309']);
    expect(engine.reported(uidOf(2))).toEqual(['run@301', 'fail@330']);
  });
});

describe('the grace of a run that its CronJob reports', () => {
  it('begins again with a restart, which neither forgets nor repeats: the queue may hold the Job', () => {
    open().take([at(cron(), T0), at(after(FIVE), FIVE)], FIVE);
    engine.live(FIVE, FIVE + 10 * MINUTE);
    engine.restart();
    const back = FIVE + 60 * MINUTE;
    engine.live(back, back + 14 * MINUTE);
    expect(engine.run(ownUid(FIVE))).toBeUndefined();
    engine.live(back + 14 * MINUTE, back + 18 * MINUTE);
    expect(engine.reported(ownUid(FIVE))).toEqual(['run@300', 'complete@309']);
    engine.restart();
    engine.take([at(after(FIVE), back)], back + 20 * MINUTE);
    engine.live(back + 20 * MINUTE, back + 50 * MINUTE);
    expect(engine.reported(ownUid(FIVE))).toEqual(['run@300', 'complete@309']);
  });

  it('does not end in silence: nothing is concluded while no record comes', () => {
    open().take([at(cron(), T0), at(after(FIVE), FIVE)], FIVE);
    for (let now = FIVE; now < FIVE + 60 * MINUTE; now += MINUTE) engine.tick(now);
    expect(engine.pings()).toEqual([]);
  });
});
