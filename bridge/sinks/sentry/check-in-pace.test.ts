import { describe, expect, it } from 'vitest';
import { CheckInPace } from './check-in-pace.ts';

const MINUTE = 60_000;
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
  it('takes up a thousand monitors in four minutes, never above what Sentry takes in any minute', () => {
    const sent = times(new CheckInPace(0), each(1_000));
    expect(sent.at(-1)!).toBeLessThan(4 * MINUTE);
    for (const [index, at] of sent.entries()) {
      const inMinute = sent.filter((other) => other > at - MINUTE && other <= at).length;
      const environments = sent.filter((other) => other <= at - MINUTE).length;
      expect(inMinute, `check-in ${index}`).toBeLessThanOrEqual(50 + 6 * environments);
    }
  });

  it('stays below what Sentry takes when the bridge is restarted while the project is at its limit', () => {
    const first = times(new CheckInPace(0), each(500)).map((at, n) => ({ n, at }));
    for (const restart of [0, 1, 30_000, 62_000, 70_000, 125_000, 200_000]) {
      const before = first.filter(({ at }) => at <= restart);
      const left = each(500).toReversed();
      const after = times(new CheckInPace(restart), left, restart).map((at, index) => ({ n: left[index]!, at }));
      const all = [...before, ...after];
      for (const { at } of after) {
        const inMinute = all.filter((other) => other.at > at - MINUTE && other.at <= at).length;
        const settled = new Set(all.filter((other) => other.at <= at - MINUTE).map(({ n }) => n)).size;
        expect(inMinute, `restart at ${restart}, minute before ${at}`).toBeLessThanOrEqual(50 + 6 * settled);
      }
    }
  });

  it('sends one check-in of a monitor in the first minute after a start, and says that the next one waits', () => {
    const pace = new CheckInPace(0);
    expect(times(pace, [1, 2])).toEqual([0, 0]);
    expect(pace.wait('p', monitor(1), 1_000)).toEqual({ ms: 61_000, of: 'environment' });
    expect(pace.wait('p', monitor(3), 1_000)).toBeUndefined();
    expect(pace.wait('p', monitor(1), 62_000)).toBeUndefined();
  });

  it('waits for nothing after a clock that was set back to before the start', () => {
    const pace = new CheckInPace(10 * MINUTE);
    expect(times(pace, [1, 1, 1], MINUTE)).toEqual([MINUTE, MINUTE, MINUTE]);
  });

  it('is that of each project', () => {
    const pace = new CheckInPace(0);
    times(pace, each(10));
    expect(pace.wait('p', monitor(10), 0)).toEqual({ ms: 62_000, of: 'project' });
    expect(pace.wait('other', monitor(10), 0)).toBeUndefined();
  });
});
