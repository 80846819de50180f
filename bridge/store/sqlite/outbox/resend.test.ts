import { ABOUT } from '../../../../test/fixtures/facts.ts';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  DELIVERED,
  DESTINATION,
  FAILED,
  HOUR,
  MINUTE,
  REFUSED,
  T0,
  TestStore,
  held,
} from '../../testing/test-store.ts';

let t: TestStore;
beforeEach(() => {
  t = new TestStore();
});
afterEach(() => t.remove());

const resend = (subject: string, force = false, destination?: string) =>
  t.store.resend({ subject, force, destination }, 'ada', t.now);

it('makes a dead letter pending again under its key, with a new age, and remembers who asked', () => {
  t.enqueue({ key: 'a', payload: { state: 'run' } });
  const first = t.claim();
  t.settle(first, FAILED);
  t.now += 25 * HOUR;
  t.store.sweep(t.now, 24 * HOUR, 2 * MINUTE);
  t.store.sweep(t.now, 0, 2 * MINUTE);
  expect(t.delivery('a')).toMatchObject({ status: 'dropped', reason: 'expired' });
  expect(resend('transition of a')).toMatchObject([{ seq: first[0]!.seq, result: 'resent', was: 'expired' }]);
  t.store.sweep(t.now, 24 * HOUR, 2 * MINUTE);
  const again = t.claim();
  expect(again).toMatchObject([{ ...first[0], attempt: 1 }]);
  t.settle(again, DELIVERED);
  expect(t.delivery('a')).toMatchObject({
    status: 'delivered',
    resends: [{ at: t.now, by: 'ada', wasStatus: 'dropped', wasReason: 'expired' }],
  });
});

it('finds intents by number, transition and run, at one destination if asked', () => {
  t.store.transaction((tx) => {
    tx.timeline.add({ id: 't', kind: 'run.started', at: T0, about: ABOUT, runUid: 'run-uid', text: 'started' }, T0);
    tx.timeline.enqueue(DESTINATION, 't', { key: 'k', lane: 'l', payload: 1, limits: [] }, T0);
    tx.timeline.enqueue('sentry/default', 't', { key: 'k', lane: 'l', payload: 1, limits: [] }, T0);
  });
  expect(resend('run-uid').map(({ destination }) => destination)).toEqual([DESTINATION, 'sentry/default']);
  expect(resend('t', false, 'sentry/default')).toMatchObject([{ seq: 2, result: 'pending' }]);
  expect(resend('1')).toMatchObject([{ destination: DESTINATION }]);
  expect(resend('nobody')).toEqual([]);
});

it('sends what was delivered again only when forced', () => {
  t.enqueue({ key: 'a' });
  t.settle(t.claim(), DELIVERED);
  expect(resend('transition of a')).toMatchObject([{ result: 'delivered', was: 'delivered' }]);
  expect(t.claim()).toEqual([]);
  expect(resend('transition of a', true)).toMatchObject([{ result: 'resent' }]);
  expect(t.claimedKeys()).toEqual(['a']);
});

it('keeps the order of the lane: what comes later waits for it again', () => {
  t.enqueue({ key: 'a', lane: 'l' }, { key: 'b', lane: 'l' });
  t.settle(t.claim(), REFUSED);
  resend('transition of a');
  const head = t.claim();
  expect(head.map(({ key }) => key)).toEqual(['a']);
  t.settle(head, DELIVERED);
  expect(t.claimedKeys()).toEqual(['b']);
});

it('waits for what is in flight in its lane', () => {
  t.enqueue({ key: 'a', lane: 'l' }, { key: 'b', lane: 'l' });
  t.settle(t.claim(), REFUSED);
  const later = t.claim();
  resend('transition of a');
  expect(t.claim()).toEqual([]);
  t.settle(later, DELIVERED);
  expect(t.claimedKeys()).toEqual(['a']);
});

it.each([
  ['is tried again', (later: ReturnType<TestStore['claim']>) => t.settle(later, FAILED, 0)],
  ['is held', (later: ReturnType<TestStore['claim']>) => t.settle(later, held('l', 1), 0)],
  ['was lost in a crash', () => t.restart()],
])('goes before what was in flight in its lane and %s', (_how, end) => {
  t.enqueue({ key: 'a', lane: 'l' }, { key: 'b', lane: 'l' });
  t.settle(t.claim(), REFUSED);
  const later = t.claim();
  resend('transition of a');
  t.enqueue({ key: 'c', lane: 'l' });
  expect(t.claimedKeys()).toEqual([]);
  end(later);
  t.now += MINUTE;
  const order: string[] = [];
  for (let claimed = t.claim(); claimed.length > 0; claimed = t.claim()) {
    order.push(claimed.map(({ key }) => key).join(' and '));
    t.settle(claimed, DELIVERED);
  }
  expect(order).toEqual(['a', 'b', 'c']);
});

it('shows the answers of tries that did not settle it, by reason', () => {
  t.enqueue({ key: 'a' });
  t.settle(t.claim(), FAILED, 0);
  t.settle(t.claim(), { ...FAILED, outcome: 'retry', reason: 'timeout', detail: 'late' }, 0);
  t.now += 1;
  t.settle(t.claim(), FAILED, 0);
  t.settle(t.claim(), DELIVERED);
  expect(t.delivery('a').answers).toEqual([
    { reason: 'timeout', detail: 'late', count: 1, lastAt: T0 },
    { reason: 'server_error', count: 2, lastAt: T0 + 1 },
  ]);
});
