import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Json } from '../../../lib/json.ts';
import type { Desired } from '../../../sinks/sink.ts';
import { FORGET, HOLD } from '../../../sinks/sink.ts';
import type { Claimant, DesiredRules } from '../../desired.ts';
import { DELIVERED, DESTINATION, HOUR, LOST, T0, TestStore } from '../../testing/test-store.ts';

const DAY = 24 * HOUR;

let t: TestStore;
beforeEach(() => {
  t = new TestStore();
});
afterEach(() => t.remove());

const accept = () => t.settleRows(t.claimRows(), DELIVERED);
const wanted = (): Json => t.row('m').wanted;
const retire = (last: Json): Json => ({ retired: last });

function claim(payload: Desired['wanted'], who: Partial<Claimant> = {}, rules: Partial<DesiredRules> = {}): void {
  const claimant = { destination: DESTINATION, uid: 'a', createdAt: T0, alive: true, ...who };
  const claims: readonly Desired[] = [{ key: 'm', wanted: payload }];
  t.store.transaction((tx) => tx.desired.claim(claimant, claims, { retire, ...rules }, t.now));
}

describe('an election of the newest', () => {
  const newest = { elect: 'newest' } as const;

  it('takes the payload of the object that was created last, whichever came first', () => {
    claim('second', { uid: 'b', createdAt: T0 + 2 }, newest);
    claim('first', { uid: 'a', createdAt: T0 + 1 }, newest);
    expect(wanted()).toBe('second');
    claim('third', { uid: 'c', createdAt: T0 + 3 }, newest);
    expect(wanted()).toBe('third');
    expect(t.row('m').objects).toEqual(['c', 'b', 'a']);
  });

  it('falls back to the one before when the newest is deleted', () => {
    claim('first', { uid: 'a', createdAt: T0 }, newest);
    claim('second', { uid: 'b', createdAt: T0 + 1 }, newest);
    claim('second', { uid: 'b', createdAt: T0 + 1, alive: false }, newest);
    expect(wanted()).toBe('first');
  });
});

describe('a claim without payload', () => {
  it('keeps the row as it is while its object lives, and makes none', () => {
    claim(HOLD, { uid: 'owner' });
    expect(t.reader.desired({ limit: 10 }).items).toEqual([]);
    claim('of a pod', { uid: 'pod' });
    accept();
    claim('of a pod', { uid: 'pod', alive: false });
    expect(t.row('m')).toMatchObject({ wanted: 'of a pod', inSync: true });
    claim(HOLD, { uid: 'owner', alive: false });
    expect(wanted()).toEqual({ retired: 'of a pod' });
  });

  it('gives way to any payload, also of an object that is younger', () => {
    claim(HOLD, { uid: 'owner', createdAt: T0 });
    claim('one', { uid: 'pod-1', createdAt: T0 + 1 });
    claim('two', { uid: 'pod-2', createdAt: T0 + 2 });
    expect(wanted()).toBe('one');
    claim('one', { uid: 'pod-1', createdAt: T0 + 1, alive: false });
    expect(wanted()).toBe('two');
  });

  it('may be what an object claims once its payload is done', () => {
    claim('one');
    claim(HOLD);
    expect(wanted()).toBe('one');
  });
});

describe('a row that is forgotten', () => {
  const forgets: Partial<DesiredRules> = { retire: () => FORGET };

  it('is gone with its claim, and an answer that comes still changes nothing', () => {
    claim('one', {}, forgets);
    const sent = t.claimRows();
    claim('one', { alive: false }, forgets);
    expect(t.reader.desired({ limit: 10 }).items).toEqual([]);
    t.settleRows(sent, DELIVERED);
    expect([t.claimRows(), t.store.transaction((tx) => tx.desired.wanted(DESTINATION, 'm'))]).toEqual([[], undefined]);
  });

  it('is sent as a new one when it is claimed again, whatever became of the request before', () => {
    claim('one', {}, forgets);
    const sent = t.claimRows();
    claim('one', { alive: false }, forgets);
    claim('one', { uid: 'b' }, forgets);
    t.settleRows(sent, LOST);
    expect(t.claimRows()).toMatchObject([{ key: 'm', wanted: 'one', attempt: 1 }]);
  });
});

describe('an accepted row', () => {
  const sentAgainAfter = (ms: number): number => {
    t.now += ms;
    return t.claimRows().length;
  };

  it('is asserted about once a day, unless its sink says otherwise', () => {
    claim('one');
    accept();
    expect([sentAgainAfter(21 * HOUR), sentAgainAfter(6 * HOUR)]).toEqual([0, 1]);
  });

  it('is asserted as often as its sink says', () => {
    claim('one', {}, { assertEveryMs: HOUR });
    accept();
    expect([sentAgainAfter(0.9 * HOUR), sentAgainAfter(0.4 * HOUR)]).toEqual([0, 1]);
  });

  it('is never sent again where its sink says so, until something else is wanted', () => {
    claim('one', {}, { assertEveryMs: 'never' });
    accept();
    expect(sentAgainAfter(400 * DAY)).toBe(0);
    claim('two', {}, { assertEveryMs: 'never' });
    expect(t.claimRows()).toMatchObject([{ wanted: 'two' }]);
  });
});
