import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Delivery } from '../../../sinks/sink.ts';
import { DELIVERED, DESTINATION, HOUR, MINUTE, REFUSED, SECOND, T0, TestStore } from '../../testing/test-store.ts';

const WRONG_KEY: Delivery = {
  outcome: 'drop',
  reason: 'forbidden',
  detail: 'HTTP 403',
  hold: { key: 'api' },
  afterMs: MINUTE,
};
let t: TestStore;
beforeEach(() => {
  t = new TestStore();
});
afterEach(() => t.remove());

const claim = (limit = 100) => t.store.claimDesired(DESTINATION, limit, t.now, ['api']);
const retry = () => t.store.retryRefused(DESTINATION, ['api'], t.now);

describe('a refusal of the key', () => {
  beforeEach(() => {
    for (const key of ['a', 'b', 'c']) t.want(key, 1, { uid: key });
    t.enqueue({ key: 'run of c', waitsFor: 'c' });
    t.settleRows(claim(1), WRONG_KEY);
  });

  it('is one of all rows, lets their telemetry go, and is asked about again after the hold', () => {
    expect(['a', 'b', 'c'].map((key) => t.row(key).reason)).toEqual(['forbidden', 'forbidden', 'forbidden']);
    expect(t.reader.keyRefusals()).toEqual([
      { destination: DESTINATION, reason: 'forbidden', detail: 'HTTP 403', count: 3 },
    ]);
    expect(t.claimedKeys()).toEqual(['run of c']);
    expect(claim()).toEqual([]);
    t.now += MINUTE;
    t.settleRows(claim(1), DELIVERED);
    expect(t.reader.keyRefusals()[0]).toMatchObject({ count: 2 });
    expect(claim()).toHaveLength(2);
  });

  it('takes another reason for all when more is known', () => {
    t.now += MINUTE;
    t.settleRows(claim(1), { ...WRONG_KEY, reason: 'limited_key' });
    expect(t.reader.keyRefusals()).toMatchObject([{ reason: 'limited_key', count: 3 }]);
  });

  it('is over at once with another key; telemetry that has not gone waits for its monitor again', () => {
    t.now += SECOND;
    retry();
    expect(t.claimedKeys()).toEqual([]);
    const rows = claim();
    expect(rows).toHaveLength(3);
    t.settleRows(rows, DELIVERED);
    expect(t.claimedKeys()).toEqual(['run of c']);
    expect(t.reader.keyRefusals()).toEqual([]);
  });

  it('does not make telemetry that was refused with it wait for its own pause', () => {
    const again: Delivery = { outcome: 'retry', reason: 'unauthorized', afterMs: MINUTE, hold: { key: 'address' } };
    t.settle(t.claim(), again);
    t.now += SECOND;
    t.store.retryRefused(DESTINATION, ['api', 'address'], t.now);
    t.settleRows(claim(), DELIVERED);
    expect(t.claimedKeys()).toEqual(['run of c']);
  });

  it('does not hold telemetry of what was accepted before', () => {
    t.now += MINUTE;
    t.settleRows(claim(), DELIVERED);
    t.want('a', 2, { uid: 'a' });
    t.settleRows(claim(), WRONG_KEY);
    t.enqueue({ key: 'run of a', waitsFor: 'a' });
    retry();
    expect(t.claimedKeys()).toContain('run of a');
  });
});

it('a refusal of one row stays when the key is another, and is repeated more and more rarely, up to once a day', () => {
  t.want('m', 1);
  const waits = [1, 2, 4, 8, 16, 24, 24].map((hours) => {
    t.settleRows(claim(), REFUSED);
    retry();
    t.now += hours * HOUR - 1;
    const early = claim().length;
    t.now += 1;
    return early;
  });
  expect(waits).toEqual([0, 0, 0, 0, 0, 0, 0]);
  expect(t.row('m')).toMatchObject({ reason: 'bad_request', detail: 'no such schedule', notInSyncSince: T0 });
});

it('what was refused comes after what is new: the search for the wrong ones keeps nobody waiting', () => {
  t.want('old', 1, { uid: 'old' });
  t.settleRows(claim(), REFUSED);
  t.now += HOUR;
  t.want('new', 1, { uid: 'new' });
  expect(claim().map(({ key }) => key)).toEqual(['new', 'old']);
});
