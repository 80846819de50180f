import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cronJobFacts } from '../../../../test/fixtures/facts.ts';
import { judge, notRun } from '../../../lifecycle/schedule-watch.ts';
import type { RetentionLimits } from '../../store.ts';
import { DESTINATION, HOUR, T0, TestStore } from '../../testing/test-store.ts';

const DAY = 24 * HOUR;
const LIMITS: RetentionLimits = { age: 10 * DAY, maxBytes: 1 << 30 };
let test: TestStore;
beforeEach(() => (test = new TestStore()));
afterEach(() => test.remove());

/** What the bridge writes when it judges a scheduled time. */
function judged(at: number, blocked: boolean): string {
  const expected = { at, due: at + DAY, blocked };
  const { verdict } = judge(cronJobFacts(), expected, { jobSeen: false, previousActive: blocked });
  const { run, transition } = notRun(cronJobFacts(), verdict!, `run-${at}`);
  test.store.transaction((tx) => {
    tx.runs.put({ run, memory: { memos: {}, waiting: [], waitingFor: undefined } });
    tx.timeline.add(transition, at);
  });
  return transition.id;
}

function retained(limits = LIMITS): [uid: string, transitions: number][] {
  // Each call works for a while only.
  for (let n = 0; n < 20; n++) test.store.retain(test.now, limits);
  const { items } = test.reader.runs({ limit: 10 });
  return items.map(({ uid }) => [uid, test.reader.run(uid)!.transitions.length]);
}

describe('a scheduled time without a Job, missed or skipped', () => {
  it('goes by age, with what was reported of it', () => {
    judged(T0, false);
    judged(T0 + HOUR, true);
    judged(T0 + 5 * DAY, false);
    test.now = T0 + 11 * DAY;
    expect(retained()).toEqual([[`run-${T0 + 5 * DAY}`, 1]]);
  });

  it('goes by size before that, the oldest first', () => {
    for (let n = 0; n < 150; n++) judged(T0 + n * HOUR, false);
    test.now = T0 + DAY;
    const { usedBytes } = test.store.retain(test.now, { ...LIMITS, age: 100 * DAY });
    test.now = T0 + 151 * HOUR;
    const limits = { age: 100 * DAY, maxBytes: Math.floor(usedBytes * 0.9) };
    for (let n = 0; n < 20; n++) test.store.retain(test.now, limits);
    expect(test.store.retain(test.now, limits).usedBytes).toBeLessThanOrEqual(limits.maxBytes);
    expect(test.reader.run(`run-${T0}`)).toBeUndefined();
    expect(test.reader.run(`run-${T0 + 149 * HOUR}`)).toBeDefined();
  });

  it('stays while something of it waits to be sent', () => {
    const id = judged(T0, false);
    const intent = { key: id, lane: id, payload: null, limits: [] };
    test.store.transaction((tx) => tx.timeline.enqueue(DESTINATION, id, intent, T0));
    test.now = T0 + 11 * DAY;
    expect(retained()).toEqual([[`run-${T0}`, 1]]);
  });
});
