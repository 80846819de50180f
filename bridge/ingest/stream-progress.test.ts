import { expect, it } from 'vitest';
import { StreamProgress } from './stream-progress.ts';

const MINUTE = 60_000;
const T = 1_000 * MINUTE;

/** How far it is, once a minute. */
function watched(progress: StreamProgress, from: number, to: number): number[] {
  const all: number[] = [];
  for (let now = from; now <= to; now += MINUTE) all.push((progress.caughtUpUntil(now) - T) / MINUTE);
  return all;
}

it('what the Collector had queued is not complete because a list of CronJobs is of later', () => {
  const progress = new StreamProgress();
  progress.seen(T, T, true);
  expect(watched(progress, T, T + MINUTE)).toEqual([-T / MINUTE, 0]);
  // An outage: the API is listed all the time, and the queue comes bit by bit.
  for (let minute = 10; minute < 30; minute++) {
    const now = T + minute * MINUTE;
    progress.seen(now, now);
    progress.seen(T + (minute / 10) * MINUTE, now, true);
    progress.completeUntil(now);
    progress.caughtUpUntil(now);
  }
  const now = T + 30 * MINUTE;
  expect(progress.completeUntil(now)).toBeGreaterThan(T + 27 * MINUTE);
  expect(progress.caughtUpUntil(now)).toBeLessThan(T + 3 * MINUTE);
});

it('while the Collector is silent, what the API shows decides', () => {
  const progress = new StreamProgress();
  progress.seen(T, T, true);
  for (let minute = 1; minute < 10; minute++) progress.seen(T + minute * MINUTE, T + minute * MINUTE);
  progress.caughtUpUntil(T + 9 * MINUTE);
  expect(progress.caughtUpUntil(T + 10 * MINUTE)).toBe(T + 9 * MINUTE);
});

it('without a Collector there is nothing to catch up with', () => {
  const progress = new StreamProgress();
  progress.seen(T, T);
  expect(watched(progress, T, T + MINUTE)).toEqual([-T / MINUTE, 0]);
});

it('wakes when a Collector has been silent long enough, and when records have settled', () => {
  const progress = new StreamProgress();
  progress.seen(T, T, true);
  progress.caughtUpUntil(T);
  expect(progress.nextAt(0, T)).toBe(T + MINUTE);
  progress.caughtUpUntil(T + MINUTE);
  expect(progress.nextAt(0, T + MINUTE)).toBe(T + 2 * MINUTE);
  expect(progress.nextAt(0, T + 2 * MINUTE)).toBe(Infinity);
});
