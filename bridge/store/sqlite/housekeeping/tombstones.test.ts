import { ABOUT } from '../../../../test/fixtures/facts.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RetentionLimits } from '../../store.ts';
import { DELIVERED, DESTINATION, HOUR, T0, TestStore } from '../../testing/test-store.ts';

const DAY = 24 * HOUR;
const MIB = 1024 * 1024;
const LIMITS: RetentionLimits = { age: 10 * DAY, maxBytes: 1 << 30 };
let test: TestStore;
beforeEach(() => (test = new TestStore()));
afterEach(() => test.remove());

/** Deleted runs of which two deliveries were sent. */
function over(from: number, to: number): void {
  test.store.transaction((tx) => {
    for (let n = from; n < to; n++) {
      const uid = uidOf(n);
      const object = { uid, kind: 'Job', namespace: 'shop', name: `report-${n}`, ownerUid: undefined } as const;
      const state = { facts: { createdAt: T0 + n } };
      tx.objects.put({ ...object, version: '1', deleted: true, overAt: test.now, state });
      const runKey = `33333333-0000-4000-8000-000000000001/${T0 + n}`;
      tx.runs.claimKey(runKey, uid);
      const run = { kind: 'Job', uid, namespace: 'shop', name: object.name, status: 'succeeded', runKey } as const;
      const endedAt = { endedAt: T0 + n, ownerUid: undefined, ownerName: undefined } as never as object;
      tx.runs.put({ run: { ...run, ...endedAt } as never, memory: { memos: {}, waiting: [], waitingFor: undefined } });
      for (const edge of ['started', 'ended'] as const) {
        const id = `${runKey}/${edge}`;
        tx.timeline.add({ id, kind: `run.${edge}`, at: T0 + n, about: ABOUT, runUid: uid, text: '' }, test.now);
        tx.timeline.enqueue(DESTINATION, id, { key: id, lane: uid, payload: null, limits: [] }, test.now);
      }
    }
  });
  for (let claimed = test.claim(); claimed.length > 0; claimed = test.claim()) test.settle(claimed, DELIVERED);
}

const uidOf = (n: number): string => `11111111-0000-4000-8000-${String(n).padStart(12, '0')}`;

/** Steps until nothing more goes: each removes something of what is over, however slow the machine. */
function retain(limits = LIMITS): void {
  for (let before = '', now = counts(); before !== now; now = counts()) {
    before = now;
    for (let n = 0; n < 5; n++) test.store.retain(test.now, limits);
  }
}

const counts = (): string => [tombstones(), withSent(), query('SELECT count(*) AS n FROM objects')].join();

const query = (sql: string): number => test.query<{ n: number }>(sql)[0]!.n;

const tombstones = (): number => query('SELECT count(*) AS n FROM tombstones');
const withSent = (): number => query("SELECT count(*) AS n FROM tombstones WHERE announced <> '[]'");
const forgottenUpTo = (): number => test.store.transaction((tx) => tx.tombstones.forgottenUpTo());

describe('tombstones', () => {
  it('say what was sent for the age of the retention, and are kept bare after that', () => {
    over(0, 20);
    test.now += 11 * DAY;
    retain();
    expect([tombstones(), withSent()]).toEqual([20, 20]);
    test.now += 9 * DAY;
    test.restart();
    retain();
    expect(withSent()).toBe(20);
    test.now += 2 * DAY;
    retain();
    expect([tombstones(), withSent()]).toEqual([20, 0]);
    expect(test.reader.pruned(uidOf(0))).toMatchObject({ name: 'report-0', announced: [] });
    test.now += 20 * DAY;
    retain();
    expect([tombstones(), query('SELECT count(*) AS n FROM run_keys')]).toEqual([0, 0]);
    expect(forgottenUpTo()).toBe(T0 + 19);
  });

  it('are bounded by a share of maxBytes, and what is older than those that had to go counts as forgotten', () => {
    const limits = { ...LIMITS, maxBytes: MIB };
    for (let n = 0; n < 6; n++) {
      over(n * 300, n * 300 + 300);
      test.now += (11 * DAY) / 10;
      retain(limits);
    }
    const count = tombstones();
    expect(count).toBeGreaterThan(500);
    expect(count).toBeLessThanOrEqual(MIB / 4 / 300);
    expect(withSent()).toBeLessThanOrEqual(MIB / 32 / 350 + 1);
    const gone = query('SELECT max(substr(uid, -12) + 0) AS n FROM (SELECT uid FROM tombstones ORDER BY id LIMIT 1)');
    expect(forgottenUpTo()).toBe(T0 + gone - 1);
    expect(query('SELECT count(*) AS n FROM run_keys')).toBe(
      query('SELECT count(*) AS n FROM (SELECT uid FROM tombstones UNION SELECT uid FROM objects)'),
    );
  });

  it('do not count a creation that lies ahead of the clock as forgotten time to come', () => {
    test.store.transaction((tx) =>
      tx.tombstones.put({ uid: 'a', kind: 'Pod', namespace: 'shop', name: 'a', createdAt: T0 + 9999 * DAY }, test.now),
    );
    test.now += 31 * DAY;
    retain();
    expect([tombstones(), forgottenUpTo()]).toEqual([0, T0]);
  });
});
