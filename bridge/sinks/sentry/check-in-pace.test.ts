import { describe, expect, it } from 'vitest';
import { CheckInPace } from './check-in-pace.ts';

const monitor = (n: number) => ({ monitor_slug: `monitor-${n}`, environment: 'production' });

/** When each of so many check-ins is sent, one for each monitor, all wanted at 0. */
function times(pace: CheckInPace, count: number): number[] {
  const all: number[] = [];
  let now = 0;
  for (let n = 0; n < count; n++) {
    for (let wait = pace.wait('p', now); wait > 0; wait = pace.wait('p', now)) now += wait;
    pace.sent('p', monitor(n), now);
    all.push(now);
  }
  return all;
}

describe('the pace of check-ins', () => {
  it('takes up a thousand monitors in three minutes, never above what Sentry takes in any minute', () => {
    const sent = times(new CheckInPace(), 1_000);
    expect(sent.at(-1)!).toBeLessThan(180_000);
    for (const [index, at] of sent.entries()) {
      const inMinute = sent.filter((other) => other > at - 60_000 && other <= at).length;
      const environments = sent.filter((other) => other <= at - 60_000).length;
      expect(inMinute, `check-in ${index}`).toBeLessThanOrEqual(50 + 6 * environments);
    }
  });

  it('is at once what Sentry takes where the monitors are known', () => {
    const pace = new CheckInPace();
    for (let n = 0; n < 200; n++) pace.knows('p', monitor(n));
    expect(times(pace, 1_000).at(-1)).toBe(0);
  });

  it('is that of each project', () => {
    const pace = new CheckInPace();
    times(pace, 50);
    expect(pace.wait('p', 0)).toBeGreaterThan(0);
    expect(pace.wait('other', 0)).toBe(0);
  });
});
