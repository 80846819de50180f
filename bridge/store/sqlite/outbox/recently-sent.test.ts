import { afterEach, beforeEach, expect, it } from 'vitest';
import { DELIVERED, DESTINATION, FAILED, HOUR, MINUTE, REFUSED, SECOND, TestStore } from '../../testing/test-store.ts';

let t: TestStore;
beforeEach(() => {
  t = new TestStore();
});
afterEach(() => t.remove());

const recent = () =>
  t.store
    .recentlySent(DESTINATION, t.now - MINUTE)
    .map(({ payload, at, times }) => [payload, (t.now - at) / SECOND, times]);

it('what was sent in the last minute is known after a restart: also tries that failed, and what a crash left in flight', () => {
  const keys = ['long ago', 'delivered', 'failed', 'refused', 'paced', 'in flight', 'waits'];
  t.enqueue(...keys.map((key) => ({ key, payload: key, ...(key === 'waits' && { lane: 'in flight' }) })));
  const [old, delivered, failed, refused, paced] = t.claim();
  t.settle([old!], DELIVERED);
  t.now += HOUR;
  t.settle([delivered!], DELIVERED);
  t.settle([failed!], FAILED, 0);
  t.settle([paced!], { outcome: 'retry', reason: 'paced' }, HOUR);
  t.now += 5 * SECOND;
  t.settle(t.claim(), FAILED, HOUR);
  t.settle([refused!], REFUSED);
  t.restart(20 * SECOND);
  expect(recent()).toEqual([
    ['delivered', 25, 1],
    ['failed', 20, 2],
    ['in flight', 0, 1],
  ]);
  t.now += 2 * MINUTE;
  expect(recent()).toEqual([]);
});

it('a try that failed before the delivery counts beside it, and one of another destination does not', () => {
  t.enqueue({ key: 'a', payload: 'a' });
  t.settle(t.claim(), FAILED, 0);
  t.settle(t.claim(), DELIVERED);
  expect(recent()).toEqual([
    ['a', 0, 1],
    ['a', 0, 1],
  ]);
  expect(t.store.recentlySent('demo/other', 0)).toEqual([]);
});
