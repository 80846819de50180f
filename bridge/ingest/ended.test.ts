import { afterEach, describe, expect, it } from 'vitest';
import { condition, jobFacts, podFacts, seen, T0 } from '../../test/fixtures/facts.ts';
import { complete, CRON, scheduled, TestEngine, uidOf } from './test-engine.ts';

let bridge: TestEngine;
afterEach(() => bridge.close());

const ended = () => bridge.store.take('ended');
const REPORT = { kind: 'Job', namespace: CRON.namespace, name: CRON.name, recurs: true };

describe('a run that ends', () => {
  it('is counted with its CronJob, its trace, and how long it waited and went on', () => {
    bridge = new TestEngine();
    bridge.take([seen(CRON), seen(scheduled())]);
    expect(ended()).toEqual([]);
    bridge.take([seen(complete({ succeeded: 1, failed: 2 }))]);
    const traceId = scheduled().uid.replaceAll('-', '');
    const counted = { traceId, at: T0 + 9_000, result: 'success', waitMs: 1_000, runMs: 8_000, attempts: 3 };
    expect(ended()).toEqual([{ pipeline: REPORT, ...counted }]);
  });

  it('is counted once: not when it comes again, nor after a restart', () => {
    bridge = new TestEngine();
    bridge.take([seen(CRON), seen(complete())]);
    expect(ended()).toHaveLength(1);
    bridge.take([seen(complete()), seen(complete({ resourceVersion: '130' }))]);
    bridge.restart();
    bridge.take([seen(complete({ resourceVersion: '140' }))]);
    expect(ended()).toEqual([]);
  });

  it('is counted although its CronJob is not seen', () => {
    bridge = new TestEngine();
    bridge.take([seen(complete())]);
    expect(ended()).toMatchObject([{ pipeline: REPORT }]);
  });

  it('that failed has the reason of Kubernetes, and the pods that were seen', () => {
    bridge = new TestEngine();
    const conditions = [condition('Failed', T0 + 60_000, { reason: 'DeadlineExceeded' })];
    const pod = podFacts({ owner: { kind: 'Job', group: 'batch', name: scheduled().name, uid: scheduled().uid } });
    bridge.take([seen(CRON), seen(scheduled()), seen(pod), seen(scheduled({ resourceVersion: '150', conditions }))]);
    expect(ended()).toMatchObject([{ result: 'timeout', errorType: 'DeadlineExceeded', attempts: 1 }]);
  });

  it('that no CronJob made is a pipeline by itself', () => {
    bridge = new TestEngine();
    const conditions = [condition('Complete', T0 + 9_000)];
    bridge.take([
      seen(jobFacts({ uid: uidOf(7), name: 'migrate', startAt: T0, conditions, completionAt: T0 + 9_000 })),
    ]);
    expect(ended()).toMatchObject([{ pipeline: { name: 'migrate', recurs: false } }]);
  });

  it('before its kind was followed is not counted', () => {
    bridge = new TestEngine();
    const day = 86_400_000;
    bridge.restart(undefined, T0 + day);
    bridge.take([seen(CRON), seen(complete())]);
    expect(ended()).toEqual([]);
  });
});

describe('a run that goes on', () => {
  it('is active for its CronJob until it ends', () => {
    bridge = new TestEngine();
    bridge.take([seen(CRON), seen(scheduled())]);
    expect(bridge.reader.activeRuns()).toEqual([{ ...REPORT, status: 'running', count: 1 }]);
    bridge.take([seen(complete())]);
    expect(bridge.reader.activeRuns()).toEqual([]);
  });
});
