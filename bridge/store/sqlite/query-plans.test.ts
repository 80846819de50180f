import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DESTINATION, HOUR, MINUTE, TestStore, held } from './fixtures.ts';

/** Far above what an indexed claim takes, far below what a look at every row would take. */
const FAST_MS = 25;
const ROWS = 100_000;

let t: TestStore;
beforeAll(() => {
  t = new TestStore();
  t.want('never accepted', 1);
  t.store.transaction((tx) => {
    const enqueue = (key: string, lane: string, monitor: string, waitsFor?: string) => {
      const limits = [
        { key: monitor, perSecond: 5 },
        { key: 'address', perSecond: 50 },
      ];
      const intent = { key, lane, payload: null, limits, ...(waitsFor === undefined ? {} : { waitsFor }) };
      tx.enqueue(DESTINATION, key, intent, t.now);
    };
    for (let n = 0; n < ROWS / 4; n++) {
      enqueue(`busy ${n}`, `busy ${n}`, 'busy');
      enqueue(`lane ${n}`, 'one lane', 'lane');
      enqueue(`waits ${n}`, `waits ${n}`, 'waits', 'never accepted');
      enqueue(`many ${n}`, `many ${n}`, `monitor ${n % 500}`);
    }
  });
}, 60_000);
afterAll(() => t.remove());

function timed<T>(work: () => T): { result: T; ms: number } {
  const began = performance.now();
  const result = work();
  return { result, ms: performance.now() - began };
}

const fastest = (work: () => unknown) => Math.min(...Array.from({ length: 5 }, () => timed(work).ms));

describe(`with ${ROWS} intents`, () => {
  it('a claim is fast although a quarter is behind one busy key, one lane and one monitor each', () => {
    t.now += 1;
    expect(fastest(() => t.store.claim(DESTINATION, 16, t.now, ['busy', 'lane'], false, 1))).toBeLessThan(FAST_MS);
    const { result } = timed(() => t.store.claim(DESTINATION, 16, t.now, ['busy', 'lane'], false, 1));
    expect(result).toHaveLength(16);
  });

  it('a claim is fast when a shared key is held', () => {
    const [one] = t.store.claim(DESTINATION, 1, t.now, [], false);
    t.settle([one!], held('address', MINUTE));
    expect(fastest(() => t.store.claim(DESTINATION, 16, t.now, [], false, 1))).toBeLessThan(FAST_MS);
    expect(t.claimedKeys()).toEqual([]);
  });

  it('a sweep that finds nothing is fast, also when all would be old but for a hold', () => {
    const [one] = t.store.claim(DESTINATION, 1, t.now + MINUTE, [], false);
    t.settle([one!], held('address', 10 * HOUR));
    t.now += 9 * HOUR;
    expect(fastest(() => t.store.sweep(t.now, HOUR, 2 * MINUTE))).toBeLessThan(4 * FAST_MS);
    expect(t.reader.receiptCounts()).toEqual([]);
  });
});
