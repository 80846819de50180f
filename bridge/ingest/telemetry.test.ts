import { afterEach, describe, expect, it } from 'vitest';
import { condition, container, ownedBy, podFacts, seen, T0, terminated } from '../../test/fixtures/facts.ts';
import type { JobFacts, PodFacts } from '../kubernetes/observation.ts';
import { planConfig } from '../sinks/cronitor/fixtures.ts';
import { createCronitorPlanner } from '../sinks/cronitor/plan.ts';
import type { TestEngineOptions } from './test-engine.ts';
import { annotated, CRON, JOB_UID, scheduled, TestEngine, uidOf } from './test-engine.ts';

let bridge: TestEngine;
afterEach(() => bridge.close());

function open(account: object = {}, options: TestEngineOptions = {}): void {
  bridge = new TestEngine({ planners: [createCronitorPlanner('default', planConfig(account))], ...options });
}

const at = (seconds: number): number => T0 + seconds * 1_000;

/** The Job with its end in two steps, as Kubernetes since 1.31 writes it: the hint, then the condition that counts. */
function ending(type: 'Complete' | 'Failed', reason: string | undefined, message?: string): [JobFacts, JobFacts] {
  const why = { reason, message };
  const hint = condition(type === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget', at(8), why);
  const end = condition(type, at(9), why);
  const completionAt = type === 'Complete' ? at(9) : undefined;
  return [
    scheduled({ resourceVersion: '115', conditions: [hint] }),
    scheduled({ resourceVersion: '120', conditions: [hint, end], completionAt }),
  ];
}

let version = 1_000;
function pod(number: number, changes: Partial<PodFacts> = {}): PodFacts {
  const uid = `22222222-0000-4000-8000-${String(number).padStart(12, '0')}`;
  const placed = { nodeName: `node-${number}`, startAt: at(2) };
  return podFacts({ uid, name: `report-1-${number}`, resourceVersion: String(version++), ...placed, ...changes });
}

const failedPod = (number: number, exitCode: number): PodFacts =>
  pod(number, { phase: 'Failed', containers: [container({ terminated: terminated(exitCode, at(5 + number)) })] });

const queries = (): Record<string, string>[] =>
  bridge.reader
    .deliveries({ limit: 100 })
    .items.toReversed()
    .map(({ payload }) => (payload as { query: Record<string, string> }).query);

/** Every reason of the Job API (batch/v1, Kubernetes 1.37), none at all, and one that does not exist yet. */
const ENDS = [
  ['Complete', 'CompletionsReached', 'complete'],
  ['Complete', 'SuccessPolicy', 'complete'],
  ['Complete', undefined, 'complete'],
  ['Complete', 'SomethingNew', 'complete'],
  ['Failed', 'BackoffLimitExceeded', 'fail'],
  ['Failed', 'DeadlineExceeded', 'fail'],
  ['Failed', 'PodFailurePolicy', 'fail'],
  ['Failed', 'FailedIndexes', 'fail'],
  ['Failed', 'MaxFailedIndexesExceeded', 'fail'],
  ['Failed', undefined, 'fail'],
  ['Failed', 'SomethingNew', 'fail'],
] as const;

describe.each(ENDS)('a Job that ends as %s with the reason %s', (type, reason, state) => {
  it.each([0, 1, 3])(`is one run and one ${state}, with %i pods`, (pods) => {
    open();
    const [hint, end] = ending(type, reason, 'because');
    const failed = Array.from({ length: pods }, (_, number) => seen(failedPod(number, number + 1)));
    bridge.take([seen(CRON), seen(scheduled()), ...failed, seen(hint)]);
    bridge.take([seen(end), seen(end)]);
    bridge.take([seen({ ...end, resourceVersion: '130' }, true)]);
    expect(bridge.reported()).toEqual(['run@1', `${state}@9`]);
    const [, last = {}] = queries();
    expect(last).toMatchObject({ metric: 'duration:8' });
    if (state === 'complete') return;
    expect(last['message']).toMatch(new RegExp(`(^|; )${reason === undefined ? '' : `${reason}: `}because$`));
    expect(last['status_code']).toBe(pods === 0 ? undefined : String(pods));
  });
});

describe('a Job that is deleted', () => {
  it('with only the hint of its end has ended by that', () => {
    open();
    const [hint] = ending('Failed', 'PodFailurePolicy');
    bridge.take([seen(CRON), seen(scheduled()), seen(hint), seen({ ...hint, resourceVersion: '116' }, true)]);
    expect(bridge.reported()).toEqual(['run@1', 'fail@8']);
  });

  it.each([
    ['fail', 'fail@5'],
    ['complete', 'complete@5'],
  ])('while it was active is reported by onCancelled: %s', (onCancelled, reported) => {
    open({ onCancelled });
    const deleted = scheduled({ resourceVersion: '116', deletionAt: at(5) });
    bridge.take([seen(CRON), seen(scheduled()), seen(deleted, true)]);
    expect(bridge.reported()).toEqual(['run@1', reported]);
    expect(queries().at(-1)).toMatchObject({ message: 'cancelled', metric: 'duration:4' });
  });
});

describe('a run that was running at first sight, with firstSight.running: suppress', () => {
  const early = (changes: Partial<JobFacts> = {}): JobFacts => scheduled({ startAt: at(-60), ...changes });
  const [, done] = ending('Complete', 'CompletionsReached');

  it('has only its end reported, once, whatever is seen again and after a restart', () => {
    open({}, { running: 'suppress' });
    bridge.take([seen(CRON), seen(early()), seen(pod(1, { startAt: at(-59), phase: 'Running' }))]);
    bridge.restart();
    bridge.take([seen(early()), seen({ ...done, startAt: at(-60) })]);
    bridge.take([
      seen({ ...done, startAt: at(-60) }),
      seen({ ...done, startAt: at(-60), resourceVersion: '121' }, true),
    ]);
    expect(bridge.reported()).toEqual(['complete@9']);
    expect(bridge.decisions()).toEqual(['dropped running_suppressed', 'planned']);
    expect(queries()[0]).toMatchObject({ metric: 'duration:69' });
  });

  it('says nothing of pods that started or got stuck before the cut-off', () => {
    open({ stuck: 'fail' }, { running: 'suppress' });
    const waiting = [container({ waiting: { reason: 'ImagePullBackOff', message: undefined } })];
    bridge.take([seen(annotated({ 'send-pod-start-event': 'true' })), seen(early())]);
    bridge.take([seen(pod(1, { startAt: at(-50), containers: waiting }))]);
    bridge.take([seen({ ...done, startAt: at(-60) })]);
    expect(bridge.reported()).toEqual(['complete@9']);
  });
});

describe('a stuck run that is reported as failed', () => {
  const waiting = [container({ waiting: { reason: 'ImagePullBackOff', message: 'no such image' } })];
  const stuckPod = (): PodFacts => pod(1, { containers: waiting });
  const moving = (): PodFacts => pod(1, { phase: 'Running', containers: [container({ runningSince: at(6) })] });

  it.each([
    ['Complete', ['run@1', 'fail@2', 'complete@9']],
    ['Failed', ['run@1', 'fail@2']],
  ] as const)('is not reported as failed again, but its success after it is: %s', (type, reported) => {
    open({ stuck: 'fail' });
    bridge.take([seen(CRON), seen(scheduled()), seen(stuckPod())]);
    bridge.take([seen(pod(2, { containers: waiting })), seen(moving())]);
    bridge.restart();
    bridge.take([seen(stuckPod()), seen(ending(type, undefined)[1])]);
    expect(bridge.reported()).toEqual(reported);
    expect(bridge.decisions().at(-1)).toBe(type === 'Failed' ? 'dropped already_failed' : 'planned');
  });

  it('is not reported as running after it when its start comes later', () => {
    open({ stuck: 'fail' });
    bridge.take([seen(CRON), seen(scheduled({ startAt: undefined, resourceVersion: '105' })), seen(stuckPod())]);
    bridge.take([seen(scheduled())]);
    bridge.take([seen(ending('Failed', undefined)[1])]);
    expect(bridge.reported()).toEqual(['fail@2']);
  });

  it('is not reported once it is over', () => {
    open({ stuck: 'fail' });
    bridge.take([seen(CRON), seen(scheduled()), seen(ending('Complete', undefined)[1]), seen(stuckPod())]);
    expect(bridge.reported()).toEqual(['run@1', 'complete@9']);
    expect(bridge.decisions()).toContain('dropped run_over');
  });

  it('is reported to no vendor by default', () => {
    open();
    bridge.take([seen(CRON), seen(scheduled()), seen(stuckPod()), seen(ending('Failed', undefined)[1])]);
    expect(bridge.reported()).toEqual(['run@1', 'fail@9']);
  });
});

describe('the start of pods', () => {
  it('is reported for each pod whose name matches, and only before the end', () => {
    open({ podFilter: '-1?[12]$' });
    bridge.take([seen(annotated({ 'send-pod-start-event': 'true' })), seen(scheduled())]);
    bridge.take([1, 2, 3].map((number) => seen(pod(number, { startAt: at(number + 1) }))));
    bridge.take([seen(ending('Complete', undefined)[1]), seen(pod(1, { phase: 'Running' })), seen(pod(12))]);
    expect(bridge.reported()).toEqual(['run@1', 'run@2', 'run@3', 'complete@9']);
    expect(bridge.decisions()).toContain('dropped pod_filtered');
    expect(bridge.decisions()).toContain('dropped run_over');
  });
});

describe('a run by hand', () => {
  const uid = uidOf(7);
  const byHand = (changes: Partial<JobFacts> = {}): JobFacts =>
    scheduled({ uid, name: 'by-hand', scheduledAt: undefined, manual: true, owner: ownedBy(CRON), ...changes });

  it.each([
    ['report', ['run@1', 'complete@9'], ['planned', 'planned']],
    ['ignore', [], ['dropped manual_run', 'dropped manual_run']],
  ] as const)('with manualRuns: %s gives %j', (manualRuns, reported, decisions) => {
    open({ manualRuns });
    const [, end] = ending('Complete', undefined);
    bridge.take([seen(CRON), seen(byHand()), seen(scheduled())]);
    bridge.take([seen(byHand({ ...end, uid, name: 'by-hand', manual: true, scheduledAt: undefined })), seen(end)]);
    expect(bridge.reported(uid)).toEqual(reported);
    expect(bridge.decisions(uid)).toEqual(decisions);
    expect(bridge.reported(JOB_UID)).toEqual(['run@1', 'complete@9']);
  });
});

const waits = (reason: string): PodFacts =>
  pod(1, { containers: [container({ waiting: { reason, message: undefined }, restartCount: 1 })] });
const [criteriaMet, completed] = ending('Complete', 'CompletionsReached');
const suspended = scheduled({ resourceVersion: '112', conditions: [condition('Suspended', at(3))], suspend: true });
const resumed = scheduled({
  resourceVersion: '113',
  startAt: at(6),
  conditions: [condition('Suspended', at(6), { status: 'False' })],
});

/** An Event, what cronitor-kubernetes made of it, the objects that go with it, and what we report. */
const EVENTS: [string, string, (JobFacts | PodFacts)[], string[], string[]][] = [
  [
    'Job SuccessfulCreate',
    'a run for each pod',
    [pod(1), pod(2), pod(3)],
    ['run@1'],
    ['run@1', 'run@2', 'run@2', 'run@2'],
  ],
  [
    'Job Completed',
    'complete, if there is one pod',
    [pod(1), pod(2), completed],
    ['run@1', 'complete@9'],
    ['run@1', 'run@2', 'run@2', 'complete@9'],
  ],
  [
    'Job BackoffLimitExceeded',
    'fail, if there is one pod',
    [failedPod(1, 1), ending('Failed', 'BackoffLimitExceeded')[1]],
    ['run@1', 'fail@9'],
    ['run@1', 'run@2', 'fail@9'],
  ],
  [
    'Job DeadlineExceeded',
    'nothing',
    [ending('Failed', 'DeadlineExceeded')[1]],
    ['run@1', 'fail@9'],
    ['run@1', 'fail@9'],
  ],
  ['Job SuccessCriteriaMet', 'nothing', [criteriaMet], ['run@1'], ['run@1']],
  ['Job Suspended, Resumed', 'nothing', [suspended, resumed], ['run@1'], ['run@1']],
  ['Job FailedCreate', 'nothing', [scheduled({ resourceVersion: '111' })], ['run@1'], ['run@1']],
  ['Pod Started', 'run, if wanted', [pod(1)], ['run@1'], ['run@1', 'run@2']],
  [
    'Pod BackOff (restart)',
    'fail, again and again',
    [waits('CrashLoopBackOff'), waits('CrashLoopBackOff'), completed],
    ['run@1', 'complete@9'],
    ['run@1', 'run@2', 'fail@2', 'complete@9'],
  ],
  [
    'Pod BackOff (image)',
    'fail, again and again',
    [waits('ErrImagePull'), waits('ImagePullBackOff')],
    ['run@1'],
    ['run@1', 'run@2', 'fail@2'],
  ],
  ['Pod Failed, Evicted', 'nothing', [pod(1, { phase: 'Failed', reason: 'Evicted' })], ['run@1'], ['run@1', 'run@2']],
  ['Pod OOMKilling', 'nothing', [failedPod(1, 137)], ['run@1'], ['run@1', 'run@2']],
  [
    'Pod FailedScheduling',
    'nothing',
    [pod(1, { nodeName: undefined, startAt: undefined, unschedulable: '' })],
    ['run@1'],
    ['run@1'],
  ],
];

describe('beside the Events that cronitor-kubernetes read', () => {
  it.each(EVENTS)('%s (there: %s)', (_event, _theirs, objects, byDefault, withAll) => {
    const reported = (annotations: Record<string, string>, account: object): string[] => {
      open(account);
      bridge.take([seen(annotated(annotations)), seen(scheduled())]);
      for (const object of objects) bridge.take([seen(object)]);
      return bridge.reported();
    };
    expect(reported({}, {})).toEqual(byDefault);
    bridge.close();
    expect(reported({ 'send-pod-start-event': 'true' }, { stuck: 'fail' })).toEqual(withAll);
  });
});
