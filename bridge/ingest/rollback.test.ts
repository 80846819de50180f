import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cronJobFacts, seen, T0 } from '../../test/fixtures/facts.ts';
import { planConfig } from '../sinks/cronitor/fixtures.ts';
import { createCronitorPlanner } from '../sinks/cronitor/plan.ts';
import type { Planner } from '../sinks/sink.ts';
import { StoreTrouble } from '../store/trouble.ts';
import { complete, CRON, JOB_UID, scheduled, TestEngine, uidOf } from './test-engine.ts';

const planner = createCronitorPlanner('default', planConfig());
const diskFull = new StoreTrouble('database or disk is full');
let failure: Error | undefined;
const failing: Planner = {
  ...planner,
  plan(transition, context) {
    if (context.run?.name === 'bomb' && failure !== undefined) throw failure;
    return planner.plan(transition, context);
  },
};
const bad = seen(scheduled({ uid: uidOf(11), name: 'bomb', scheduledAt: undefined }));
/** The core fails on it. */
const poison = seen({ ...bad.facts, uid: uidOf(12), conditions: null as never });
/** Nothing but the version is another one: it is only remembered, not written. */
const touched = (version: string) => seen(scheduled({ resourceVersion: version }));
const completeTouched = seen(complete({ resourceVersion: '125' }));

let bridge: TestEngine;
beforeEach(() => {
  bridge = new TestEngine({ planners: [failing] });
  bridge.take([seen(CRON), seen(scheduled())]);
});
afterEach(() => bridge.close());

function stored(): { version: string; active: number } {
  const database = new DatabaseSync(bridge.path, { readOnly: true });
  const row = database.prepare('SELECT version, state FROM objects WHERE uid = ?').get(JOB_UID);
  database.close();
  const { facts } = JSON.parse(String(row?.['state'])) as { facts: { active: number } };
  return { version: String(row?.['version']), active: facts.active };
}

describe('a commit that is rolled back', () => {
  it('loses nothing of a batch in which another record cannot be processed', () => {
    expect(bridge.take([seen(complete()), completeTouched, poison])).toMatchObject({ poisoned: 1 });
    expect(bridge.reported()).toEqual(['run@1', 'complete@9']);
  });

  it('loses nothing when the same records come again after the store was in trouble', () => {
    failure = diskFull;
    const batch = [seen(complete()), completeTouched, bad];
    expect(() => bridge.take(batch)).toThrow('disk is full');
    failure = undefined;
    bridge.take(batch);
    expect(bridge.reported()).toEqual(['run@1', 'complete@9']);
    expect(bridge.reported(uidOf(11))).toEqual(['run@1']);
  });

  it('still knows the versions that were remembered before it', () => {
    bridge.take([touched('119')]);
    failure = diskFull;
    expect(() => bridge.take([touched('121'), bad])).toThrow('disk is full');
    bridge.take([seen(scheduled({ resourceVersion: '115', active: 1 }))]);
    bridge.tick(Date.now());
    expect(stored()).toEqual({ version: '119', active: 0 });
  });
});

describe('a timer whose run cannot be processed', () => {
  it('is quarantined, forgotten and holds up no other', () => {
    const cron = cronJobFacts({ resourceVersion: '101', concurrencyPolicy: 'Replace' });
    const gone = { resourceVersion: '130', deletionAt: T0 + 5_000 };
    failure = undefined;
    bridge.take([seen(cron), bad, seen({ ...bad.facts, ...gone }, true), seen(scheduled(gone), true)]);
    bridge.store.transaction((tx) => {
      const row = tx.objects.get(uidOf(11))!;
      tx.objects.put({ ...row, state: { ...row.state, facts: { ...bad.facts, ...gone, conditions: null } } });
    });
    bridge.tick(T0 + 3_600_000);
    expect(bridge.reported()).toEqual(['run@1', 'fail@5']);
    expect(bridge.reader.drops({ limit: 10 }).items).toMatchObject([{ kind: 'quarantine', subject: uidOf(11) }]);
    const database = new DatabaseSync(bridge.path, { readOnly: true });
    expect(database.prepare("SELECT id FROM timers WHERE kind = 'replacement'").all()).toEqual([]);
    database.close();
  });
});

describe('a version that changed nothing else', () => {
  it('is written at a tick, and a restart after that knows it', () => {
    bridge.take([touched('119')]);
    expect(stored().version).toBe('110');
    bridge.tick(Date.now());
    bridge.restart();
    bridge.take([seen(scheduled({ resourceVersion: '115', active: 1 }))]);
    expect(stored()).toEqual({ version: '119', active: 0 });
  });
});
