import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { condition, container, podFacts, seen, T0, terminated } from '../../test/fixtures/facts.ts';
import { runsText, runText } from '../commands/run-text.ts';
import type { JobFacts, Observation, PodFacts } from '../kubernetes/observation.ts';
import { markGone } from '../follow/gone.ts';
import { UnwrittenVersions } from '../turn/unwritten-versions.ts';
import { CRON, JOB_UID, scheduled, TestEngine } from './test-engine.ts';

const at = (seconds: number): number => T0 + seconds * 1_000;
const NOW = T0 + 60_000;

let bridge: TestEngine;
beforeEach(() => (bridge = new TestEngine()));
afterEach(() => bridge.close());

let version = 1_000;
function pod(number: number, changes: Partial<PodFacts> = {}): Observation {
  const uid = `22222222-0000-4000-8000-00000000000${number}`;
  const placed = { nodeName: `node-${number}`, startAt: at(2), phase: 'Running' };
  return seen(podFacts({ uid, name: `report-1-${number}`, resourceVersion: String(version++), ...placed, ...changes }));
}
const running = (number: number): Observation => pod(number, { containers: [container({ runningSince: at(3) })] });
const ended = (number: number, exitCode: number, second: number, deletionAt?: number): Observation =>
  pod(number, {
    phase: 'Failed',
    deletionAt,
    containers: [container({ terminated: terminated(exitCode, at(second)) })],
  });

/** It failed at 10 s, and said so when its pods had ended. */
const failedJob = (reason: string, changes: Partial<JobFacts> = {}): JobFacts =>
  scheduled({
    resourceVersion: '120',
    conditions: [condition('FailureTarget', at(10), { reason }), condition('Failed', at(14), { reason })],
    failed: 3,
    ...changes,
  });

/** The last ping. */
const reported = (): Record<string, string | undefined> =>
  (bridge.reader.deliveries({ limit: 1 }).items[0]!.payload as { query: Record<string, string> }).query;

const fail = { state: 'fail', status_code: '1', host: 'node-1', message: 'container main exited with 1 (Error); R' };

describe('a parallel Job that one pod failed, the others being stopped with it', () => {
  const ends = (): Observation[] => [
    ended(1, 1, 10),
    ended(2, 143, 13, at(10)),
    ended(3, 1, 12, at(10)),
    ended(4, 137, 40, at(10)),
  ];

  it('is reported with that pod, in whatever order they come', () => {
    for (const order of [
      [0, 1, 2, 3],
      [3, 2, 1, 0],
      [1, 2, 0, 3],
    ]) {
      bridge.close();
      bridge = new TestEngine();
      bridge.take([seen(CRON), seen(scheduled()), ...[1, 2, 3, 4].map(running)]);
      const pods = ends();
      bridge.take(order.map((index) => pods[index]!));
      bridge.take([seen(failedJob('R'))]);
      expect(reported()).toMatchObject(fail);
    }
  });

  it('waits for it when only stopped ones were seen to end, though its Job counts no more', () => {
    bridge.take([seen(CRON), seen(scheduled()), ...[1, 2].map(running)]);
    const pods = ends();
    bridge.take([pods[1]!, seen(failedJob('R', { failed: 1 }))], NOW);
    expect(bridge.reported()).toEqual(['run@1']);
    bridge.take([pods[0]!], NOW + 1_000);
    expect(reported()).toMatchObject(fail);
  });

  it('says the same on the run, in the list and in explain', () => {
    bridge.take([seen(CRON), seen(scheduled()), ...ends(), seen(failedJob('R'))]);
    const detail = bridge.reader.run(JOB_UID)!;
    const listed = bridge.reader.runs({ limit: 10 }).items;
    expect(detail.run.cause).toBe(fail.message);
    expect(listed[0]?.cause).toBe(fail.message);
    expect(runText(detail)).toContain(`  why        ${fail.message}\n`);
    expect(runText(detail)).toMatch(/report-1-2 {2}Failed {2}exit 143 {2}stopped/);
    expect(runsText(listed)).toContain(fail.message);
  });
});

it('a success counts the failed pods that its Job counts', () => {
  const complete = (failed: number): JobFacts =>
    scheduled({ resourceVersion: '120', conditions: [condition('Complete', at(14))], completionAt: at(14), failed });
  bridge.take([seen(CRON), seen(scheduled()), ended(1, 143, 9, at(8)), ended(2, 143, 9, at(8)), seen(complete(0))]);
  expect(reported()).toMatchObject({ state: 'complete' });
  expect(reported()).not.toHaveProperty('message');
});

describe('a pod that waits', () => {
  const unschedulable = '0/1 nodes are available: 1 Insufficient cpu.';
  const nowhere = { nodeName: undefined, startAt: undefined, phase: 'Pending' };

  it('shows for what, long before that is stuck, and when it is over', () => {
    bridge.take([seen(CRON), seen(scheduled()), pod(1, { ...nowhere, unschedulable })]);
    const waiting = { reason: 'Unschedulable', message: unschedulable };
    expect(bridge.reader.run(JOB_UID)?.attempts).toMatchObject([{ waiting }]);
    expect(bridge.run()?.status).toBe('running');
    expect(runText(bridge.reader.run(JOB_UID)!)).toContain('no node yet');

    const deleted = { ...pod(1, { ...nowhere, unschedulable, deletionAt: at(9) }), deleted: true };
    bridge.take([deleted, seen(failedJob('DeadlineExceeded', { failed: 0 }))]);
    expect(bridge.reader.run(JOB_UID)?.attempts).toMatchObject([{ waiting, deleted: true, failed: 'stopped' }]);
    const cause = 'no node took the pod: 0/1 nodes are available: 1 Insufficient cpu; DeadlineExceeded';
    expect(reported()).toMatchObject({ state: 'fail', message: cause });
    const text = runText(bridge.reader.run(JOB_UID)!);
    expect(text).toContain(cause);
    expect(text).toMatch(/Pending, deleted .* no node +no node took the pod/);
  });
});

describe('a pod that is gone', () => {
  const gone = (): void => {
    bridge.store.transaction((tx) => {
      const uid = '22222222-0000-4000-8000-000000000001';
      const limits = { stuck: { unschedulable: 0, pending: 0 }, graceMs: 0, maxAgeMs: 0, lookbackMs: 0 };
      markGone(
        { tx, now: NOW, destinations: [], kinds: new Set(), unwritten: new UnwrittenVersions(), limits, judges: true },
        uid,
        '5000',
      );
    });
  };

  it('is over, though nobody saw how, until it is seen again', () => {
    bridge.take([seen(CRON), seen(scheduled()), running(1)]);
    gone();
    expect(bridge.reader.run(JOB_UID)?.attempts).toMatchObject([{ phase: 'Running', goneAt: NOW, failed: 'stopped' }]);
    expect(runText(bridge.reader.run(JOB_UID)!)).toContain('Running, gone');
    bridge.take([{ ...running(1), listed: true }], NOW + 1_000);
    expect(bridge.reader.run(JOB_UID)?.attempts[0]).not.toHaveProperty('goneAt');
  });
});
