import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DESTINATION, HOUR, MINUTE, SECOND, TestStore } from '../../testing/test-store.ts';

const LIMITS = { age: HOUR, maxBytes: 1 << 30 };

describe('while another connection holds the write lock', () => {
  let t: TestStore;
  let other: DatabaseSync;
  beforeEach(() => {
    t = new TestStore();
    for (let n = 0; n < 20; n++) t.store.retain(t.now, LIMITS);
    other = new DatabaseSync(t.path);
    other.exec('BEGIN IMMEDIATE');
  });
  afterEach(() => {
    if (other.isOpen) other.close();
    t.remove();
  });

  it('a look for something to send that finds nothing does not wait for it', () => {
    const began = performance.now();
    expect(t.claim()).toEqual([]);
    expect(t.store.claimDesired(DESTINATION, 10, t.now)).toEqual([]);
    expect(t.store.nextAt(t.now, ['gone'])).toBe(Infinity);
    expect(performance.now() - began).toBeLessThan(5 * SECOND);
  });

  it('old rows are not looked for again within ten minutes', () => {
    const began = performance.now();
    t.now += 10 * MINUTE - 1;
    expect(t.store.retain(t.now, LIMITS).usedBytes).toBeGreaterThan(0);
    expect(performance.now() - began).toBeLessThan(5 * SECOND);
  });

  it('what has something to write is written when it is free, whole', () => {
    other.close();
    t.enqueue({ key: 'a' });
    expect(t.claimedKeys()).toEqual(['a']);
  });
});
