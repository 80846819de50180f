import { afterEach, describe, expect, it } from 'vitest';
import {
  condition,
  container,
  cronJobFacts,
  eventFacts,
  jobFacts,
  ownedBy,
  podFacts,
  T0,
  terminated,
} from '../../../test/fixtures/facts.ts';
import { SentryStage } from '../../../test/fixtures/sentry-stage.ts';
import type { ContainerFacts, JobFacts, PodFacts } from '../../kubernetes/observation.ts';
import { deployment, progress, replicaSet } from '../../lifecycle/testing/rollouts.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;
const at = (seconds: number): number => T0 + seconds * 1_000;

let stage: SentryStage;
function open(issues: object = {}, others: object = {}): SentryStage {
  return (stage = new SentryStage(issues, others));
}
afterEach(() => {
  expect(stage.failures()).toEqual([]);
  stage.close();
});

const bare = (name: string, changes: Partial<PodFacts> = {}): PodFacts =>
  podFacts({
    name,
    owner: undefined,
    restartPolicy: 'Always',
    phase: 'Running',
    startAt: at(1),
    nodeName: 'node-1',
    ...changes,
  });
const crashed = (name: string, restarts: number, code = 127, reason = 'Error'): ContainerFacts =>
  container({
    name,
    restartCount: restarts,
    waiting: {
      reason: 'CrashLoopBackOff',
      message: `back-off 10s restarting failed container=${name} pod=x_shop(uid)`,
    },
    lastTerminated: terminated(code, at(10 + restarts * 20), reason),
  });
const waiting = (name: string, reason: string, message: string) => container({ name, waiting: { reason, message } });
const about = (kind: string, name: string, uid: string, group = '', fieldPath?: string) => ({
  group,
  kind,
  namespace: 'shop',
  name,
  uid,
  fieldPath,
});

describe('the samples of sentry-kubernetes', () => {
  it('pod-crashloop: the crashes, the loop and the Warning are one issue', () => {
    open();
    for (const restarts of [1, 2, 3])
      stage.see(bare('pod-crashloop', { containers: [crashed('pod-crashloop', restarts)] }));
    const regarding = about('Pod', 'pod-crashloop', podFacts().uid, '', 'spec.containers{pod-crashloop}');
    stage.warn({
      message: 'Back-off restarting failed container pod-crashloop in pod pod-crashloop_shop(1)',
      regarding,
    });
    expect(stage.messages()).toEqual([
      'CrashLoopBackOff: container pod-crashloop of Pod pod-crashloop',
      'exit code 127: container pod-crashloop of Pod pod-crashloop',
      'exit code 127: container pod-crashloop of Pod pod-crashloop',
      'exit code 127: container pod-crashloop of Pod pod-crashloop',
      'BackOff: Back-off restarting failed container pod-crashloop in pod pod-crashloop_shop(1)',
    ]);
    expect(stage.groups()).toHaveLength(1);
    expect(stage.events().map(({ level }) => level)).toEqual(['error', 'error', 'error', 'error', 'warning']);
    expect(stage.events().map(({ timestamp }) => timestamp - T0 / 1000)).toEqual([1, 30, 50, 70, 0]);
  });

  it('pod-create-container-error: the wait and its Warnings are one issue', () => {
    open();
    const message = 'configmap "configmap-does-nont-exist" not found';
    stage.see(bare('p', { phase: 'Pending', containers: [waiting('c', 'CreateContainerConfigError', message)] }));
    const regarding = about('Pod', 'p', podFacts().uid, '', 'spec.containers{c}');
    for (const count of [1, 2, 9, 10, 57])
      stage.warn({ reason: 'Failed', message: `Error: ${message}`, regarding, count });
    expect(stage.messages()).toEqual([
      'CreateContainerConfigError: container c of Pod p',
      `Failed: Error: ${message}`,
      `Failed: Error: ${message} (10 times)`,
    ]);
    expect(stage.groups()).toHaveLength(1);
  });

  it('pod-invalid-image: one issue, whatever kubelet says of it', () => {
    open();
    stage.see(bare('p', { phase: 'Pending', containers: [waiting('c', 'ErrImagePull', 'not found')] }));
    stage.see(bare('p', { phase: 'Pending', containers: [waiting('c', 'ImagePullBackOff', 'Back-off pulling')] }));
    const regarding = about('Pod', 'p', podFacts().uid, '', 'spec.containers{c}');
    for (const message of [
      'Failed to pull image "nope": not found',
      'Error: ErrImagePull',
      'Error: ImagePullBackOff',
    ]) {
      stage.warn({ uid: `e-${message}`, reason: 'Failed', message, regarding });
    }
    expect(stage.events()).toHaveLength(4);
    expect(stage.groups()).toHaveLength(1);
  });

  it('pod-not-enough-resources: the Warning at once, the wait when it is stuck, one issue', () => {
    open();
    const message = '0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory.';
    stage.see(bare('p', { phase: 'Pending', startAt: undefined, nodeName: undefined, unschedulable: message }));
    stage.warn({
      reason: 'FailedScheduling',
      message,
      regarding: about('Pod', 'p', podFacts().uid),
      component: 'default-scheduler',
    });
    stage.pass(15 * MINUTE);
    expect(stage.messages()).toEqual([`FailedScheduling: ${message}`, 'Unschedulable: Pod p']);
    expect(stage.groups()).toHaveLength(1);
  });

  it('pod-outofmemory: fatal', () => {
    open();
    const oom = container({
      name: 'c',
      image: 'shop/hog:1.4',
      restartCount: 1,
      runningSince: at(15),
      lastTerminated: terminated(137, at(10), 'OOMKilled'),
    });
    stage.see(bare('p', { containers: [oom] }));
    expect(stage.events()).toMatchObject([
      {
        level: 'fatal',
        message: 'OOMKilled (exit code 137): container c of Pod p',
        timestamp: at(10) / 1000,
        release: '1.4',
        environment: 'production',
        server_name: 'node-1',
        transaction: 'shop/p',
      },
    ]);
  });

  it('deployment-create-container-error: its rollout is one issue, and one event for all its pods', () => {
    open();
    const config = waiting('c', 'CreateContainerConfigError', 'configmap "x" not found');
    const set = { group: 'apps', kind: 'ReplicaSet', name: 'web-a', uid: 'rs-a' };
    stage.see(deployment({ generation: 1, observedGeneration: 0, replicas: 0, updated: 0, ready: 0, available: 0 }));
    stage.see(replicaSet('a', { createdAt: at(1), available: 0 }), deployment({ updated: 3, ready: 0, available: 0 }));
    for (const n of [1, 2]) {
      stage.see(podFacts({ uid: `p${n}`, name: `web-a-${n}`, owner: set, createdAt: at(2), containers: [config] }));
    }
    const deadline = progress('ProgressDeadlineExceeded', 'web-a', 600, {
      status: 'False',
      message: 'timed out progressing',
    });
    stage.see(deployment({ updated: 3, ready: 0, available: 0, conditions: [deadline] }));
    stage.pass(MINUTE);
    expect(stage.messages()).toEqual([
      'CreateContainerConfigError: container c of Deployment web',
      expect.stringMatching(/^Deployment web failed: .*CreateContainerConfigError.*ProgressDeadlineExceeded/),
    ]);
    expect(stage.groups()).toHaveLength(1);
  });

  it('replicaset-basic-error: the crashes of three pods are one issue', () => {
    open();
    const owner = { group: 'apps', kind: 'ReplicaSet', name: 'basic', uid: 'rs-x' };
    stage.see(replicaSet('x', { uid: 'rs-x', name: 'basic', owner: undefined }));
    for (const n of [1, 2, 3]) {
      stage.see(
        podFacts({
          uid: `p${n}`,
          name: `basic-${n}bcd2`,
          owner,
          phase: 'Running',
          startAt: at(1),
          containers: [crashed('hello', n)],
        }),
      );
    }
    expect(stage.events()).toHaveLength(6);
    expect(stage.groups()).toHaveLength(1);
    expect(stage.events()[0]?.tags).toMatchObject({
      workload_kind: 'ReplicaSet',
      workload_name: 'basic',
      replicaset_name: 'basic',
    });
  });
});

const failedPod = (n: number, code = 127): PodFacts =>
  podFacts({
    uid: `pod-${n}`,
    name: `report-1-${n}bcdf`,
    phase: 'Failed',
    nodeName: `node-${n}`,
    startAt: at(n * 10),
    containers: [container({ name: 'hello', terminated: terminated(code, at(n * 10 + 5)) })],
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
      pods: [1, 2, 3].map((n) => `report-1-${n}bcdf on node-${n}: container hello exit code 127, Error, itself`),
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
});

describe('what is not an error', () => {
  const OLD = [
    deployment({ createdAt: at(-DAY), conditions: [progress('NewReplicaSetAvailable', 'web-a', -DAY / 1_000)] }),
    replicaSet('a', { createdAt: at(-DAY) }),
  ];
  const running = podFacts({
    owner: { group: 'apps', kind: 'ReplicaSet', name: 'web-a', uid: 'rs-a' },
    phase: 'Running',
    startAt: at(1),
    containers: [container({ runningSince: at(2) })],
  });
  const ended = (code: number, reason = 'Error') => [container({ terminated: terminated(code, at(31), reason) })];

  it.each([
    ['scaled down and stopped by SIGTERM', { deletionAt: at(30) }, 143],
    ['scaled down and killed after its grace', { deletionAt: at(30) }, 137],
    ['scaled down and ended with a code of its own', { deletionAt: at(30) }, 1],
    ['drained', { deletionAt: at(30), disruption: { reason: 'EvictionByEvictionAPI', message: undefined } }, 143],
    ['done', {}, 0],
  ])('a pod that is %s', (_what, changes, code) => {
    open();
    const last = { ...running, ...changes, containers: ended(code, code === 0 ? 'Completed' : 'Error') };
    stage.see(...OLD, running, last).remove(last);
    expect(stage.messages()).toEqual([]);
  });

  it.each([
    [
      'evicted',
      { phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory.' },
      'Evicted',
      'pod',
    ],
    ['out of time', { phase: 'Failed', reason: 'DeadlineExceeded' }, 'DeadlineExceeded', 'pod'],
    [
      'lost with its node',
      { deletionAt: at(30), disruption: { reason: 'DeletionByTaintManager', message: undefined } },
      'DeletionByTaintManager',
      'node',
    ],
  ])('but a pod that is %s is one event, not also one for its containers', (_what, changes, reason, kind) => {
    open();
    const last = { ...running, ...changes, containers: ended(137) };
    stage.see(...OLD, running, last).remove(last);
    expect(stage.messages()).toEqual([`${reason}: pod of Deployment web`]);
    expect(stage.events()[0]?.fingerprint).toEqual(['cluster-1', 'shop', 'Deployment', 'web', kind, '', reason]);
  });

  it('a pod of a DaemonSet whose node is removed', () => {
    open();
    const owner = { group: 'apps', kind: 'DaemonSet', name: 'agent', uid: 'd' };
    const gone = { ...running, owner, phase: 'Failed', disruption: { reason: 'DeletionByPodGC', message: undefined } };
    stage.see({ ...running, owner }, { ...gone, containers: ended(137) });
    expect(stage.messages()).toEqual([]);
    expect(stage.drops()).toEqual(['reported_otherwise', 'not_a_failure']);
  });
});

describe('an event', () => {
  it('has the last Events of the object and its owners as breadcrumbs, in the order of their times', () => {
    open({ breadcrumbs: 3 });
    stage.see(deployment({ createdAt: at(-DAY) }), replicaSet('a'));
    const web = about('Deployment', 'web', deployment().uid, 'apps');
    for (const n of [5, 1, 3, 2]) {
      stage.warn({
        uid: `n${n}`,
        type: 'Normal',
        reason: `Step${n}`,
        message: `m${n}`,
        lastAt: at(n),
        regarding: n % 2 ? web : eventFacts().regarding,
      });
    }
    const owner = { group: 'apps', kind: 'ReplicaSet', name: 'web-a', uid: 'rs-a' };
    stage.see(podFacts({ owner, containers: [container({ terminated: terminated(1, at(9)) })] }));
    const { values = [] } = stage.events()[0]?.breadcrumbs ?? {};
    expect(values.map(({ category }) => category)).toEqual(['Step2', 'Step3', 'Step5']);
    expect(values[0]).toMatchObject({ timestamp: at(2) / 1000, level: 'info', message: 'm2' });
  });

  it('has the same id whenever the same thing is planned again, and another one in another cluster', () => {
    const ids = [];
    for (const cluster of ['a', 'a', 'b']) {
      stage = new SentryStage({}, {}, cluster);
      stage.see(bare('p', { containers: [crashed('c', 1)] }));
      ids.push(stage.events()[1]!.event_id);
      if (ids.length < 3) stage.close();
    }
    expect(ids[0]).toBe(ids[1]);
    expect(ids[0]).not.toBe(ids[2]);
    expect(ids[0]).toMatch(/^[0-9a-f]{32}$/);
  });

  it('has a level by its kind, as it is set, and none at all for "none"', () => {
    open({ levels: { oom: 'error', crash: 'none', warning: 'info' } });
    const oom = container({
      name: 'c',
      restartCount: 1,
      runningSince: at(15),
      lastTerminated: terminated(137, at(10), 'OOMKilled'),
    });
    const bad = container({ name: 'd', restartCount: 1, runningSince: at(15), lastTerminated: terminated(3, at(11)) });
    stage.see(bare('p', { containers: [oom, bad] })).warn({ reason: 'Unhealthy', message: 'x' });
    expect(stage.events().map(({ level }) => level)).toEqual(['error', 'info']);
    expect(stage.drops()).toEqual(['level_none']);
  });

  it('is grouped and judged by rules of the user, the first that matches', () => {
    open({
      rules: [
        { reason: 'OOM.*', level: 'info' },
        {
          message: 'disk (?P<disk>\\w+) is full',
          fingerprint: ['disk', '{{ disk }}', '{{ namespace }}'],
          level: 'fatal',
        },
        { kind: 'Node', level: 'none' },
        { reason: 'Unhealthy', kind: 'Pod', fingerprint: ['mine', '{{ default }}'] },
      ],
    });
    stage.see(bare('p'));
    stage.warn({ uid: 'a', reason: 'Full', message: 'the disk sda1 is full' });
    stage.warn({ uid: 'b', reason: 'Pressure', message: 'x', regarding: about('Node', 'n', 'n') });
    stage.warn({ uid: 'c', reason: 'Unhealthy', message: 'Readiness probe failed: y' });
    expect(stage.events().map(({ fingerprint, level }) => [level, fingerprint])).toEqual([
      ['fatal', ['disk', 'sda1', 'shop']],
      [
        'warning',
        ['mine', 'cluster-1', 'shop', 'Pod', 'p', 'warning', 'main', 'Unhealthy: ^Readiness probe failed:.*'],
      ],
    ]);
    expect(stage.drops()).toEqual(['level_none']);
  });
});
