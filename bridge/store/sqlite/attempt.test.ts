import { ABOUT } from '../../../test/fixtures/facts.ts';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DESTINATION, TestStore } from '../testing/test-store.ts';

let t: TestStore;
beforeEach(() => {
  t = new TestStore();
});
afterEach(() => t.remove());

const cronJob = { uid: 'c', namespace: 'shop', name: 'report' };

it('an attempt that throws leaves nothing behind: no row, and nothing that is counted or logged', () => {
  t.store.transaction((tx) => {
    const attempt = () =>
      tx.attempt(() => {
        tx.timeline.add({ id: 't', kind: 'run.started', at: t.now, about: ABOUT, runUid: 'r', text: 'started' }, t.now);
        const decision = { transitionId: 't', destination: DESTINATION, detail: undefined, at: t.now };
        tx.timeline.decide({ ...decision, verdict: 'dropped', reason: 'not_selected' });
        tx.unjudged.set(cronJob, { reason: 'zone_data_differ', zone: 'UTC', detail: 'an instant' }, t.now);
        throw new Error('a poisoned record');
      });
    expect(attempt).toThrow('a poisoned record');
  });
  expect(t.store.take('transitions')).toEqual([]);
  expect(t.store.take('dropped')).toEqual([]);
  expect(t.store.take('unjudged')).toEqual([]);
});
