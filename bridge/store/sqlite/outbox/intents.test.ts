import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  DELIVERED,
  DESTINATION,
  FAILED,
  HOUR,
  LOST,
  MINUTE,
  REFUSED,
  SECOND,
  T0,
  TestStore,
  held,
} from '../../testing/test-store.ts';

let t: TestStore;
beforeEach(() => {
  t = new TestStore();
});
afterEach(() => t.remove());

const slow = (key: string) => ({ key, perSecond: 5 });

describe('enqueue', () => {
  it('takes a key once per destination', () => {
    const intent = { key: 'k', lane: 'l', payload: null, limits: [] };
    const added = t.store.transaction((tx) => [
      tx.timeline.enqueue(DESTINATION, 't', intent, T0),
      tx.timeline.enqueue(DESTINATION, 't', intent, T0),
      tx.timeline.enqueue('sentry/default', 't', intent, T0),
    ]);
    expect(added).toEqual([true, false, true]);
  });

  it('writes nothing when the transaction throws', () => {
    expect(() =>
      t.store.transaction((tx) => {
        tx.timeline.enqueue(DESTINATION, 't', { key: 'k', lane: 'l', payload: null, limits: [] }, T0);
        throw new Error('poisoned');
      }),
    ).toThrow('poisoned');
    expect(t.claim()).toEqual([]);
  });
});

describe('claim', () => {
  it('gives only the first unsettled intent of a lane, the whole of it, and counts the try', () => {
    t.enqueue({ key: 'a1', lane: 'a', payload: { state: 'run' }, limits: [slow('m')] }, { key: 'a2', lane: 'a' });
    const claimed = t.claim();
    expect(claimed).toMatchObject([
      { key: 'a1', lane: 'a', payload: { state: 'run' }, limits: [slow('m')], attempt: 1, destination: DESTINATION },
    ]);
    expect(t.claim()).toEqual([]);
    t.settle(claimed, DELIVERED);
    expect(t.claimedKeys()).toEqual(['a2']);
  });

  it('gives the longest waiting first, as many as asked', () => {
    t.enqueue({ key: 'a', limits: [slow('x')] }, { key: 'b' }, { key: 'c', limits: [slow('y')] });
    const [first] = t.store.claim(DESTINATION, 1, t.now, [], false);
    expect(first?.key).toBe('a');
    t.now += SECOND;
    t.settle([first!], FAILED, 0);
    expect(t.claimedKeys()).toEqual(['b', 'c', 'a']);
  });

  it('leaves out what has a limit key in `exclude`, whichever of its keys that is', () => {
    t.enqueue({ key: 'a', limits: [slow('m1'), slow('address')] }, { key: 'b', limits: [slow('m2')] });
    expect(t.claimedKeys(['address'])).toEqual(['b']);
    expect(t.claimedKeys(['m1'])).toEqual([]);
    expect(t.claimedKeys()).toEqual(['a']);
  });

  it('gives at most `perGate` of those with the same limits, and all without limits', () => {
    const m = { limits: [slow('m')] };
    t.enqueue({ key: 'a', ...m }, { key: 'b', ...m }, { key: 'c', ...m }, { key: 'd' }, { key: 'e' });
    const keys = t.store.claim(DESTINATION, 10, t.now, [], false, 2).map(({ key }) => key);
    expect(keys).toEqual(['a', 'b', 'd', 'e']);
  });

  it('gives nothing of another destination', () => {
    t.enqueue({ key: 'a' });
    expect(t.store.claim('sentry/default', 10, t.now, [], false)).toEqual([]);
  });
});

describe('waiting for a monitor', () => {
  const intent = { key: 'run', waitsFor: 'm' };

  it('sends nothing before the monitor was accepted once, and says why', () => {
    t.want('m', 1);
    t.enqueue(intent);
    expect(t.claimedKeys()).toEqual([]);
    expect(t.delivery('run')).toMatchObject({ status: 'pending', reason: 'awaiting_row' });
    const rows = t.claimRows();
    t.settleRows(rows, FAILED, 0);
    expect(t.claimedKeys()).toEqual([]);
    t.settleRows(t.claimRows(), DELIVERED);
    expect(t.claimedKeys()).toEqual(['run']);
  });

  it('holds also the next of the lane, and one that comes before its monitor row', () => {
    t.enqueue({ ...intent, lane: 'l' }, { key: 'complete', lane: 'l', waitsFor: 'm' });
    t.want('m', 1);
    expect(t.claimedKeys()).toEqual([]);
    t.settleRows(t.claimRows(), DELIVERED);
    t.settle(t.claim(), DELIVERED);
    expect(t.claimedKeys()).toEqual(['complete']);
  });

  it('is over when the vendor refuses the monitor for good; the receipt says so', () => {
    t.want('m', 1);
    t.enqueue(intent);
    t.settleRows(t.claimRows(), REFUSED);
    const claimed = t.claim();
    expect(claimed).toMatchObject([{ key: 'run', waitsFor: 'm' }]);
    t.settle(claimed, DELIVERED);
    expect(t.delivery('run')).toMatchObject({
      status: 'delivered',
      detail: 'row_refused: bad_request: no such schedule',
    });
    t.enqueue({ key: 'later', waitsFor: 'm' });
    expect(t.claimedKeys()).toEqual(['later']);
  });

  it('does not concern a dry run', () => {
    t.want('m', 1);
    t.enqueue(intent);
    expect(t.claim([], true)).toMatchObject([{ key: 'run' }]);
  });

  it('still waits when a dry run was interrupted and the destination is live now', () => {
    t.want('m', 1);
    t.enqueue(intent);
    t.claim([], true);
    t.restart();
    expect(t.claimedKeys()).toEqual([]);
  });
});

describe('settle', () => {
  it('says delivered, or delivered_again when the answer to an earlier try was lost', () => {
    t.enqueue({ key: 'a' }, { key: 'b' });
    const [a, b] = t.claim();
    t.settle([a!], DELIVERED);
    t.settle([b!], LOST, 0);
    t.settle(t.claim(), DELIVERED);
    expect(t.delivery('a')).toMatchObject({ status: 'delivered', reason: 'delivered', attempts: 1, settledAt: T0 });
    expect(t.delivery('b')).toMatchObject({ reason: 'delivered_again', attempts: 2, unknownOutcomes: 1 });
    expect(t.reader.receiptCounts()).toEqual([
      { destination: DESTINATION, reason: 'delivered', count: 1 },
      { destination: DESTINATION, reason: 'delivered_again', count: 1 },
    ]);
  });

  it('tries again after the delay that the outbox decided, whatever the vendor`s hint was', () => {
    t.enqueue({ key: 'a' });
    t.settle(t.claim(), { ...FAILED, outcome: 'retry', reason: 'server_error', afterMs: SECOND }, 5 * SECOND);
    t.now += 5 * SECOND - 1;
    expect(t.claimedKeys()).toEqual([]);
    t.now += 1;
    const again = t.claim();
    expect(again).toMatchObject([{ attempt: 2 }]);
    t.settle(again, held('m', SECOND), 9 * SECOND);
    t.now += 9 * SECOND - 1;
    expect(t.claimedKeys()).toEqual([]);
  });

  it('drops with the reason and lets the lane go on', () => {
    t.enqueue({ key: 'a', lane: 'l' }, { key: 'b', lane: 'l' });
    t.settle(t.claim(), REFUSED);
    expect(t.delivery('a')).toMatchObject({ status: 'dropped', reason: 'bad_request', detail: 'no such schedule' });
    expect(t.claimedKeys()).toEqual(['b']);
  });

  it('changes nothing for what is settled already', () => {
    t.enqueue({ key: 'a' });
    const claimed = t.claim();
    t.settle(claimed, DELIVERED);
    t.settle(claimed, LOST);
    t.now += HOUR;
    expect(t.claimedKeys()).toEqual([]);
    expect(t.delivery('a').status).toBe('delivered');
  });

  it('keeps no more than a line of an answer', () => {
    t.enqueue({ key: 'a' });
    t.settle(t.claim(), { outcome: 'drop', reason: 'bad_request', detail: 'x'.repeat(100_000) });
    expect(t.delivery('a').detail?.length).toBe(1000);
  });
});

describe('a hold', () => {
  it('stops everything with its limit key, costs no attempt, and ends by itself', () => {
    t.enqueue({ key: 'a', limits: [slow('m')] }, { key: 'b', limits: [slow('m')] }, { key: 'c', limits: [slow('n')] });
    const [a] = t.store.claim(DESTINATION, 1, t.now, [], false);
    t.settle([a!], held('m', MINUTE));
    expect(t.delivery('a')).toMatchObject({ attempts: 0, reason: 'rate_limited' });
    expect(t.claimedKeys()).toEqual(['c']);
    t.now += MINUTE - 1;
    expect(t.claimedKeys()).toEqual([]);
    t.now += 1;
    expect(t.claim()).toMatchObject([
      { key: 'b', attempt: 1 },
      { key: 'a', attempt: 1 },
    ]);
  });

  it('on the destination stops all of it, monitors too, also after a restart', () => {
    t.enqueue({ key: 'a' }, { key: 'b' });
    t.want('m', 1);
    const [a] = t.store.claim(DESTINATION, 1, t.now, [], false);
    t.settle([a!], held(DESTINATION), MINUTE);
    t.restart();
    expect(t.claimedKeys()).toEqual([]);
    expect(t.claimRows()).toEqual([]);
    t.now += MINUTE;
    expect(t.claimedKeys()).toEqual(['b', 'a']);
    expect(t.claimRows()).toHaveLength(1);
  });

  it('is never made shorter by a later one', () => {
    t.enqueue({ key: 'a', limits: [slow('m')] }, { key: 'b', limits: [slow('m')] });
    const [a, b] = t.claim();
    t.settle([a!], held('m', MINUTE));
    t.settle([b!], held('m', SECOND));
    t.now += MINUTE - 1;
    expect(t.claimedKeys()).toEqual([]);
  });
});

describe('a crash', () => {
  it('makes what was in flight due again; its delivery is then delivered_again', () => {
    t.enqueue({ key: 'a', lane: 'l' }, { key: 'b', lane: 'l' });
    t.claim();
    t.restart();
    const again = t.claim();
    expect(again).toMatchObject([{ key: 'a', attempt: 2 }]);
    t.settle(again, DELIVERED);
    expect(t.delivery('a')).toMatchObject({ reason: 'delivered_again', unknownOutcomes: 1 });
    expect(t.claimedKeys()).toEqual(['b']);
  });
});
