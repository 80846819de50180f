import { beforeEach, describe, expect, it } from 'vitest';
import { podFacts, seen, T0, terminated } from '../../test/fixtures/facts.ts';
import type { PodFacts } from '../kubernetes/observation.ts';
import { podRun } from './bare-pod.ts';
import { causeOf, failureCause } from './cause.ts';
import { at, restartNumbers, cause, failed, main, pod, stopped, shortCause } from './fixtures.ts';
import type { PodState } from './pod-state.ts';
import { podAttempt } from './pod-attempt.ts';
import { reducePod } from './pod.ts';

// report-1-a is the first pod of each test.
beforeEach(() => restartNumbers());

describe('the cause of a failed Job', () => {
  it('is the container that failed by itself, whatever was stopped with the Job, and whenever that ended', () => {
    const attempts = [failed(1), stopped(), stopped(137)];
    const expected = ['container main exited with 1 (Error); BackoffLimitExceeded', 1, 'report-1-a'];
    expect(shortCause(attempts)).toEqual(expected);
    expect(shortCause(attempts.toReversed())).toEqual(expected);
  });

  it.each([1, 2, 130, 255])('is not a pod that answers SIGTERM with its own exit code %i', (code) => {
    expect(shortCause([failed(3), stopped(code)])).toEqual([
      'container main exited with 3 (Error); BackoffLimitExceeded',
      3,
      'report-1-a',
    ]);
  });

  it('is not a pod that ends in the second of its deletion, or by OOM after it, if another failed', () => {
    const tied = pod({
      phase: 'Failed',
      deletionAt: at(10),
      containers: [main({ terminated: terminated(7, at(10)) })],
    });
    const oom = stopped(137, { containers: [main({ terminated: terminated(137, at(13), 'OOMKilled') })] });
    const own = failed(1, 10);
    for (const attempts of [
      [own, tied, oom],
      [oom, tied, own],
    ]) {
      expect(shortCause(attempts).slice(0, 2)).toEqual([
        'container main exited with 1 (Error); BackoffLimitExceeded',
        1,
      ]);
    }
    expect(shortCause([tied])[1]).toBe(7);
    expect(shortCause([oom])[1]).toBe(137);
    expect(shortCause([tied, oom], 'DeadlineExceeded')).toEqual([
      'DeadlineExceeded: Job was active longer than specified deadline',
      undefined,
      undefined,
    ]);
  });

  it('is one line, however many its messages have', () => {
    const message = 'cannot start:\n\n  no such file\n';
    const ended = { ...terminated(127, at(10), 'ContainerCannotRun')!, message };
    const attempt = pod({ phase: 'Failed', containers: [main({ terminated: ended })] });
    expect(cause([attempt]).text).toBe(
      'container main exited with 127 (ContainerCannotRun): cannot start: no such file; BackoffLimitExceeded',
    );
    expect(failureCause({ reason: undefined, message, at: undefined }, []).text).toBe('cannot start: no such file');
  });

  it('is said once for attempts that all ended alike, else their number is', () => {
    expect(cause([failed(4, 3), failed(4, 6), failed(4, 9)]).text).toBe(
      'container main exited with 4 (Error) in all 3 attempts; BackoffLimitExceeded',
    );
    expect(cause([failed(4, 3), failed(4, 6)]).text).toMatch(
      /^container main exited with 4 \(Error\) in both attempts;/,
    );
    expect(cause([failed(2, 3), failed(4, 6), stopped()]).text).toBe(
      'container main exited with 4 (Error); 2 pods failed; BackoffLimitExceeded',
    );
  });

  it('is the last that failed before the failure was decided, not one that fell later', () => {
    expect(shortCause([failed(1, 5), failed(2, 10), failed(9, 12)])).toMatchObject([
      expect.stringMatching('exited with 2'),
      2,
      'report-1-b',
    ]);
    expect(shortCause([failed(8, 14), failed(9, 12)])).toMatchObject([
      expect.stringMatching('exited with 9'),
      9,
      expect.anything(),
    ]);
  });

  it.each([
    ['OOMKilled', 137, 'container main was OOMKilled (exit code 137)'],
    [undefined, 137, 'container main exited with 137 (probably OOM or killed)'],
    [undefined, 143, 'container main exited with 143 (Error)'],
    ['StartError', 128, 'container main exited with 128 (StartError)'],
  ])('%s with exit code %i in words', (reason, code, text) => {
    expect(shortCause([failed(code, 10, reason)]).slice(0, 2)).toEqual([`${text}; BackoffLimitExceeded`, code]);
  });

  it('is the condition alone, with its message, when no pod was seen or none explains it', () => {
    expect(shortCause([])).toEqual([
      'BackoffLimitExceeded: Job has reached the specified backoff limit',
      undefined,
      undefined,
    ]);
    expect(shortCause([pod({ phase: 'Failed' })])[0]).toBe(
      'BackoffLimitExceeded: Job has reached the specified backoff limit',
    );
  });

  it('keeps the message of a condition that says more', () => {
    expect(shortCause([failed(1)], 'Odd', 'because  of\n  this')[0]).toBe(
      'container main exited with 1 (Error); Odd: because of this',
    );
  });

  it('is the pod that was deleted, without an exit code, when it was the only one', () => {
    expect(shortCause([stopped()])).toEqual(['pod report-1-a was deleted; BackoffLimitExceeded', undefined, undefined]);
    expect(shortCause([stopped(0)])[1]).toBeUndefined();
  });
});

describe('a podFailurePolicy', () => {
  const message = 'Container side for pod shop/report-1-a failed with exit code 42 matching FailJob rule at index 0';

  it('names the culprit, whatever else failed', () => {
    const both = [
      main({ name: 'main', terminated: terminated(1, at(5)) }),
      main({ name: 'side', terminated: terminated(42, at(9)) }),
    ];
    const attempts = [pod({ phase: 'Failed', containers: both }), failed(7, 10), stopped()];
    expect(shortCause(attempts, 'PodFailurePolicy', message)).toEqual([
      `container side exited with 42; 2 pods failed; PodFailurePolicy: ${message}`,
      42,
      'report-1-a',
    ]);
  });

  it('names it also when its pod was not seen', () => {
    restartNumbers(1);
    expect(shortCause([stopped()], 'PodFailurePolicy', message)).toEqual([
      `container side exited with 42; PodFailurePolicy: ${message}`,
      42,
      undefined,
    ]);
  });

  it('names a pod that was disrupted', () => {
    const disruption = { reason: 'EvictionByEvictionAPI', message: 'Eviction API: evicting' };
    const says = 'Pod shop/report-1-a has condition DisruptionTarget matching FailJob rule at index 1';
    expect(shortCause([stopped(143, { disruption }), stopped()], 'PodFailurePolicy', says)).toEqual([
      `pod report-1-a failed: EvictionByEvictionAPI: Eviction API: evicting; PodFailurePolicy: ${says}`,
      undefined,
      'report-1-a',
    ]);
  });
});

describe('a Job that is over before a container ran', () => {
  const unschedulable = '0/1 nodes are available: 1 Insufficient cpu';
  const nowhere = { phase: 'Pending', nodeName: undefined, startAt: undefined } as const;
  const pulls = (reason: string, message?: string): Partial<PodFacts> => ({
    phase: 'Pending',
    containers: [main({ waiting: { reason, message } })],
  });

  it('failed because no node took its pod', () => {
    const attempt = pod({ ...nowhere, unschedulable }, { ...nowhere, unschedulable, deletionAt: at(11), gone: true });
    expect(shortCause([attempt], 'DeadlineExceeded')).toEqual([
      `no node took the pod: ${unschedulable}; DeadlineExceeded`,
      undefined,
      undefined,
    ]);
    expect(attempt.waiting).toEqual({ reason: 'Unschedulable', message: unschedulable });
  });

  it('failed because its pod was gated', () => {
    const attempt = pod(
      { ...nowhere, unscheduled: { reason: 'SchedulingGated', message: 'gated' } },
      { ...nowhere, gone: true },
    );
    expect(shortCause([attempt], 'DeadlineExceeded')[0]).toBe(
      'the pod got no node: SchedulingGated: gated; DeadlineExceeded',
    );
  });

  it('failed because of an image, also when its container goes back to ContainerCreating', () => {
    const back = { ...pulls('ContainerCreating'), deletionAt: at(11) };
    const lost = { ...terminated(137, at(9), 'ContainerStatusUnknown')!, finishedAt: undefined };
    const over = { phase: 'Failed', deletionAt: at(11), containers: [main({ terminated: lost })], gone: true } as const;
    const attempt = pod({ ...nowhere, unschedulable }, pulls('ErrImagePull', 'not found'), back, over);
    expect(shortCause([attempt], 'DeadlineExceeded')).toEqual([
      'container main waited with ErrImagePull: not found; DeadlineExceeded',
      undefined,
      undefined,
    ]);
  });

  it('waits for what the newest record shows, in any order', () => {
    const records = [
      { ...nowhere, unschedulable, resourceVersion: '110' },
      { ...pulls('ErrImagePull'), resourceVersion: '120' },
      { ...pulls('ImagePullBackOff'), resourceVersion: '130' },
      { ...pulls('ContainerCreating'), deletionAt: at(11), resourceVersion: '140' },
    ];
    for (const order of [
      [0, 1, 2, 3],
      [3, 2, 1, 0],
      [3, 0, 2, 1],
      [2, 3, 1, 0],
    ]) {
      expect(pod(...order.map((index) => records[index]!)).waiting).toEqual({
        reason: 'ImagePullBackOff',
        container: 'main',
      });
    }
    const ran = { containers: [main({ runningSince: at(5) })], resourceVersion: '150' };
    for (const order of [
      [ran, ...records],
      [...records, ran],
    ])
      expect(pod(...order)).not.toHaveProperty('waiting');
  });
});

describe('the cause of a run that did not fail', () => {
  const bare = (...records: (Partial<PodFacts> & { gone?: true })[]): [string | undefined, string | undefined] => {
    let state: PodState | undefined;
    records.forEach(({ gone = false, ...changes }, index) => {
      const facts = podFacts({ owner: undefined, resourceVersion: String(101 + index), ...changes });
      state = reducePod(state, seen(facts, gone)).state;
    });
    const run = podRun(state!);
    return [run.status, causeOf(run, [podAttempt(state!)])?.text];
  };

  it('of a bare pod that failed is its container, without a condition', () => {
    const end = { phase: 'Failed', startAt: T0, containers: [main({ terminated: terminated(3, at(5)) })] };
    expect(bare(end)).toEqual(['failed', 'container main exited with 3 (Error)']);
  });

  it('is that it was deleted, and what it waited for', () => {
    const waits = { unschedulable: 'no room' };
    expect(bare(waits, { ...waits, gone: true })).toEqual([
      'never_started',
      'deleted before it started; no node took the pod: no room',
    ]);
    const stops = {
      phase: 'Failed',
      startAt: T0,
      deletionAt: at(5),
      containers: [main({ terminated: terminated(1, at(6)) })],
    };
    expect(bare(stops)).toEqual(['cancelled', 'deleted while active']);
  });

  it('is what it is stuck on now', () => {
    const image = main({ waiting: { reason: 'ImagePullBackOff', message: 'no such image' } });
    expect(bare({ startAt: T0, nodeName: 'n', containers: [image] })).toEqual([
      'stuck',
      'container main waits with ImagePullBackOff: no such image',
    ]);
    const loop = main({
      restartCount: 2,
      waiting: { reason: 'CrashLoopBackOff', message: undefined },
      lastTerminated: terminated(2, at(5)),
    });
    expect(bare({ phase: 'Running', startAt: T0, nodeName: 'n', containers: [loop] })[1]).toBe(
      'container main exited with 2 (Error); container main waits with CrashLoopBackOff',
    );
  });

  it('is none for one that runs or succeeded', () => {
    expect(bare({ phase: 'Running', startAt: T0 })).toEqual(['running', undefined]);
    expect(bare({ phase: 'Succeeded', startAt: T0 })).toEqual(['succeeded', undefined]);
  });
});
