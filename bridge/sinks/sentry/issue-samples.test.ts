import { afterEach, describe, expect, it } from 'vitest';
import { container, podFacts, T0, terminated } from '../../../test/fixtures/facts.ts';
import { SentryStage } from '../../../test/fixtures/sentry-stage.ts';
import { deployment, progress, replicaSet } from '../../lifecycle/testing/rollouts.ts';
import { about, at, bare, crashed } from './issue-fixtures.ts';

const MINUTE = 60_000;

let stage: SentryStage;
function open(issues: object = {}, others: object = {}): SentryStage {
  return (stage = new SentryStage(issues, others));
}
afterEach(() => {
  stage.close();
});

const waiting = (name: string, reason: string, message: string) => container({ name, waiting: { reason, message } });

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
