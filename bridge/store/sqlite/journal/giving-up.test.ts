import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ABOUT, TestJournal, TO } from '../../testing/test-journal.ts';
import { FAILED, held, HOUR, MINUTE } from '../../testing/test-store.ts';

let t: TestJournal;
beforeEach(() => {
  t = new TestJournal();
});
afterEach(() => t.remove());

describe('what cannot be exported', () => {
  const sweep = (followers: readonly string[] = [TO]) => t.store.sweep(t.now, 24 * HOUR, MINUTE, followers);

  it('is given up after the age of the outbox, and what came later is not', () => {
    t.commit('a', 'b');
    t.settleNext(t.next(), FAILED);
    sweep();
    t.now += 23 * HOUR;
    sweep();
    t.commit('c');
    t.now += 2 * HOUR;
    sweep();
    expect(t.exportAll()).toEqual(['c']);
    expect(t.receipts()).toEqual({ expired: 2, delivered: 1 });
  });

  it('does not grow older behind a hold', () => {
    t.commit('a');
    sweep();
    t.settleNext(t.next(), held(TO), 30 * HOUR);
    t.now += 30 * HOUR;
    sweep();
    expect(t.exportAll()).toEqual(['a']);
  });

  it('is not pruned before: neither by age, nor by size, nor an Event', () => {
    const run = { status: 'succeeded', uid: 'run-1', endedAt: t.now };
    t.store.transaction((tx) => {
      const row = { uid: 'run-1', kind: 'Job', namespace: 'shop', name: 'report-1', version: '1' } as const;
      tx.objects.put({ ...row, ownerUid: undefined, deleted: true, overAt: t.now, state: { facts: { ...ABOUT } } });
      tx.runs.put({
        run: { ...ABOUT, ...run, runKey: 'run-1' } as never,
        memory: { memos: {}, waiting: [], waitingFor: undefined },
      });
    });
    t.commit('a');
    t.say('e1');
    t.next(1);
    t.now += 3 * HOUR;
    const retain = (): void => void t.store.retain(t.now, { age: HOUR, maxBytes: 1 });
    retain();
    expect(t.query('SELECT id FROM transitions')).toHaveLength(1);
    expect(t.query('SELECT uid FROM events')).toHaveLength(1);
    t.restart();
    expect(t.exportAll()).toEqual(['a', 'e1×1']);
    for (let n = 0; n < 5; n++) retain();
    expect(t.query('SELECT id FROM transitions')).toEqual([]);
    expect(t.query('SELECT uid FROM events')).toEqual([]);
  });

  it('is counted as dropped while the bridge is retired, and follows again afterwards', () => {
    t.commit('a');
    t.next(1);
    t.restart();
    t.store.transaction((tx) => tx.retirement.set(true, 'ada', t.now));
    t.commit('b');
    expect(t.next()).toBeUndefined();
    t.now += MINUTE;
    sweep();
    t.commit('c');
    t.store.transaction((tx) => tx.retirement.set(false, 'ada', t.now));
    t.commit('d');
    expect(t.exportAll()).toEqual(['d']);
    expect(t.receipts()).toEqual({ retired: 3, delivered: 1 });
  });
});

describe('a destination that follows no more', () => {
  const rows = () => t.query<{ destination: string }>('SELECT destination FROM journals').map((row) => row.destination);

  it('is let go at once when it is configured without', () => {
    t.commit('a');
    t.settleNext(t.next(), FAILED);
    t.store.sweep(t.now, 24 * HOUR, MINUTE, []);
    expect(rows()).toEqual([]);
    expect(t.receipts()).toEqual({ destination_removed: 1 });
  });

  it('goes on when it comes back in time, and is let go when it left for longer', () => {
    t.commit('a');
    t.settleNext(t.next(), FAILED);
    const configured = (...all: string[]) => t.store.transaction((tx) => tx.destinations.configured(all, t.now));
    configured();
    t.now += HOUR;
    t.store.sweep(t.now, 24 * HOUR, MINUTE, []);
    configured(TO);
    expect(t.exportAll()).toEqual(['a']);
    t.commit('b');
    configured();
    t.now += 25 * HOUR;
    t.store.sweep(t.now, 24 * HOUR, MINUTE, []);
    expect(rows()).toEqual([]);
    expect(t.receipts()).toEqual({ delivered: 1, destination_removed: 1 });
  });
});
