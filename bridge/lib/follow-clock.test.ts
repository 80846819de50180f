import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { followClock } from './follow-clock.ts';

let stop: () => void;
beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
afterEach(() => (stop(), vi.useRealTimers()));

it('passes to every part what the clock was set by, once, and goes on when one of them fails', async () => {
  const steps = [0, -7_200_000];
  const heard: string[] = [];
  const part = (name: string) => ({ clockSet: (ms: number) => void heard.push(`${name} ${ms}`) });
  const broken = { clockSet: () => Promise.reject(new Error('disk full')) };
  const failed = new Promise((resolve) => {
    stop = followClock({ now: () => 0, follow: () => steps.shift() ?? 0 }, [part('a'), broken, part('b')], resolve);
  });
  vi.advanceTimersByTime(60_000);
  expect(await failed).toMatchObject({ message: 'disk full' });
  expect(heard).toEqual(['a -7200000', 'b -7200000']);
});
