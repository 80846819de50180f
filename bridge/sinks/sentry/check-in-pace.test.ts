import { describe, expect, it } from 'vitest';
import { CheckInPace } from './check-in-pace.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const monitor = (n: number) => ({ monitor_slug: `monitor-${n}`, environment: 'production' });

/** When each of these check-ins is sent, all wanted at `start`. */
function times(pace: CheckInPace, monitors: readonly number[], start = 0): number[] {
  let now = start;
  return monitors.map((n) => {
    for (let wait = pace.wait('p', monitor(n), now); wait !== undefined; wait = pace.wait('p', monitor(n), now))
      now += wait.ms;
    pace.sent('p', monitor(n), now);
    return now;
  });
}

const each = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

describe('the pace of check-ins', () => {
  it('takes up a thousand monitors in three minutes, never above what Sentry takes in any minute', () => {
    const sent = times(new CheckInPace(), each(1_000));
    expect(sent.at(-1)!).toBeLessThan(3 * MINUTE);
    for (const [index, at] of sent.entries()) {
      const inMinute = sent.filter((other) => other > at - MINUTE && other <= at).length;
      const environments = sent.filter((other) => other <= at - MINUTE).length;
      expect(inMinute, `check-in ${index}`).toBeLessThanOrEqual(50 + 6 * environments);
    }
  });

  it('lets five of a monitor and environment pass in a minute, and says that the next one waits', () => {
    const pace = new CheckInPace();
    expect(times(pace, [1, 1, 1, 1, 1, 2])).toEqual([0, 0, 0, 0, 0, 0]);
    expect(pace.wait('p', monitor(1), 1_000)).toEqual({ ms: 61_000, of: 'environment' });
    expect(pace.wait('p', { ...monitor(1), environment: 'staging' }, 1_000)).toBeUndefined();
    expect(pace.wait('p', monitor(3), 1_000)).toBeUndefined();
    expect(pace.wait('p', monitor(1), 62_000)).toBeUndefined();
  });

  it('counts what was sent before it began, as it is given that', () => {
    const pace = new CheckInPace();
    for (let at = 0; at < 5; at++) pace.sent('p', monitor(1), at * 1_000);
    expect(pace.wait('p', monitor(1), 10_000)).toEqual({ ms: 52_000, of: 'environment' });
    for (let n = 2; n < 47; n++) pace.sent('p', monitor(n), 20_000);
    expect(pace.wait('p', monitor(50), 30_000)).toEqual({ ms: 32_000, of: 'project' });
  });

  it('waits for nothing after a clock that was set back', () => {
    const pace = new CheckInPace();
    times(pace, [1, 1, 1, 1, 1], HOUR);
    expect(times(pace, [1, 1, 1], MINUTE)).toEqual([MINUTE, MINUTE, MINUTE]);
  });

  it('is that of each project', () => {
    const pace = new CheckInPace();
    times(pace, each(50));
    expect(pace.wait('p', monitor(50), 0)).toEqual({ ms: 62_000, of: 'project' });
    expect(pace.wait('other', monitor(50), 0)).toBeUndefined();
  });

  it('counts no environment of which nothing was heard for a day, however many there were', () => {
    const heardAt = (at: number): CheckInPace => {
      const pace = new CheckInPace();
      for (let n = 0; n < 20; n++) pace.sent('p', monitor(n), at);
      for (let n = 0; n < 50; n++) pace.sent('p', monitor(100 + n), 26 * HOUR);
      return pace;
    };
    expect(heardAt(0).wait('p', monitor(200), 26 * HOUR)).toEqual({ ms: 62_000, of: 'project' });
    expect(heardAt(20 * HOUR).wait('p', monitor(200), 26 * HOUR)).toBeUndefined();
  });
});
