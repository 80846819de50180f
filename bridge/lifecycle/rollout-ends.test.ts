import { beforeEach, describe, expect, it } from 'vitest';
import { container, podFacts } from '../../test/fixtures/facts.ts';
import type { DeploymentFacts } from '../kubernetes/kinds/deployment.ts';
import type { PodFacts } from '../kubernetes/observation.ts';
import { rolloutRun } from './rollout-run.ts';
import { giveUpRollout } from './rollout.ts';
import { at, brief, progress, replicaSet, Rollouts } from './testing/rollouts.ts';
import { available, begin, OLD, second } from './testing/web.ts';

let rollouts: Rollouts;
beforeEach(() => {
  rollouts = new Rollouts();
  rollouts.see(0, replicaSet('a'));
  rollouts.see(0, OLD);
});

const waiting = (changes: Partial<PodFacts> = {}): PodFacts =>
  podFacts({
    uid: 'pod-b',
    name: 'web-b-1',
    owner: { group: 'apps', kind: 'ReplicaSet', name: 'web-b', uid: 'rs-b' },
    nodeName: 'node-1',
    startAt: at(12),
    containers: [container({ waiting: { reason: 'ImagePullBackOff', message: 'not found' } })],
    ...changes,
  });

describe('a rollout scaled to zero', () => {
  const zero = (changes: Partial<DeploymentFacts> = {}): DeploymentFacts =>
    second({
      generation: 3,
      observedGeneration: 3,
      desired: 0,
      replicas: 0,
      updated: 0,
      available: 0,
      conditions: available,
      ...changes,
    });

  it('before it came up is cancelled, and corrected when it is scaled up and comes up', () => {
    begin(rollouts);
    expect(rollouts.see(20, zero())).toEqual(['2/ended cancelled']);
    expect(rollouts.reported.at(-1)).toMatchObject({ reason: 'ScaledToZero', text: 'cancelled: ScaledToZero' });
    const up = second({ generation: 4, observedGeneration: 4, updated: 3, replicas: 3, conditions: available });
    // The condition is still that of no pods.
    expect(rollouts.see(39, { ...up, available: 0 })).toEqual([]);
    expect(rollouts.see(40, up)).toEqual(['2/ended/corrected/succeeded succeeded']);
    expect(rollouts.reported.at(-1)).toMatchObject({ at: at(40), corrects: true });
  });

  it('from its beginning is over at once: no pod is wanted', () => {
    rollouts.see(10, replicaSet('b', { revision: 2, createdAt: at(10), desired: 0, replicas: 0, available: 0 }));
    expect(rollouts.see(20, zero())).toEqual(['2/started', '2/ended succeeded']);
  });
});

describe('a paused rollout', () => {
  it('is suspended, resumes, and neither fails nor ends meanwhile', () => {
    begin(rollouts);
    const unknown = (reason: string) => [progress(reason, 'web-b', 15, { status: 'Unknown', message: reason })];
    const paused = second({
      generation: 3,
      observedGeneration: 3,
      paused: true,
      conditions: unknown('DeploymentPaused'),
    });
    expect(rollouts.see(15, paused)).toEqual(['2/suspended/1']);
    const { facts, runs } = rollouts.state('web')!;
    expect(rolloutRun(facts, runs[0]!, false).status).toBe('suspended');
    const resumed = {
      ...paused,
      generation: 4,
      observedGeneration: 4,
      paused: false,
      conditions: unknown('DeploymentResumed'),
    };
    expect(rollouts.see(16, resumed)).toEqual(['2/resumed/1']);
    expect(rollouts.see(17, { ...resumed, paused: true })).toEqual(['2/suspended/2']);
  });
});

describe('a rollout whose Deployment is deleted', () => {
  it('in the foreground is cancelled when that is asked for, and not judged by what is left of it', () => {
    begin(rollouts);
    const dying = second({
      generation: 3,
      observedGeneration: 3,
      deletionAt: at(15),
      desired: 3,
      updated: 0,
      replicas: 0,
      available: 0,
      conditions: available,
    });
    expect(rollouts.see(15, dying)).toEqual(['2/ended cancelled']);
    expect(rollouts.reported.at(-1)).toMatchObject({ at: at(15), text: 'cancelled: the Deployment was deleted' });
    expect(rollouts.see(18, dying, true)).toEqual([]);
  });

  it('that is seen before the revision that overtook it is corrected', () => {
    begin(rollouts);
    const last = { generation: 4, deletionAt: at(40), resourceVersion: '200' };
    const gone = rollouts.take({ facts: { ...second(last) }, deleted: true, observedAt: at(40) });
    expect(gone.map(brief)).toEqual(['2/ended cancelled']);
    rollouts.see(41, replicaSet('c', { revision: 3, createdAt: at(20) }));
    const conditions = [progress('NewReplicaSetAvailable', 'web-c', 30)];
    const third = second({ generation: 3, observedGeneration: 3, revision: 3, updated: 3, replicas: 3, conditions });
    expect(rollouts.see(41, third)).toEqual([
      '3/started',
      '3/ended succeeded',
      '2/ended/corrected/superseded superseded',
    ]);
  });

  it('at once is judged by its last state first', () => {
    begin(rollouts);
    expect(rollouts.see(20, second({ updated: 3, replicas: 3, conditions: available }), true)).toEqual([
      '2/ended succeeded',
    ]);
  });

  it('after it was over reports nothing', () => {
    expect(rollouts.see(20, OLD, true)).toEqual([]);
  });

  it('unseen is given up as unknown, and a record that comes later brings the end', () => {
    begin(rollouts);
    const { state, transitions } = giveUpRollout(rollouts.state('web')!, at(900));
    expect(transitions.map(brief)).toEqual(['2/unknown unknown']);
    rollouts.put(state);
    expect(rollouts.see(901, second({ updated: 3, replicas: 3, conditions: available }))).toEqual([
      '2/ended succeeded',
    ]);
  });
});

describe('a rollout is stuck', () => {
  it('when a pod of its own waits for a reason that needs a person: once, however often pod and reason change', () => {
    begin(rollouts);
    expect(rollouts.see(13, waiting())).toEqual(['2/stuck/image']);
    expect(rollouts.reported.at(-1)).toMatchObject({
      kind: 'run.stuck',
      at: at(12),
      reason: 'ImagePullBackOff',
      message: 'not found',
      about: { kind: 'Pod', name: 'web-b-1' },
      waiting: 'main',
      text: 'stuck: container main of pod web-b-1 waits with ImagePullBackOff',
    });
    expect(
      rollouts.see(
        14,
        waiting({ containers: [container({ waiting: { reason: 'ErrImagePull', message: undefined } })] }),
      ),
    ).toEqual([]);
    expect(rollouts.see(15, waiting(), true)).toEqual([]);
    expect(rollouts.see(16, waiting({ uid: 'pod-b2', name: 'web-b-2' }))).toEqual([]);
    const { facts, runs } = rollouts.state('web')!;
    expect(rolloutRun(facts, runs[0]!, false)).toMatchObject({ status: 'stuck', reason: 'ImagePullBackOff' });
  });

  it('but not when a pod of the revision before does', () => {
    begin(rollouts);
    const owner = { group: 'apps', kind: 'ReplicaSet', name: 'web-a', uid: 'rs-a' };
    expect(rollouts.see(13, waiting({ owner }))).toEqual([]);
  });

  it('and moves again when more of its pods come up', () => {
    begin(rollouts);
    rollouts.see(13, waiting());
    rollouts.see(14, waiting({ phase: 'Running', containers: [container({ runningSince: at(14) })] }));
    const child = replicaSet('b', { revision: 2, createdAt: at(10), replicas: 1, available: 1 });
    expect(rollouts.see(15, child)).toEqual(['2/unstuck/image']);
  });

  it('when its pods may not be made', () => {
    begin(rollouts);
    const failure = {
      type: 'ReplicaFailure',
      status: 'True',
      reason: 'FailedCreate',
      message: 'exceeded quota',
      at: at(12),
    };
    expect(rollouts.see(12, second({ conditions: [progress('ReplicaSetUpdated', 'web-b', 11), failure] }))).toEqual([
      '2/stuck/create',
    ]);
  });
});
