import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { T0 } from '../../test/fixtures/facts.ts';
import { cronJobText } from '../commands/run-text.ts';
import { at, cron, scheduled, TestEngine, uidOf } from './test-engine.ts';

const MINUTE = 60_000;
const FUTURE = Date.UTC(2027, 5, 1);

let engine: TestEngine;
beforeEach(() => (engine = new TestEngine()));
afterEach(() => engine.close());

const shown = (): string[] => {
  const { items } = engine.reader.runs({ limit: 100 });
  return items.map(({ status, scheduledAt }) => `${status} ${(scheduledAt! - T0) / MINUTE}`).toReversed();
};
const reasons = (): string[] => engine.reader.unjudgedCounts().map(({ reason, count }) => `${count} ${reason}`);

describe.each(['*/5 * * * *', '@every 5m'])('a lastScheduleTime of the future, of %s', (schedule) => {
  const seen = (lastScheduleAt?: number) => cron({ schedule, lastScheduleAt });

  it('reports no run before that time, and the page says so', () => {
    engine.take([at(seen(), T0)], T0);
    engine.take([at(seen(FUTURE), T0 + 10_000)], T0 + 10_000);
    engine.live(T0 + MINUTE, T0 + 40 * MINUTE);
    expect(shown()).toEqual([]);
    expect(engine.pings()).toEqual([]);
    expect(reasons()).toEqual(['1 clock_ahead']);
    expect(cronJobText(engine.reader.cronJob('shop', 'report')!)).toContain(
      'lastScheduleTime is 2027-06-01T00:00:00.000Z',
    );
  });

  it('is judged again as soon as the clock is right, and nothing of it is reported later', () => {
    engine.take([at(seen(), T0)], T0);
    engine.take([at(seen(FUTURE), T0 + 10_000)], T0 + 10_000);
    engine.live(T0 + MINUTE, T0 + 11 * MINUTE);
    engine.take([at(seen(T0 + 10 * MINUTE), T0 + 11 * MINUTE)], T0 + 11 * MINUTE);
    expect(reasons()).toEqual([]);
    engine.live(T0 + 11 * MINUTE, T0 + 18 * MINUTE);
    expect(shown()).toEqual(['missed 15']);
    const suspended = cron({ schedule, lastScheduleAt: T0 + 10 * MINUTE, suspend: true });
    engine.take([at(suspended, T0 + 19 * MINUTE)], T0 + 19 * MINUTE);
    engine.live(T0 + 19 * MINUTE, T0 + 30 * MINUTE);
    engine.live(FUTURE + MINUTE, FUTURE + 20 * MINUTE);
    expect(shown()).toEqual(['unknown 10', 'missed 15']);
  });

  it('of an hour is waited for: then everything goes on', () => {
    const ahead = T0 + 60 * MINUTE;
    engine.take([at(seen(), T0)], T0);
    engine.take([at(seen(ahead), T0 + 10_000), at(scheduled({ uid: uidOf(7), scheduledAt: ahead }), T0)], T0 + 10_000);
    engine.live(T0 + MINUTE, ahead + 4 * MINUTE);
    expect(reasons()).toEqual([]);
    expect(shown()).toEqual(['running 60']);
    engine.live(ahead + 4 * MINUTE, ahead + 8 * MINUTE);
    expect(shown()).toEqual(['running 60', 'missed 65']);
  });
});

it('a control plane whose clock is half a minute ahead counts as ours', () => {
  engine.take([at(cron(), T0)], T0);
  for (let minutes = 5; minutes <= 20; minutes += 5) {
    const time = T0 + minutes * MINUTE;
    engine.live(time - 4 * MINUTE, time - 45_000);
    engine.take([at(cron({ lastScheduleAt: time }), time - 30_000)], time - 30_000);
    expect(reasons()).toEqual([]);
  }
  expect(engine.store.take('unjudged')).toEqual([]);
});
