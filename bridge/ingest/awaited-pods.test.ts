import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { condition, container, podFacts, seen, T0, terminated } from '../../test/fixtures/facts.ts';
import type { JobFacts, PodFacts } from '../kubernetes/observation.ts';
import { CRON, scheduled, TestEngine, uidOf } from './test-engine.ts';

let bridge: TestEngine;
beforeEach(() => {
  bridge = new TestEngine();
  bridge.take([seen(CRON), seen(scheduled())]);
});
afterEach(() => bridge.close());

const NOW = T0 + 60_000;
const SOON = NOW + 4_999;
const LATE = NOW + 5_000;

function failed(pods: number, changes: Partial<JobFacts> = {}): JobFacts {
  const conditions = [condition('Failed', T0 + 9_000, { reason: 'BackoffLimitExceeded' })];
  return scheduled({ resourceVersion: '120', conditions, failed: pods, ...changes });
}

function pod(number: number, changes: Partial<PodFacts> = {}): PodFacts {
  const ended = container({ terminated: terminated(40 + number, T0 + 7_000 + number) });
  return podFacts({
    uid: `22222222-0000-4000-8000-00000000000${number}`,
    phase: 'Failed',
    startAt: T0 + 1_000,
    containers: [ended],
    ...changes,
  });
}

const running = (number: number): PodFacts =>
  pod(number, { phase: 'Running', resourceVersion: '1', containers: [container({ runningSince: T0 + 2_000 })] });

function statusCodes(): unknown[] {
  const { items } = bridge.reader.deliveries({ limit: 10 });
  const queries = items.map(({ payload }) => (payload as { query: Record<string, string> }).query);
  return queries.filter(({ state }) => state === 'fail').map(({ status_code: code }) => code ?? 'none');
}

describe('a failure that is known before the pods that its Job counts as failed', () => {
  it('is reported with the exit code of the pod that comes in time', () => {
    bridge.take([seen(running(1)), seen(failed(1))]);
    expect(bridge.decisions()).toEqual(['planned', 'waiting awaiting_pods']);
    bridge.take([seen(pod(1))], SOON);
    expect(bridge.reported()).toEqual(['run@1', 'fail@9']);
    expect(statusCodes()).toEqual(['41']);
    bridge.tick(LATE);
    expect(bridge.pings()).toHaveLength(2);
  });

  it('waits for all of them', () => {
    bridge.take([seen(pod(1)), seen(failed(2)), seen(pod(1, { resourceVersion: '9' }))]);
    expect(statusCodes()).toEqual([]);
    bridge.take([seen(pod(2))], SOON);
    expect(statusCodes()).toEqual(['42']);
  });

  it('is reported without them after five seconds', () => {
    bridge.take([seen(failed(1))]);
    bridge.tick(SOON);
    expect(bridge.reported()).toEqual(['run@1']);
    bridge.tick(LATE);
    expect(bridge.reported()).toEqual(['run@1', 'fail@9']);
    expect(statusCodes()).toEqual(['none']);
    bridge.take([seen(pod(1))], LATE + 1);
    expect(bridge.pings()).toHaveLength(2);
  });

  it('is reported after a restart too', () => {
    bridge.take([seen(failed(1))]);
    bridge.restart();
    expect(bridge.reported()).toEqual(['run@1']);
    bridge.tick(LATE);
    expect(bridge.reported()).toEqual(['run@1', 'fail@9']);
  });

  it('waits for them too when its CronJob is seen only after it', () => {
    const later = new TestEngine();
    try {
      later.take([seen(failed(1))]);
      later.take([seen(CRON)]);
      expect(later.reported()).toEqual(['run@1']);
      expect(later.decisions()).toEqual(['planned', 'waiting awaiting_pods']);
      later.take([seen(pod(1))], SOON);
      expect(later.reported()).toEqual(['run@1', 'fail@9']);
      expect(JSON.stringify(later.reader.deliveries({ limit: 10 }).items)).toContain('"status_code":"41"');
      later.tick(LATE);
      expect(later.pings()).toHaveLength(2);
    } finally {
      later.close();
    }
  });

  it('counts a pod that was deleted while it ran', () => {
    bridge.take([seen(running(1)), seen(failed(1))]);
    expect(bridge.reported()).toEqual(['run@1']);
    bridge.take([seen(running(1), true)], SOON);
    expect(bridge.reported()).toEqual(['run@1', 'fail@9']);
  });

  it('lets the start of a Job that was never seen before go ahead', () => {
    const uid = uidOf(90);
    bridge.take([seen(failed(1, { uid, name: 'report-2', scheduledAt: T0 + 60_000 }))]);
    expect(bridge.reported(uid)).toEqual(['run@1']);
    bridge.tick(LATE);
    expect(bridge.reported(uid)).toEqual(['run@1', 'fail@9']);
  });
});

describe('a failure', () => {
  it.each([
    ['of no pod', 0],
    ['of more pods than are counted again and again', 101],
  ])('%s is reported at once', (_what, pods) => {
    bridge.take([seen(failed(pods))]);
    expect(bridge.reported()).toEqual(['run@1', 'fail@9']);
  });

  it('is reported at once when its pods are known', () => {
    bridge.take([seen(pod(1)), seen(pod(2)), seen(failed(2))]);
    expect(statusCodes()).toEqual(['42']);
  });
});
