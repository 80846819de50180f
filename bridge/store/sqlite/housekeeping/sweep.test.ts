import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DELIVERED, FAILED, HOUR, MINUTE, TestStore, held } from '../../testing/test-store.ts';

let t: TestStore;
beforeEach(() => {
  t = new TestStore();
});
afterEach(() => t.remove());

const slow = (key: string) => ({ key, perSecond: 5 });

describe('expiry', () => {
  const sweep = () => t.store.sweep(t.now, HOUR, 2 * MINUTE);

  it('gives up what is over the maximum age, with the last failure, and lets the lane go on', () => {
    t.enqueue({ key: 'a', lane: 'l' }, { key: 'b', lane: 'l' });
    t.settle(t.claim(), FAILED, 0);
    t.now += HOUR;
    t.store.sweep(t.now, HOUR, 2 * HOUR);
    expect(t.delivery('a').status).toBe('pending');
    t.now += 1;
    t.store.sweep(t.now, HOUR, 2 * HOUR);
    expect(t.delivery('a')).toMatchObject({ status: 'dropped', reason: 'expired', detail: 'server_error' });
    expect(t.claimedKeys()).toEqual(['b']);
  });

  it('counts from the first time that an intent might have been sent', () => {
    t.want('m', 1);
    t.enqueue({ key: 'a', lane: 'l', waitsFor: 'm' }, { key: 'b', lane: 'l' });
    t.now += 2 * HOUR;
    t.settleRows(t.claimRows(), DELIVERED);
    sweep();
    expect(t.delivery('a').status).toBe('pending');
    t.now += HOUR / 2;
    t.settle(t.claim(), DELIVERED);
    t.now += HOUR;
    sweep();
    expect(t.delivery('b').status).toBe('pending');
    t.now += 1;
    sweep();
    expect(t.delivery('b').reason).toBe('expired');
  });

  it('does not count the time behind holds, whether they began before or after', () => {
    t.enqueue({ key: 'a', limits: [slow('m')] });
    t.settle(t.claim(), held('m', 2 * HOUR));
    t.now += HOUR;
    t.enqueue({ key: 'b', limits: [slow('m')] });
    t.now += 2 * HOUR;
    sweep();
    expect([t.delivery('a').status, t.delivery('b').status]).toEqual(['pending', 'pending']);
    t.now += 1;
    sweep();
    expect([t.delivery('a').reason, t.delivery('b').reason]).toEqual(['expired', 'expired']);
  });

  it('does not count the time in which no bridge ran', () => {
    t.enqueue({ key: 'a' });
    sweep();
    t.restart(48 * HOUR);
    sweep();
    expect(t.delivery('a').status).toBe('pending');
    t.now += HOUR + 1;
    sweep();
    expect(t.delivery('a').reason).toBe('expired');
  });

  it('leaves alone what is being sent', () => {
    t.enqueue({ key: 'a' });
    t.claim();
    t.now += 2 * HOUR;
    sweep();
    expect(t.delivery('a').status).toBe('sending');
  });
});

describe('superseding', () => {
  const sweep = () => t.store.sweep(t.now, 24 * HOUR, 2 * MINUTE);

  it('settles what failed by itself while a later one of its lane waited two minutes', () => {
    t.enqueue({ key: 'a', lane: 'l' });
    t.settle(t.claim(), FAILED, 0);
    t.enqueue({ key: 'b', lane: 'l' });
    t.now += 2 * MINUTE - 1;
    sweep();
    expect(t.delivery('a').status).toBe('pending');
    t.now += 1;
    sweep();
    expect(t.delivery('a')).toMatchObject({ status: 'dropped', reason: 'superseded', detail: 'server_error' });
    expect(t.claimedKeys()).toEqual(['b']);
  });

  it('does not happen when nothing waits behind it, or when it never failed', () => {
    t.enqueue({ key: 'alone' }, { key: 'a', lane: 'l' }, { key: 'b', lane: 'l' });
    const [alone] = t.claim();
    t.settle([alone!], FAILED, 0);
    t.restart();
    t.now += HOUR;
    sweep();
    expect([t.delivery('alone').status, t.delivery('a').status]).toEqual(['pending', 'pending']);
  });

  it('does not happen to what its sink wants to keep, however long others of its lane wait', () => {
    t.enqueue({ key: 'a', lane: 'l', keep: true }, { key: 'b', lane: 'l' });
    t.settle(t.claim(), FAILED, 0);
    t.restart();
    t.now += HOUR;
    sweep();
    expect(t.delivery('a').status).toBe('pending');
    expect(t.claimedKeys()).toEqual(['a']);
  });

  it('does not happen because of a hold or of our own stop', () => {
    t.enqueue({ key: 'a', lane: 'l', limits: [slow('m')] }, { key: 'b', lane: 'l', limits: [slow('m')] });
    t.settle(t.claim(), held('m', HOUR));
    t.now += HOUR;
    t.settle(t.claim(), { outcome: 'retry', reason: 'shutting_down', unknown: true }, 0);
    t.now += HOUR;
    sweep();
    expect(t.delivery('a').status).toBe('pending');
  });

  it('gives what failed before a hold or a restart another chance after it', () => {
    t.enqueue({ key: 'a', lane: 'l', limits: [slow('m')] }, { key: 'b', lane: 'l' });
    t.settle(t.claim(), FAILED, 0);
    t.settle(t.claim(), held('m', HOUR));
    t.now += HOUR + MINUTE;
    sweep();
    expect(t.delivery('a').status).toBe('pending');
    t.restart(HOUR);
    sweep();
    expect(t.delivery('a').status).toBe('pending');
    t.now += 2 * MINUTE;
    sweep();
    expect(t.delivery('a').reason).toBe('superseded');
  });

  it('counts no time in which an earlier one of the lane was in the way', () => {
    t.enqueue({ key: 'a', lane: 'l' }, { key: 'b', lane: 'l' }, { key: 'c', lane: 'l' });
    t.now += HOUR;
    t.settle(t.claim(), DELIVERED);
    t.settle(t.claim(), FAILED, 0);
    sweep();
    expect(t.delivery('b').status).toBe('pending');
  });
});
