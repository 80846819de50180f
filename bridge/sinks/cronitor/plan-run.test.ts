import { describe, expect, it } from 'vitest';
import type { Transition } from '../../lifecycle/transition.ts';
import { attempt, cronJob, JOB_UID, planConfig, planContext, run, transition } from './fixtures.ts';
import type { Given } from './fixtures.ts';
import { pingSchema } from './ping.ts';
import { createCronitorPlanner } from './plan.ts';

const context = planContext;

const ended = (outcome: Transition['outcome'], more: Partial<Transition> = {}): Transition =>
  transition({ id: `${JOB_UID}/ended`, kind: 'run.ended', at: 1_760_000_065_000, outcome, ...more } as Transition);

const POD = { kind: 'Pod', namespace: 'default', name: 'test-cronjob-29333333-abcde', uid: 'pod-1' } as const;
const podStarted = transition({ id: 'pod-1/attempt-started', kind: 'attempt.started', about: POD });
const stuck = transition({
  id: 'pod-1/stuck/image',
  kind: 'run.stuck',
  text: 'stuck: container main waits with ImagePullBackOff',
  reason: 'ImagePullBackOff',
  message: 'no such image',
  about: POD,
});

const all = (): never => {
  throw new Error('all pods of the run were read');
};

/** The query of what is sent, its monitor and memo; or why nothing is. */
function plan(edge: Transition, overrides: Given = {}, account: object = {}) {
  const planned = createCronitorPlanner('default', planConfig(account)).plan(edge, context(overrides));
  if (planned === null || 'drop' in planned) return { drop: planned?.drop, memo: undefined };
  expect(planned.intents).toHaveLength(1);
  return { ...pingSchema.parse(planned.intents[0]!.payload).query, memo: planned.memo };
}

describe('the exit code', () => {
  const crashed = attempt({ container: 'main', exitCode: 3, reason: 'Error', endedAt: 10, phase: 'Failed' });

  it('of a failed run is that of the container whose end decided', () => {
    const earlier = attempt({ podUid: 'pod-0', container: 'main', exitCode: 1, endedAt: 5, phase: 'Failed' });
    expect(plan(ended('failed'), { attempts: [earlier, crashed] })).toMatchObject({ status_code: '3' });
  });

  it('is that of a pod that still lives when none has ended with one', () => {
    const alive = attempt({ container: 'main', exitCode: 137, reason: 'OOMKilled' });
    expect(plan(ended('failed'), { attempts: [alive, attempt({ podUid: 'pod-2' })] })).toMatchObject({
      status_code: '137',
      message: 'container main was OOMKilled (exit code 137)',
    });
  });

  it('is not sent for a success, for a cancelled run, or where no container ended', () => {
    expect(plan(ended('succeeded'), { attempts: [crashed] })).not.toHaveProperty('status_code');
    expect(plan(ended('cancelled'), { attempts: [crashed] })).not.toHaveProperty('status_code');
    expect(plan(ended('failed', { reason: 'DeadlineExceeded' }), { attempts: [attempt()] })).not.toHaveProperty(
      'status_code',
    );
  });
});

describe('the duration', () => {
  it.each([
    ['succeeded', 'complete'],
    ['failed', 'fail'],
    ['cancelled', 'fail'],
    ['replaced', 'complete'],
  ] as const)('of a run that %s is from its start to its end, in seconds', (outcome, state) => {
    expect(plan(ended(outcome))).toMatchObject({ state, metric: 'duration:64' });
  });

  it('is not sent where a time was only concluded, or there is none', () => {
    for (const more of [{ inferred: true }, { corrects: true }] as const) {
      expect(plan(ended('succeeded', more))).not.toHaveProperty('metric');
    }
    expect(plan(ended('succeeded'), { run: run({ startedAt: undefined }) })).not.toHaveProperty('metric');
    expect(plan(ended('succeeded'), { run: run({ startedAt: 1_760_000_066_000 }) })).not.toHaveProperty('metric');
    expect(plan(transition())).not.toHaveProperty('metric');
  });
});

describe('the pods of a run', () => {
  const failed = (podUid: string) => attempt({ podUid, phase: 'Failed' });

  it('that failed are counted in the message when there was more than one, or the run succeeded after all', () => {
    expect(plan(ended('failed', { reason: 'R' }), { attempts: [failed('a'), failed('b')] })).toMatchObject({
      message: '2 pods failed; R',
    });
    expect(plan(ended('failed', { reason: 'R' }), { attempts: [failed('a')] })).toMatchObject({ message: 'R' });
    expect(plan(ended('succeeded'), { attempts: [failed('a'), attempt({ podUid: 'b' })] })).toMatchObject({
      message: 'succeeded after 1 pod had failed',
    });
  });

  it('are as many as Kubernetes counts in the message of a success, whatever else was stopped', () => {
    const attempts = [failed('a'), failed('b'), attempt({ podUid: 'c' })];
    expect(plan(ended('succeeded'), { attempts, run: run({ failedPods: 1 }) })).toMatchObject({
      message: 'succeeded after 1 pod had failed',
    });
    expect(plan(ended('succeeded'), { attempts, run: run({ failedPods: 0 }) })).not.toHaveProperty('message');
  });

  it('that were stopped with their Job give a failure neither message, exit code nor node', () => {
    const culprit = attempt({
      podUid: 'a',
      nodeName: 'node-a',
      container: 'main',
      exitCode: 3,
      phase: 'Failed',
      endedAt: 5,
      failed: 'itself',
    });
    const stopped = attempt({
      podUid: 'b',
      nodeName: 'node-b',
      container: 'main',
      exitCode: 143,
      phase: 'Failed',
      endedAt: 9,
      failed: 'stopped',
    });
    expect(plan(ended('failed', { reason: 'R' }), { attempts: [culprit, stopped] })).toMatchObject({
      message: 'container main exited with 3; R',
      status_code: '3',
      host: 'node-a',
    });
    const without = plan(ended('failed', { reason: 'R' }), { attempts: [stopped, { ...stopped, podUid: 'c' }] });
    expect(without).toMatchObject({ message: 'R' });
    expect(without).not.toHaveProperty('status_code');
  });

  it('that succeeded say where a run succeeded, not those that were stopped then', () => {
    const good = attempt({ podUid: 'a', nodeName: 'node-a', phase: 'Succeeded', endedAt: 5 });
    const stopped = attempt({ podUid: 'b', nodeName: 'node-b', phase: 'Failed', endedAt: 9, failed: 'stopped' });
    expect(plan(ended('succeeded'), { attempts: [good, stopped] })).toMatchObject({ host: 'node-a' });
  });
});

describe('log-complete-event', () => {
  it.each([
    ['true', 'succeeded', 'logs'],
    ['true', 'replaced', 'logs'],
    ['true', 'failed', 'fail'],
    ['true', 'cancelled', 'fail'],
    ['false', 'succeeded', 'complete'],
    ['yes', 'succeeded', 'complete'],
    ['', 'succeeded', 'complete'],
  ] as const)('%s makes of a run that %s the state %s', (value, outcome, state) => {
    expect(plan(ended(outcome), { cronJob: cronJob({ 'log-complete-event': value }) })).toMatchObject({ state });
  });

  it('says what happened and measures nothing: the workload itself completes the run', () => {
    const sent = plan(ended('succeeded'), { cronJob: cronJob({ 'log-complete-event': 'true' }) });
    expect(sent).toMatchObject({ message: 'Job test-cronjob-29333333 is completed with status complete' });
    expect(sent).not.toHaveProperty('metric');
    expect(plan(transition(), { cronJob: cronJob({ 'log-complete-event': 'true' }) })).toMatchObject({ state: 'run' });
  });
});

describe('send-pod-start-event', () => {
  const wanted = cronJob({ 'send-pod-start-event': 'true' });

  it('reports one more run for each pod, where and when it started', () => {
    const attempts = [attempt({ podUid: 'pod-0', nodeName: 'node-0' }), attempt({ nodeName: 'node-1' })];
    expect(plan(podStarted, { cronJob: wanted, attempts })).toMatchObject({
      state: 'run',
      series: JOB_UID,
      stamp: '1760000001',
      host: 'node-1',
      message: 'Pod test-cronjob-29333333-abcde started',
    });
  });

  it('asks for the pod that started, not for the thousands that the run may have', () => {
    const pods = { ...planContext({ cronJob: wanted, attempts: [attempt({ nodeName: 'node-1' })] }), attempts: all };
    expect(createCronitorPlanner('default', planConfig()).plan(podStarted, pods)).toMatchObject({
      intents: [{ payload: { query: { host: 'node-1' } } }],
    });
  });

  it.each([
    ['is absent', cronJob()],
    ['is false', cronJob({ 'send-pod-start-event': 'false' })],
    ['is not a boolean', cronJob({ 'send-pod-start-event': 'yes' })],
  ])('is off when it %s', (_case, owner) => {
    expect(plan(podStarted, { cronJob: owner })).toEqual({ drop: undefined });
  });

  it('reports nothing of a run that is over or was reported as failed: it would be open again', () => {
    const over = run({ endedAt: 1_760_000_065_000 });
    expect(plan(podStarted, { cronJob: wanted, run: over })).toEqual({ drop: 'run_over' });
    expect(plan(podStarted, { cronJob: wanted, memo: { key: 'k', failed: true } })).toEqual({ drop: 'already_failed' });
  });
});

describe('a pod filter', () => {
  const config = { podFilter: '^report-', stuck: 'fail' } as const;
  const wanted = cronJob({ 'send-pod-start-event': 'true' });

  it('concerns what pods report, never the states of the Job', () => {
    expect(plan(podStarted, { cronJob: wanted }, config)).toEqual({ drop: 'pod_filtered' });
    expect(plan(stuck, {}, config)).toEqual({ drop: 'pod_filtered' });
    expect(plan({ ...podStarted, about: { ...POD, name: 'report-1' } }, { cronJob: wanted }, config)).toMatchObject({
      state: 'run',
    });
    expect(plan(transition(), {}, config)).toMatchObject({ state: 'run' });
    expect(plan(ended('failed'), {}, config)).toMatchObject({ state: 'fail' });
  });
});

describe('a stuck run', () => {
  const fail = { stuck: 'fail' } as const;

  it('is not reported by default, and as failed if wanted, with what the pod waits for', () => {
    expect(plan(stuck)).toEqual({ drop: undefined });
    const looping = attempt({ nodeName: 'node-1', container: 'main', exitCode: 2 });
    expect(plan(stuck, { attempts: [looping] }, fail)).toEqual({
      state: 'fail',
      series: JOB_UID,
      stamp: '1760000001',
      host: 'node-1',
      message: 'Pod test-cronjob-29333333-abcde is stuck: container main waits with ImagePullBackOff: no such image',
      status_code: '2',
      memo: { key: cronJob().uid, failed: true },
    });
  });

  it('reports nothing more but its success', () => {
    const { memo } = plan(stuck, {}, fail);
    const later = (edge: Transition, config = {}) => plan(edge, { memo }, { ...fail, ...config });
    expect(later({ ...stuck, id: 'pod-2/stuck/image' })).toEqual({ drop: 'already_failed' });
    expect(later(transition())).toEqual({ drop: 'already_failed' });
    expect(later(ended('failed'))).toEqual({ drop: 'already_failed' });
    expect(later(ended('cancelled'))).toEqual({ drop: 'already_failed' });
    expect(later(ended('cancelled'), { onCancelled: 'complete' })).toMatchObject({ state: 'complete' });
    expect(later(ended('replaced'))).toMatchObject({ state: 'complete' });
    expect(later(ended('succeeded'))).toMatchObject({ state: 'complete', memo: { failed: true } });
  });

  it('is not reported once the run has ended', () => {
    expect(plan(stuck, { run: run({ endedAt: 1_760_000_065_000 }) }, fail)).toEqual({ drop: 'run_over' });
  });
});

describe('a cancelled run', () => {
  it('is complete if wanted; the message says what happened either way', () => {
    expect(plan(ended('cancelled'))).toMatchObject({ state: 'fail', message: 'cancelled' });
    expect(plan(ended('cancelled'), {}, { onCancelled: 'complete' })).toMatchObject({
      state: 'complete',
      message: 'cancelled',
    });
  });
});

describe('a run by hand', () => {
  const manual = run({ manual: true });

  it('is reported like any other unless it is to be ignored', () => {
    expect(plan(transition(), { run: manual })).toMatchObject({ state: 'run' });
    expect(plan(transition(), { run: manual }, { manualRuns: 'ignore' })).toEqual({ drop: 'manual_run' });
    expect(plan(ended('failed'), { run: manual }, { manualRuns: 'ignore' })).toEqual({ drop: 'manual_run' });
    expect(plan(transition(), {}, { manualRuns: 'ignore' })).toMatchObject({ state: 'run' });
  });

  it('whose start was reported is closed although it is to be ignored by now', () => {
    const reported = { run: manual, memo: { key: 'k' } };
    expect(plan(ended('succeeded'), reported, { manualRuns: 'ignore' })).toMatchObject({ state: 'complete' });
  });
});
