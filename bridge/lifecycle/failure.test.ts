import { beforeEach, describe, expect, it } from 'vitest';
import { terminated } from '../../test/fixtures/facts.ts';
import type { ContainerFacts } from '../kubernetes/observation.ts';
import { at, restartNumbers, failed, main, pod, stopped, shortCause } from './fixtures.ts';
import type { Attempt } from './transition.ts';

// report-1-a is the first pod of each test.
beforeEach(() => restartNumbers());

describe('several containers of one pod', () => {
  const two = (first: ContainerFacts, second: ContainerFacts): Attempt =>
    pod({ phase: 'Failed', containers: [first, second] });

  it('that failed: the first is the cause, the other fell with it', () => {
    const app = main({ name: 'app', terminated: terminated(3, at(5)) });
    const proxy = main({ name: 'proxy', terminated: terminated(1, at(6)) });
    for (const attempt of [two(app, proxy), two(proxy, app)])
      expect(attempt).toMatchObject({ container: 'app', exitCode: 3 });
  });

  it('that failed: one that was OOMKilled wins', () => {
    const app = main({ name: 'app', terminated: terminated(3, at(5)) });
    const worker = main({ name: 'worker', terminated: terminated(137, at(6), 'OOMKilled') });
    expect(two(app, worker)).toMatchObject({ container: 'worker', exitCode: 137 });
  });

  it('an init container that failed and then succeeded decides nothing, nor does a sidecar', () => {
    const setup = main({
      name: 'setup',
      type: 'init',
      restartCount: 1,
      lastTerminated: terminated(2, at(3)),
      terminated: terminated(0, at(4)),
    });
    const proxy = main({ name: 'proxy', type: 'sidecar', terminated: terminated(137, at(4)) });
    const attempt = pod({ phase: 'Failed', containers: [setup, proxy, main({ terminated: terminated(5, at(9)) })] });
    expect(attempt).toMatchObject({ container: 'main', exitCode: 5, failed: 'itself' });
  });

  it('an init container that failed is named', () => {
    const setup = main({ name: 'setup', type: 'init', terminated: terminated(2, at(3)) });
    const waits = main({ waiting: { reason: 'PodInitializing', message: undefined } });
    expect(shortCause([pod({ phase: 'Failed', containers: [setup, waits] })]).slice(0, 2)).toEqual([
      'container setup exited with 2 (Error); BackoffLimitExceeded',
      2,
    ]);
  });
});

describe('a container that was started again', () => {
  const again = { restartCount: 3, lastTerminated: terminated(6, at(8)) };

  it('and was stopped with its Job is named by its own failure', () => {
    const attempt = stopped(143, { containers: [main({ ...again, terminated: terminated(143, at(13)) })] });
    expect(shortCause([attempt]).slice(0, 2)).toEqual([
      'container main exited with 6 (Error); BackoffLimitExceeded',
      6,
    ]);
    const looping = { ...again, waiting: { reason: 'CrashLoopBackOff', message: undefined } };
    expect(shortCause([pod({ containers: [main(looping)] })])[1]).toBe(6);
  });

  it('and ran until the deadline is not the cause of that', () => {
    const attempt = stopped(143, { containers: [main({ ...again, terminated: terminated(143, at(13)) })] });
    expect(shortCause([attempt], 'DeadlineExceeded')).toEqual([
      'DeadlineExceeded: Job was active longer than specified deadline',
      undefined,
      undefined,
    ]);
  });

  it('and then succeeded has not failed', () => {
    const attempt = pod({ phase: 'Succeeded', containers: [main({ ...again, terminated: terminated(0, at(9)) })] });
    expect(attempt).toMatchObject({ exitCode: 0 });
    expect(attempt).not.toHaveProperty('failed');
  });
});

describe('a pod that something else ended', () => {
  it.each([
    ['Evicted', 'The node was low on resource: memory'],
    ['Preempting', 'Preempted in order to admit critical pod'],
    ['NodeLost', 'Node n which was running pod p is unresponsive'],
    ['OutOfcpu', 'Node did not have enough resource: cpu'],
  ])('%s is reported with its message and without an exit code', (reason, message) => {
    const killed = [main({ terminated: terminated(137, at(9)) })];
    expect(shortCause([pod({ phase: 'Failed', reason, message, containers: killed }), stopped()])).toEqual([
      `pod report-1-a failed: ${reason}: ${message}; BackoffLimitExceeded`,
      undefined,
      'report-1-a',
    ]);
  });

  it('loses against a container that failed by itself, and is counted', () => {
    const evicted = pod({ phase: 'Failed', reason: 'Evicted' });
    expect(shortCause([failed(1, 5), evicted])[0]).toBe(
      'container main exited with 1 (Error); 2 pods failed; BackoffLimitExceeded',
    );
  });

  it('by preemption is not a failure of its container', () => {
    const disruption = { reason: 'PreemptionByScheduler', message: undefined };
    expect(shortCause([stopped(143, { disruption, deletionAt: at(5) })])).toEqual([
      'pod report-1-a failed: PreemptionByScheduler; BackoffLimitExceeded',
      undefined,
      'report-1-a',
    ]);
  });

  it('with its node, which lost the container, has no exit code', () => {
    const lost = { ...terminated(137, at(9), 'ContainerStatusUnknown')!, finishedAt: undefined };
    expect(shortCause([pod({ phase: 'Failed', containers: [main({ terminated: lost })] })]).slice(0, 2)).toEqual([
      expect.stringMatching(/^pod \S+ failed: ContainerStatusUnknown; Backoff/),
      undefined,
    ]);
  });
});

describe('a pod that failed and was deleted soon after', () => {
  const end = [main({ terminated: terminated(137, at(10)) })];

  it('failed by itself when a record shows that, in any order', () => {
    const alive = { phase: 'Failed', containers: end, resourceVersion: '150' };
    const deleted = { ...alive, deletionAt: at(12), resourceVersion: '160' };
    expect(pod(alive, deleted)).toMatchObject({ failed: 'itself' });
    expect(pod(deleted, alive)).toMatchObject({ failed: 'itself' });
    expect(pod({ ...deleted, gone: true }, alive)).toMatchObject({ failed: 'itself', deleted: true });
    expect(pod(deleted)).toMatchObject({ failed: 'stopped' });
  });
});
