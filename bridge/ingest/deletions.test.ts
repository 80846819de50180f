import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { condition, cronJobFacts, jobFacts, ownedBy, podFacts, seen, T0 } from '../../test/fixtures/facts.ts';
import type { Observation } from '../kubernetes/observation.ts';
import { complete, CRON, scheduled, TestEngine } from './test-engine.ts';

let bridge: TestEngine;
beforeEach(() => {
  bridge = new TestEngine();
  bridge.take([seen(CRON)]);
});
afterEach(() => bridge.close());

const removed = (version: string): Observation =>
  seen(scheduled({ resourceVersion: version, deletionAt: T0 + 5_000 }), true);
const suspended = scheduled({
  resourceVersion: '115',
  startAt: undefined,
  suspend: true,
  conditions: [condition('Suspended', T0 + 3_000)],
});

describe('a deletion record', () => {
  it('ends a run even if its version is older than what was seen', () => {
    bridge.take([seen(scheduled({ resourceVersion: '119' })), removed('115')]);
    expect(bridge.reported()).toEqual(['run@1', 'fail@5']);
    expect(bridge.run()).toMatchObject({ status: 'cancelled', deleted: true });
  });

  it('with an older version does not hide how the run really ended', () => {
    bridge.take([seen(complete()), removed('115')]);
    expect(bridge.reported()).toEqual(['run@1', 'complete@9']);
    expect(bridge.run()).toMatchObject({ status: 'succeeded', deleted: true });
  });

  it('is final: nothing that comes later makes the object live again', () => {
    bridge.take([removed('115'), seen(scheduled({ resourceVersion: '119' })), removed('120')]);
    expect(bridge.reported()).toEqual(['run@1', 'fail@5']);
    expect(bridge.run()).toMatchObject({ status: 'cancelled', deleted: true });
  });

  it('of a CronJob with an older version pauses its monitor', () => {
    bridge.take([seen(cronJobFacts({ resourceVersion: '190' })), seen(cronJobFacts({ resourceVersion: '150' }), true)]);
    expect(bridge.pausedRows()).toEqual(new Map([[CRON.uid, true]]));
    bridge.take([seen(cronJobFacts({ resourceVersion: '195', schedule: '5 * * * *' }))]);
    expect(bridge.pausedRows()).toEqual(new Map([[CRON.uid, true]]));
  });

  it('of a pod with an older version ends the attempt', () => {
    const pod = podFacts({ resourceVersion: '119', phase: 'Running', startAt: T0 + 1_000 });
    bridge.take([seen(scheduled()), seen(pod), seen({ ...pod, resourceVersion: '115', deletionAt: T0 + 4_000 }, true)]);
    expect(bridge.reader.run(scheduled().uid)?.attempts).toMatchObject([{ endedAt: T0 + 4_000 }]);
  });
});

describe('a Job that is seen first in its deletion record', () => {
  it('reports start and end once; the older records that follow add nothing', () => {
    bridge.take([seen(complete({ resourceVersion: '125' }), true)]);
    bridge.take([seen(scheduled({ resourceVersion: '105', startAt: undefined })), seen(scheduled()), seen(complete())]);
    expect(bridge.reported()).toEqual(['run@1', 'complete@9']);
  });

  it('ended by ttlSecondsAfterFinished 0 is complete, not cancelled', () => {
    const conditions = [condition('SuccessCriteriaMet', T0 + 9_000), condition('Complete', T0 + 9_000)];
    bridge.take([seen(complete({ conditions, deletionAt: T0 + 9_000 }), true)]);
    expect(bridge.reported()).toEqual(['run@1', 'complete@9']);
    expect(bridge.run()?.status).toBe('succeeded');
  });
});

describe('a Job that is suspended', () => {
  it('before it started and then deleted was not a run, and the reason says so', () => {
    const never = scheduled({ resourceVersion: '105', startAt: undefined, suspend: true });
    bridge.take([seen(never), seen({ ...never, resourceVersion: '106' }, true)]);
    expect(bridge.reported()).toEqual([]);
    expect(bridge.run()?.status).toBe('never_started');
    expect(bridge.decisions()).toEqual(['dropped never_started']);
  });

  it('after its start and then deleted is cancelled', () => {
    bridge.take([
      seen(scheduled()),
      seen(suspended),
      seen({ ...suspended, resourceVersion: '116', deletionAt: T0 + 7_000 }, true),
    ]);
    expect(bridge.reported()).toEqual(['run@1', 'fail@7']);
  });

  it('and deleted is reported as cancelled when the record with its start comes last', () => {
    bridge.take([seen({ ...suspended, resourceVersion: '116', deletionAt: T0 + 7_000 }, true)]);
    expect(bridge.run()?.status).toBe('never_started');
    bridge.take([seen(scheduled())]);
    bridge.take([seen(scheduled()), seen(suspended)]);
    expect(bridge.reported()).toEqual(['run@1', 'fail@7']);
    expect(bridge.run()?.status).toBe('cancelled');
  });

  it('resumed and completed is one run with its first start', () => {
    const resumed = { startAt: T0 + 6_000, conditions: [condition('Suspended', T0 + 6_000, { status: 'False' })] };
    const done = [...resumed.conditions, condition('Complete', T0 + 9_000)];
    bridge.take([seen(scheduled()), seen(suspended)]);
    bridge.restart();
    bridge.take([seen(scheduled({ resourceVersion: '118', ...resumed }))]);
    bridge.take([seen(complete({ ...resumed, conditions: done }))]);
    expect(bridge.reported()).toEqual(['run@1', 'complete@9']);
    expect(bridge.transitions().map(({ kind }) => kind)).toEqual([
      'run.started',
      'run.suspended',
      'run.resumed',
      'run.ended',
    ]);
  });
});

describe('a Job without startTime', () => {
  const failed = scheduled({
    startAt: undefined,
    resourceVersion: '120',
    conditions: [condition('Failed', T0 + 9_000)],
  });

  it('that failed is reported as failed', () => {
    bridge.take([seen(failed)]);
    expect(bridge.reported()).toEqual(['fail@9']);
    expect(bridge.run()?.status).toBe('failed');
    expect(bridge.run()?.startedAt).toBeUndefined();
  });

  it('whose start is only found after its end is not opened again at the vendor', () => {
    bridge.take([seen(failed)]);
    bridge.take([seen(scheduled())]);
    expect(bridge.reported()).toEqual(['fail@9']);
    expect(bridge.run()).toMatchObject({ status: 'failed', startedAt: T0 + 1_000 });
  });
});

describe('a Job that is orphaned while it runs', () => {
  const orphaned = { owner: undefined, resourceVersion: '119' };

  it('ends at the monitor where its start was reported', () => {
    bridge.take([seen(scheduled()), seen(CRON, true), seen(scheduled(orphaned))]);
    bridge.restart();
    bridge.take([seen(complete({ owner: undefined }))]);
    expect(bridge.reported()).toEqual(['run@1', 'complete@9']);
    expect(bridge.run()).toMatchObject({ ownerName: 'report', ownerUid: CRON.uid });
  });

  it('while its CronJob is still unseen is reported when that comes', () => {
    const cron = cronJobFacts({ uid: '33333333-0000-4000-8000-000000000009', name: 'late' });
    bridge.take([seen(scheduled({ owner: ownedBy(cron) })), seen(complete({ owner: undefined }))]);
    expect(bridge.reported()).toEqual([]);
    bridge.take([seen(cron)]);
    expect(bridge.reported()).toEqual(['run@1', 'complete@9']);
  });

  it('keeps its pods, whose own references may be cut off too', () => {
    const pod = podFacts({ phase: 'Running', startAt: T0 + 1_000 });
    bridge.take([
      seen(jobFacts({ startAt: T0 })),
      seen(pod),
      seen({ ...pod, resourceVersion: '101', owner: undefined }),
    ]);
    expect(bridge.run(pod.uid)).toBeUndefined();
    expect(bridge.reader.run(jobFacts().uid)?.attempts).toHaveLength(1);
  });
});
