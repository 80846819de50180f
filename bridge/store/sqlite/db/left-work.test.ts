import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Transition } from '../../../lifecycle/transition.ts';
import { DELIVERED, DESTINATION, HOUR, MINUTE, REFUSED, TestStore } from '../../testing/test-store.ts';

let t: TestStore;
beforeEach(() => {
  t = new TestStore();
});
afterEach(() => t.remove());

const ONE = new Set([DESTINATION]);
const NONE = new Set();
const LEFT = { intents: NONE, desired: NONE, journal: false, logs: false, events: false, sweep: false };
const INTENTS = { ...LEFT, intents: ONE };

/** The intents that are claimed, settled as delivered; what that leaves. */
const settled = () =>
  t.store.settle(
    t.claim().map(({ seq }) => ({ seq, delivery: DELIVERED })),
    t.now,
  );

it('an intent leaves work to its destination once it is the first of its lane, whoever made it that', () => {
  t.enqueue({ key: 'a', lane: 'l' });
  expect(t.store.takeWork()).toEqual(INTENTS);
  t.enqueue({ key: 'b', lane: 'l' });
  expect(t.store.takeWork()).toBeUndefined();
  expect(settled()).toEqual(INTENTS);
  expect(settled()).toBeUndefined();
  // Its own is answered to who settles, and to nobody else.
  expect(t.store.takeWork()).toBeUndefined();
});

it('a desired row leaves work when another thing is wanted, and its answer when something waited for it', () => {
  t.want('row', 1);
  expect(t.store.takeWork()).toEqual({ ...LEFT, desired: ONE });
  t.want('row', 1);
  expect(t.store.takeWork()).toBeUndefined();
  t.enqueue({ key: 'a', waitsFor: 'row' });
  t.store.takeWork();
  const rows = t.claimRows().map(({ key, wantedHash }) => ({ destination: DESTINATION, key, sentHash: wantedHash }));
  expect(t.store.settleDesired([{ ...rows[0]!, delivery: REFUSED }], t.now)).toEqual(INTENTS);
});

it('a sweep leaves what is behind the intents that it gives up, and the rows that it has removed', () => {
  t.enqueue({ key: 'a', lane: 'l' });
  t.now += 2 * HOUR;
  t.enqueue({ key: 'b', lane: 'l' });
  expect(t.store.sweep(t.now, HOUR, MINUTE)).toEqual(INTENTS);
  expect(t.store.sweep(t.now, HOUR, MINUTE)).toBeUndefined();
  t.want('row', 1);
  t.settleRows(t.claimRows(), DELIVERED);
  t.want('row', 1, { alive: false }, { retire: (last) => last, removeAfterMs: HOUR });
  t.settleRows(t.claimRows(), DELIVERED);
  t.now += 2 * HOUR;
  expect(t.store.sweep(t.now, 24 * HOUR, 24 * HOUR)).toEqual({ ...LEFT, desired: ONE });
});

it('a transition leaves work to who follows the journal, once', () => {
  const about = { kind: 'Job', namespace: 'shop', name: 'r', uid: 'r' } as const;
  const transition: Transition = { id: 'a', kind: 'run.started', at: t.now, about, runUid: 'r', text: 'a' };
  const add = () => t.store.transaction((tx) => tx.timeline.add(transition, t.now));
  add();
  expect(t.store.takeWork()).toEqual({ ...LEFT, journal: true });
  add();
  expect(t.store.takeWork()).toBeUndefined();
});
