import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Work } from '../../work.ts';
import { Db } from '../db/db.ts';
import { DELIVERED, DESTINATION, FAILED, held, HOUR, MINUTE, SECOND, TestStore } from '../../testing/test-store.ts';

let t: TestStore;
beforeEach(() => {
  t = new TestStore();
});
afterEach(() => t.remove());

const TIMERS = ['gone', 'logs'] as const;
const LIMITS = { age: HOUR, maxBytes: 1 << 30 };
/** Ms until something is due, after the housekeeping of now; what waits to be sent is looked at every 10 s. */
function dueInMs(): number {
  t.store.retain(t.now, LIMITS);
  return t.store.nextAt(t.now, TIMERS) - t.now;
}
/** The first pass of the retention and the small files are done. */
function settle(): void {
  for (let n = 0; n < 20 && dueInMs() <= 3 * SECOND; n++);
}

it('is never, for a store in which nothing waits', () => {
  settle();
  expect(dueInMs()).toBe(Infinity);
  t.enqueue({ key: 'a' });
  t.settle(t.claim(), DELIVERED);
  expect(dueInMs()).toBe(Infinity);
});

it.each(TIMERS)('is the first timer of kind %s, which fires by the clock', (kind) => {
  settle();
  t.store.transaction((tx) => {
    tx.timers.set({ id: `${kind}/a`, kind, uid: 'a', due: t.now + 7 * HOUR });
    tx.timers.set({ id: `${kind}/b`, kind, uid: 'b', due: t.now + 2 * HOUR });
  });
  expect(dueInMs()).toBe(2 * HOUR);
  t.now += 3 * HOUR;
  expect(t.store.nextAt(t.now, TIMERS) - t.now).toBeLessThanOrEqual(0);
});

it.each(['schedule', 'probe'] as const)('is not a timer of kind %s, which waits for records', (kind) => {
  settle();
  t.store.transaction((tx) => tx.timers.set({ id: `${kind}/a`, kind, uid: 'a', due: t.now + MINUTE }));
  expect(dueInMs()).toBe(Infinity);
});

it('is the next try, the end of a hold, or the next look at what grows older', () => {
  settle();
  t.enqueue({ key: 'a' }, { key: 'b' });
  const [a, b] = t.claim();
  t.settle([a!], FAILED, 4 * SECOND);
  expect(dueInMs()).toBe(4 * SECOND);
  t.settle([b!], held('m', 3 * SECOND));
  expect(dueInMs()).toBe(3 * SECOND);
  t.now += 5 * SECOND;
  expect(dueInMs()).toBe(5 * SECOND);
});

it('is the next assertion of a monitor, of whatever destination', () => {
  settle();
  t.want('monitor', 1);
  t.settleRows(t.claimRows(), FAILED, 2 * HOUR);
  expect(dueInMs()).toBe(2 * HOUR);
  t.settleRows(t.claimRows(), DELIVERED);
  t.now += 2 * HOUR;
  // Due now: whoever claims it was woken; what is not claimed wakes nothing again.
  expect(dueInMs()).toBe(Infinity);
});

/** What is left to do now, beside what a commit left. */
function dueNow(): Work | undefined {
  t.store.takeWork();
  t.store.nextAt(t.now, TIMERS);
  return t.store.takeWork();
}
const NONE = new Set();
const LEFT = { intents: NONE, desired: NONE, journal: false, logs: false, events: false, sweep: false };
const ONE = new Set([DESTINATION]);

it('leaves the work once to the destination for which something became due, and to the sweep what waits for long', () => {
  settle();
  t.enqueue({ key: 'a' });
  dueNow();
  expect(dueNow()).toBeUndefined();
  t.settle(t.claim(), FAILED, 4 * SECOND);
  t.now += 4 * SECOND - 1;
  expect(dueNow()).toBeUndefined();
  t.now += 1;
  expect([dueNow(), dueNow()]).toEqual([{ ...LEFT, intents: ONE }, undefined]);
  t.now += 10 * SECOND;
  expect([dueNow(), dueNow()]).toEqual([{ ...LEFT, sweep: true }, undefined]);
});

it('leaves the sweep what waits for long, however often something else becomes due', () => {
  settle();
  t.enqueue({ key: 'a' }, { key: 'b' });
  const [a] = t.claim();
  dueNow();
  for (let n = 0; n < 2; n++) {
    t.settle([a!], FAILED, 5 * SECOND);
    t.now += 5 * SECOND;
    expect(dueNow()).toEqual({ ...LEFT, intents: ONE, sweep: n === 1 });
    t.claim();
  }
});

it('leaves what became due while the store could not be read', () => {
  settle();
  t.enqueue({ key: 'a' });
  dueNow();
  t.settle(t.claim(), held('m', 3 * SECOND));
  t.now += 3 * SECOND;
  const other = new Db(t.path, false);
  other.exec('ALTER TABLE desired RENAME TO away');
  expect(dueNow).toThrow('desired');
  other.exec('ALTER TABLE away RENAME TO desired');
  other.close();
  expect(dueNow()).toEqual({ ...LEFT, intents: ONE, desired: ONE, journal: true });
});

it('leaves what was due between two calls, however short it waited', () => {
  settle();
  t.enqueue({ key: 'a' });
  dueNow();
  t.settle(t.claim(), FAILED, 1);
  t.now += SECOND;
  expect([dueNow(), dueNow()]).toEqual([{ ...LEFT, intents: ONE }, undefined]);
});

it('leaves everything of a destination whose hold ends', () => {
  settle();
  t.enqueue({ key: 'a' });
  dueNow();
  t.settle(t.claim(), held('m', 3 * SECOND));
  t.now += 3 * SECOND;
  expect(dueNow()).toEqual({ ...LEFT, intents: ONE, desired: ONE, journal: true });
});

it('leaves a desired row to its destination', () => {
  settle();
  t.want('monitor', 1);
  t.settleRows(t.claimRows(), FAILED, 2 * HOUR);
  dueNow();
  t.now += 2 * HOUR;
  expect(dueNow()).toEqual({ ...LEFT, desired: ONE });
});

it('leaves everything again when the clock was set', () => {
  settle();
  t.enqueue({ key: 'a' });
  dueNow();
  t.now -= HOUR;
  t.store.clockSet(-HOUR);
  expect(dueNow()).toMatchObject({ intents: ONE });
});
