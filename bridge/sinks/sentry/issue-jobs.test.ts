import { afterEach, describe, expect, it } from 'vitest';
import {
  condition,
  container,
  cronJobFacts,
  jobFacts,
  ownedBy,
  podFacts,
  T0,
  terminated,
} from '../../../test/fixtures/facts.ts';
import { SentryStage } from '../../../test/fixtures/sentry-stage.ts';
import type { JobFacts, PodFacts } from '../../kubernetes/observation.ts';
import { about, at, crashed } from './issue-fixtures.ts';

const MINUTE = 60_000;

let stage: SentryStage;
function open(issues: object = {}, others: object = {}): SentryStage {
  return (stage = new SentryStage(issues, others));
}
afterEach(() => {
  stage.close();
});

const failedPod = (n: number, code = 127): PodFacts =>
  podFacts({
    uid: `pod-${n}`,
    name: `report-1-${n}bcdf`,
    phase: 'Failed',
    nodeName: `node-${n}`,
    startAt: at(n * 10),
    containers: [container({ name: 'hello', image: 'shop/report:3.1', terminated: terminated(code, at(n * 10 + 5)) })],
  });
const exceeded = condition('Failed', at(80), {
  reason: 'BackoffLimitExceeded',
  message: 'Job has reached the specified backoff limit',
});
const failedJob = (changes: Partial<JobFacts> = {}): JobFacts =>
  jobFacts({ startAt: at(1), failed: 3, conditions: [exceeded], ...changes });

describe('a Job that fails', () => {
  it('job-basic-error: is one event with its attempts, not one for each, and its Warning is not a second one', () => {
    open();
    stage.see(jobFacts({ startAt: at(1), active: 1 }), failedPod(1), failedPod(2), failedPod(3), failedJob());
    stage.warn({
      reason: 'BackoffLimitExceeded',
      message: exceeded.message,
      regarding: about('Job', 'report-1', jobFacts().uid, 'batch'),
    });
    stage.pass(MINUTE);
    expect(stage.messages()).toEqual([
      'Job report-1 failed: container hello exited with 127 (Error) in all 3 attempts; BackoffLimitExceeded',
    ]);
    const [event] = stage.events();
    expect(event).toMatchObject({
      level: 'error',
      timestamp: at(80) / 1000,
      server_name: 'node-3',
      release: '3.1',
      tags: {
        watcher_name: 'jobs',
        reason: 'BackoffLimitExceeded',
        container_name: 'hello',
        exit_code: '127',
        job_name: 'report-1',
      },
    });
    expect(event?.contexts['attempts']).toEqual({
      count: 3,
      pods: [1, 2, 3].map((n) => `report-1-${n}bcdf on node-${n}: container hello exit code 127, Error`),
    });
    expect(event?.contexts['run']).toMatchObject({ page: `https://bridge.example.com/runs/${jobFacts().uid}` });
    expect(event?.contexts['trace']).toMatchObject({ trace_id: jobFacts().uid.replaceAll('-', '') });
    expect(stage.drops().toSorted()).toEqual(['part_of_run', 'part_of_run', 'part_of_run', 'reported_otherwise']);
  });

  it('is reported with each of its failed pods where that is wanted, in the same issue', () => {
    open({ attempts: true });
    stage.see(jobFacts({ startAt: at(1), active: 1 }), failedPod(1), failedPod(2), failedPod(3), failedJob());
    stage.pass(MINUTE);
    expect(stage.events()).toHaveLength(4);
    expect(stage.groups()).toHaveLength(1);
  });

  it('is not reported when it succeeds after failed attempts, or is deleted while it is active', () => {
    open();
    const ok = podFacts({
      uid: 'pod-2',
      phase: 'Succeeded',
      startAt: at(20),
      containers: [container({ terminated: terminated(0, at(25)) })],
    });
    stage.see(jobFacts({ startAt: at(1) }), failedPod(1), ok);
    stage.see(
      jobFacts({
        startAt: at(1),
        failed: 1,
        succeeded: 1,
        completionAt: at(26),
        conditions: [condition('Complete', at(26))],
      }),
    );
    stage.see(jobFacts({ uid: 'other', name: 'other', startAt: at(1), active: 1 }));
    stage.remove(jobFacts({ uid: 'other', name: 'other', startAt: at(1), active: 1, deletionAt: at(9) }));
    stage.pass(MINUTE);
    expect(stage.events()).toEqual([]);
  });

  it('of a CronJob joins its monitor, and every run of it is one issue', () => {
    open();
    const cron = cronJobFacts();
    stage.see(cron);
    for (const n of [1, 2]) {
      const job = { uid: `job-${n}`, name: `report-2950000${n}`, owner: ownedBy(cron), scheduledAt: at(n * 60) };
      const owner = { group: 'batch', kind: 'Job', name: job.name, uid: job.uid };
      stage.see(
        jobFacts({ ...job, startAt: at(1), active: 1 }),
        { ...failedPod(n), owner },
        failedJob({ ...job, failed: 1 }),
      );
    }
    stage.pass(MINUTE);
    expect(stage.events()).toHaveLength(2);
    expect(stage.groups()).toHaveLength(1);
    expect(stage.events()[0]).toMatchObject({
      tags: { workload_kind: 'CronJob', workload_name: 'report', cronjob_name: 'report', job_name: 'report-29500001' },
      contexts: { monitor: { slug: expect.stringContaining('report') }, cronjob: { schedule: '* * * * *' } },
    });
  });

  it('with the same container crashing on and on is one issue from the first wait to the end', () => {
    open();
    const pod = podFacts({
      phase: 'Running',
      restartPolicy: 'OnFailure',
      startAt: at(2),
      containers: [crashed('hello', 3, 2)],
    });
    stage.see(jobFacts({ startAt: at(1), active: 1 }), pod);
    stage.see({
      ...pod,
      phase: 'Failed',
      containers: [container({ name: 'hello', restartCount: 3, terminated: terminated(2, at(70)) })],
    });
    stage.see(failedJob({ failed: 1 }));
    stage.pass(MINUTE);
    expect(stage.messages()).toHaveLength(2);
    expect(stage.groups()).toHaveLength(1);
  });

  it('waits for the logs of the containers that failed by themselves, and names the pod whose tails go with it', () => {
    open({}, { shipLogs: true });
    const ok = container({ name: 'side', terminated: terminated(0, at(15)) });
    const pod = failedPod(1);
    stage.see(
      jobFacts({ startAt: at(1), active: 1 }),
      { ...pod, containers: [...pod.containers, ok] },
      failedJob({ failed: 1 }),
    );
    const wanted = stage.bridge.store.transaction((tx) => tx.logs.ofRun(jobFacts().uid));
    expect(wanted.map((log) => log.container)).toEqual(['hello']);
    stage.pass(MINUTE);
    expect(stage.events()).toEqual([]);
    stage.bridge.store.transaction((tx) => tx.logs.giveUp(jobFacts().uid, 'it was not read in time', T0));
    stage.pass(15 * MINUTE);
    expect(stage.tails()).toEqual([{ podUid: 'pod-1' }]);
  });
});
