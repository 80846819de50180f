import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventFacts, podFacts, T0 } from '../../test/fixtures/facts.ts';
import type { EventFacts } from '../kubernetes/kinds/event.ts';
import type { Facts } from '../kubernetes/observation.ts';
import type { Instant } from '../lib/clock.ts';
import type { JournalEntry } from '../sinks/sink.ts';
import { at, JOB_UID, scheduled, TestEngine } from './test-engine.ts';

const TO = 'demo/default';
const SECOND = 1_000;
const POD = podFacts();
const JOB = scheduled();

let bridge: TestEngine;
let now: Instant;
beforeEach(() => {
  bridge = new TestEngine();
  now = T0 + 60 * SECOND;
});
afterEach(() => bridge.close());

const comes = (...facts: (Facts | EventFacts)[]): void => {
  const observations = facts.map((one) => at(one as Facts, now));
  expect(bridge.take(observations, now).poisoned).toBe(0);
};
const said = (uid: string, changes: Partial<EventFacts['regarding']> = {}) =>
  eventFacts({ uid, regarding: { ...eventFacts().regarding, ...changes } });
const nameOf = (entry: JournalEntry): string => ('event' in entry ? entry.event.uid : entry.transition.id);

/** What leaves now and was taken, as `entry: run`. */
function leaves(): string[] {
  const batch = bridge.store.claimJournal(TO, 100, now);
  if (batch === undefined || batch.entries.length === 0) return [];
  const { upTo, entries } = batch;
  const settled = { destination: TO, upTo, entries: entries.length, delivery: { outcome: 'delivered' } as const };
  bridge.store.settleJournal([settled], now);
  return entries.map((entry) => `${nameOf(entry)}: ${entry.run?.uid ?? 'no run'}`);
}
const ofPod = (...names: string[]): string[] => names.map((name) => `${name}: ${JOB_UID}`);

describe('an entry of the journal whose run is not known yet', () => {
  it('waits: an Event for its pod and for the Job of that, and leaves once with the run, within half a second', () => {
    comes(said('e1'));
    expect(leaves()).toEqual([]);
    now += 2 * SECOND;
    comes(POD);
    expect(leaves()).toEqual([]);
    now += 2 * SECOND;
    comes(JOB);
    expect(leaves()).toEqual(expect.arrayContaining(ofPod('e1')));
    now += 20 * SECOND;
    expect(leaves().join()).not.toContain('e1');
  });

  it('waits also as an Event of a Job, and as what happened to a pod', () => {
    comes(said('e1', { kind: 'Job', group: 'batch', uid: JOB_UID }));
    comes(podFacts({ startAt: T0, phase: 'Running' }));
    expect(leaves()).toEqual([]);
    now += SECOND;
    comes(JOB);
    const all = leaves();
    expect(all).toHaveLength(3);
    expect(all.every((one) => one.endsWith(`: ${JOB_UID}`))).toBe(true);
  });

  it('leaves without it ten seconds after it came, also when others came after it', () => {
    comes(said('e1'));
    for (let n = 2; n < 20; n++) {
      expect(leaves()).toEqual([]);
      now += SECOND / 2;
      comes(said(`e${n}`));
    }
    now += SECOND;
    expect(leaves()[0]).toBe('e1: no run');
    now += 10 * SECOND;
    const rest = leaves();
    expect([rest.length, rest.at(-1)]).toEqual([18, 'e19: no run']);
  });

  it('waits no second time when it is said again, and not after a restart that took longer', () => {
    comes(said('e1'));
    expect(leaves()).toEqual([]);
    now += 11 * SECOND;
    bridge.restart(undefined, now);
    comes({ ...said('e1'), count: 10, resourceVersion: '200', lastAt: now });
    expect(leaves()).toEqual(['e1: no run']);
  });

  it('does not wait after the clock was set back, by however much', () => {
    comes(said('e1'));
    now -= 3_600 * SECOND;
    expect(leaves()).toEqual(['e1: no run']);
  });

  it('holds back what came after it and nothing from before', () => {
    comes(JOB, said('e1', { kind: 'Job', group: 'batch', uid: JOB_UID }));
    comes(said('e2'));
    comes(said('e3', { kind: 'Job', group: 'batch', uid: JOB_UID }));
    const before = leaves();
    expect([before.length, before.at(-1)]).toEqual([2, `e1: ${JOB_UID}`]);
    expect(leaves()).toEqual([]);
    now += 10 * SECOND;
    expect(leaves()).toEqual(['e2: no run', `e3: ${JOB_UID}`]);
  });
});

it.each([
  ['a node', { kind: 'Node', uid: 'node-1' }],
  ['an object without a UID', { uid: undefined }],
  ['a kind of its own that is called Job', { kind: 'Job', group: 'example.com', uid: 'j' }],
])('an Event about %s leaves at once: there is no run that could come', (_what, changes) => {
  comes(said('e1', changes));
  expect(leaves()).toEqual(['e1: no run']);
});

it('an Event about a pod that belongs to no run leaves at once', () => {
  const owner = { group: 'apps', kind: 'DaemonSet', name: 'agent', uid: 'agent' };
  comes(podFacts({ owner }), said('e1'));
  expect(leaves()).toEqual(['e1: no run']);
});
