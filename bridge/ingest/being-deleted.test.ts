import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { condition, cronJobFacts, seen, T0 } from '../../test/fixtures/facts.ts';
import { annotated, at, complete, CRON, cron, scheduled, TestEngine, uidOf } from './test-engine.ts';

const MINUTE = 60_000;
let bridge: TestEngine;
beforeEach(() => (bridge = new TestEngine()));
afterEach(() => bridge.close());

const SECOND = '33333333-0000-4000-8000-000000000002';
const deletionAt = T0 + MINUTE;
const paused = (key = CRON.uid) => bridge.pausedRows().get(key);

describe('a CronJob that is being deleted', () => {
  it('has its monitor paused at once, over a restart and until it is away', () => {
    bridge.take([at(cron(), T0)], T0);
    expect(paused()).toBeUndefined();
    const held = cron({ deletionAt });
    bridge.take([at(held, deletionAt)], deletionAt);
    expect(paused()).toBe(true);
    bridge.restart();
    expect(paused()).toBe(true);
    // The audit shows it again and again, and its status still changes.
    bridge.take([{ ...at(held, T0 + 5 * MINUTE), listed: true }], T0 + 5 * MINUTE);
    bridge.take([at(cron({ deletionAt, lastSuccessfulAt: T0 + 2 * MINUTE }), T0 + 6 * MINUTE)], T0 + 6 * MINUTE);
    expect(paused()).toBe(true);
    bridge.live(T0 + 7 * MINUTE, T0 + 40 * MINUTE);
    bridge.take([at(cron({ deletionAt }), T0 + 41 * MINUTE, true)], T0 + 41 * MINUTE);
    expect(paused()).toBe(true);
    expect(bridge.reader.runs({ limit: 10 }).items).toEqual([]);
  });

  it('is paused when it is first seen so', () => {
    bridge.take([at(cron({ deletionAt }), T0)], T0);
    expect(paused()).toBe(true);
  });

  it('leaves its key to another CronJob, and to the one that is made again', () => {
    const other = annotated({ key: 'k' }, { uid: SECOND, name: 'other', createdAt: T0 + 1, schedule: '0 9 * * *' });
    bridge.take([seen(annotated({ key: 'k' })), seen(other)]);
    const schedule = () => bridge.reader.desired({ limit: 1 }).items[0]!.wanted as { schedule: string };
    expect(schedule()).toMatchObject({ schedule: CRON.schedule });
    bridge.take([seen(annotated({ key: 'k' }, { deletionAt, resourceVersion: '150' }))]);
    expect(schedule()).toMatchObject({ schedule: '0 9 * * *' });
    expect(paused('k')).toBeUndefined();
  });

  it('has no annotations to repair any more', () => {
    bridge.take([seen(annotated({ exclude: 'maybe' }))]);
    expect(bridge.reader.problems({ limit: 1 }).items).toHaveLength(1);
    bridge.take([seen(annotated({ exclude: 'maybe' }, { deletionAt, resourceVersion: '150' }))]);
    expect(bridge.reader.problems({ limit: 1 }).items).toEqual([]);
  });

  it('replaces no run: what is deleted with it is cancelled at once', () => {
    const replace = { concurrencyPolicy: 'Replace' };
    bridge.take([seen(cronJobFacts(replace)), seen(scheduled())]);
    bridge.take([seen(cronJobFacts({ ...replace, deletionAt, resourceVersion: '150' }))]);
    bridge.take([seen(scheduled({ resourceVersion: '160', deletionAt: deletionAt + 10_000 }), true)]);
    expect(bridge.reported()).toEqual(['run@1', 'fail@70']);
  });

  it('whose run had been replaced just before is reported so', () => {
    const replace = { concurrencyPolicy: 'Replace' };
    bridge.take([seen(cronJobFacts(replace)), seen(scheduled())]);
    bridge.take([seen(cronJobFacts({ ...replace, deletionAt: deletionAt + 1_000, resourceVersion: '150' }))]);
    bridge.take([seen(scheduled({ resourceVersion: '160', deletionAt }), true)]);
    bridge.take([seen(scheduled({ uid: uidOf(2), scheduledAt: deletionAt, createdAt: deletionAt }))]);
    expect(bridge.run()).toMatchObject({ status: 'replaced' });
  });

  it('still has its run reported as it ends', () => {
    bridge.take([seen(CRON), seen(scheduled())]);
    bridge.take([seen(cronJobFacts({ deletionAt, resourceVersion: '150' })), seen(complete())]);
    expect(bridge.reported()).toEqual(['run@1', 'complete@9']);
  });
});

describe('a Job that is being deleted', () => {
  const held = (changes = {}) => scheduled({ deletionAt, resourceVersion: '150', ...changes });

  it('and whose finalizer keeps it ends after 15 minutes, once, over a restart', () => {
    bridge.take([seen(CRON), seen(scheduled({ active: 1 })), seen(held())], deletionAt);
    bridge.tick(deletionAt + 14 * MINUTE);
    expect(bridge.reported()).toEqual(['run@1']);
    bridge.restart();
    bridge.tick(deletionAt + 16 * MINUTE);
    expect(bridge.reported()).toEqual(['run@1', 'fail@60']);
    bridge.take([seen(held({ resourceVersion: '160' })), seen(held({ resourceVersion: '170' }), true)]);
    bridge.tick(deletionAt + 40 * MINUTE);
    expect(bridge.reported()).toEqual(['run@1', 'fail@60']);
    expect(bridge.run()).toMatchObject({ status: 'cancelled', deleted: true });
  });

  it('goes on while a pod of it is active', () => {
    bridge.take([seen(CRON), seen(held({ active: 1 }))], deletionAt);
    bridge.tick(deletionAt + 16 * MINUTE);
    expect(bridge.reported()).toEqual(['run@1']);
    const conditions = [condition('Complete', T0 + 20 * MINUTE)];
    bridge.take([seen(held({ resourceVersion: '160', conditions }))], T0 + 20 * MINUTE);
    bridge.tick(T0 + 60 * MINUTE);
    expect(bridge.reported()).toEqual(['run@1', 'complete@1200']);
  });

  it('ends at once when its deletion is over', () => {
    bridge.take([seen(CRON), seen(held()), seen(held({ resourceVersion: '160' }), true)], deletionAt);
    bridge.tick(deletionAt + 60 * MINUTE);
    expect(bridge.reported()).toEqual(['run@1', 'fail@60']);
  });
});
