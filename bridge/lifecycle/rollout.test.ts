import { beforeEach, describe, expect, it } from 'vitest';
import { rolloutKey, rolloutRun, rolloutUid } from './rollout-run.ts';
import { traceIdOf } from './trace-id.ts';
import { at, brief, deployment, progress, replicaSet, Rollouts } from './testing/rollouts.ts';
import { available, begin, deadline, OLD, second } from './testing/web.ts';

const paused = [progress('DeploymentPaused', 'web-a', 0, { status: 'Unknown', message: 'Deployment is paused' })];
let rollouts: Rollouts;
beforeEach(() => {
  rollouts = new Rollouts();
  rollouts.see(0, replicaSet('a'));
  rollouts.see(0, OLD);
});

describe('a rollout of a Deployment', () => {
  it('that was over at first sight is recorded, and not reported', () => {
    expect(rollouts.reported).toEqual([]);
    expect(rollouts.outcomes('web')).toEqual(['1 succeeded']);
  });

  it('that was over at first sight is reported if it began while its kind was followed', () => {
    const late = new Rollouts(at(-60));
    late.see(0, replicaSet('a', { createdAt: at(-20) }));
    expect(late.see(0, OLD)).toEqual(['1/started', '1/ended succeeded']);
  });

  it.each([
    ['a pod is not available', { available: 2 }],
    ['it scales up', { desired: 5 }],
    ['it is paused with another template', { paused: true, updated: 0, conditions: paused }],
  ])('that was over at first sight is recorded without a deadline too, while %s', (_, changes) => {
    const old = new Rollouts();
    old.see(0, replicaSet('a', { revision: 7, createdAt: at(-900) }));
    expect(old.see(0, deployment({ revision: 7, ...changes }))).toEqual([]);
    expect(old.outcomes('web')).toEqual(['7 succeeded']);
  });

  it('that began and was over while its kind was not followed is not reported either', () => {
    const back = new Rollouts(at(50));
    back.put(rollouts.state('web')!);
    back.see(60, replicaSet('a', { desired: 0, replicas: 0, available: 0 }));
    back.see(60, replicaSet('b', { revision: 2, createdAt: at(10) }));
    const over = second({ updated: 3, replicas: 3, conditions: available });
    expect(back.see(60, over)).toEqual([]);
    expect(back.outcomes('web')).toEqual(['1 succeeded', '2 succeeded']);
  });

  it('that goes on at first sight is reported, with the time at which it began', () => {
    const midway = new Rollouts();
    midway.see(60, replicaSet('b', { revision: 2, createdAt: at(10), replicas: 1, available: 0 }));
    // Its status is about the spec before: what goes on is not known.
    expect(midway.see(60, second({ observedGeneration: 1 }))).toEqual([]);
    const conditions = [progress('ReplicaSetUpdated', 'web-b', 11)];
    expect(midway.see(61, second({ conditions }))).toEqual(['2/started', '2/progressing']);
    expect(midway.reported[0]).toMatchObject({ at: at(10), text: 'rolls out revision 2: shop/web:b' });
  });

  it('that had failed at first sight is recorded, and reported when it comes up', () => {
    const failed = new Rollouts();
    failed.see(60, replicaSet('b', { revision: 2, createdAt: at(10), replicas: 1, available: 0 }));
    expect(failed.see(60, second({ conditions: [deadline] }))).toEqual([]);
    expect(failed.outcomes('web')).toEqual(['2 failed']);
    expect(failed.see(90, second({ updated: 3, replicas: 3, conditions: available }))).toEqual(['2/ended succeeded']);
  });

  it('of a new one is reported from its first revision on, with the times of its objects', () => {
    const fresh = new Rollouts();
    const unseen = { observedGeneration: 0, revision: undefined, updated: 0, available: 0, replicas: 0 };
    expect(fresh.see(1, deployment(unseen))).toEqual([]);
    expect(fresh.see(2, replicaSet('a', { createdAt: at(1), available: 0 }))).toEqual([]);
    const first = deployment({ available: 0, conditions: [progress('ReplicaSetUpdated', 'web-a', 2)] });
    expect(fresh.see(3, first)).toEqual(['1/started', '1/progressing']);
    expect(
      fresh.see(5, { ...first, available: 3, conditions: [progress('NewReplicaSetAvailable', 'web-a', 4)] }),
    ).toEqual(['1/ended succeeded']);
    expect(fresh.reported.map((one) => [one.at, one.text])).toEqual([
      [at(1), 'rolls out revision 1 of a new Deployment: shop/web:a'],
      [at(2), '3 of 3 pods are of revision 1'],
      [at(4), 'revision 1 rolled out'],
    ]);
  });

  it('starts, progresses and succeeds once', () => {
    expect(begin(rollouts)).toEqual(['2/started', '2/progressing']);
    const done = second({ updated: 3, replicas: 3, conditions: available });
    expect(rollouts.see(20, done)).toEqual(['2/ended succeeded']);
    expect(rollouts.see(21, done)).toEqual([]);
    expect(rollouts.reported.at(-1)).toMatchObject({ kind: 'run.ended', at: at(20), outcome: 'succeeded' });
  });

  it('is one run, found by the hash of its workload’s UID and its revision', () => {
    begin(rollouts);
    const { facts, runs } = rollouts.state('web')!;
    const run = rolloutRun(facts, runs[0]!, false);
    const key = rolloutKey(facts, 2);
    expect(key).toBe('44444444-0000-4000-8000-000000000001/2');
    expect(run).toMatchObject({
      uid: rolloutUid(key),
      kind: 'Deployment',
      name: 'web',
      revision: 2,
      status: 'running',
    });
    expect(rollouts.reported.every(({ runUid }) => runUid === run.uid)).toBe(true);
    // printf %s 44444444-0000-4000-8000-000000000001/2 | sha256sum
    expect(traceIdOf({ uid: run.uid, revision: 2, runKey: key })).toBe('4653cb81d0d14b91379844042dd1aa36');
    expect(run.uid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('is not over while its status is about the spec before, or its condition about another ReplicaSet', () => {
    begin(rollouts);
    const counts = { updated: 3, replicas: 3, available: 3 };
    expect(rollouts.see(20, second({ ...counts, generation: 3, conditions: available }))).toEqual([]);
    const stale = [
      progress('NewReplicaSetAvailable', 'web-a', 1, { message: 'ReplicaSet "web-a" has successfully progressed.' }),
    ];
    expect(rollouts.see(21, second({ ...counts, generation: 3, observedGeneration: 3, conditions: stale }))).toEqual(
      [],
    );
  });

  it('is not over when all its pods are ready and some of them not for minReadySeconds', () => {
    begin(rollouts);
    const conditions = [progress('ReplicaSetUpdated', 'web-b', 15)];
    expect(rollouts.see(20, second({ updated: 3, replicas: 3, ready: 3, available: 2, conditions }))).toEqual([]);
  });

  it('without a deadline is over by its counts, with those of its own ReplicaSet', () => {
    begin(rollouts);
    const own = replicaSet('b', { revision: 2, createdAt: at(10), available: 2 });
    rollouts.see(20, own);
    const all = second({ updated: 3, replicas: 3, available: 3, conditions: [] });
    expect(rollouts.see(20, all)).toEqual([]);
    expect(rollouts.see(21, replicaSet('b', { revision: 2, createdAt: at(10), available: 3 }))).toEqual([
      '2/ended succeeded',
    ]);
  });

  it('without a deadline is over too if its ReplicaSet is seen so only after the next revision', () => {
    begin(rollouts);
    const own = replicaSet('b', { revision: 2, createdAt: at(10), available: 2 });
    rollouts.see(20, own);
    rollouts.see(20, second({ updated: 3, replicas: 3, available: 3, conditions: [] }));
    rollouts.see(30, replicaSet('c', { revision: 3, createdAt: at(30) }));
    const third = second({ generation: 3, observedGeneration: 3, revision: 3, conditions: [] });
    expect(rollouts.see(30, third)).toEqual(['3/started', '3/progressing', '2/ended superseded']);
    expect(rollouts.see(31, { ...own, available: 3 })).toEqual(['2/ended/corrected/succeeded succeeded']);
  });

  it('that exceeds its deadline failed, and is corrected when it comes up after all', () => {
    begin(rollouts);
    expect(rollouts.see(30, second({ conditions: [deadline] }))).toEqual(['2/ended failed']);
    expect(rollouts.reported.at(-1)).toMatchObject({
      reason: 'ProgressDeadlineExceeded',
      at: at(30),
      text: expect.stringContaining('ProgressDeadlineExceeded'),
    });
    const done = second({ updated: 3, replicas: 3, conditions: [progress('NewReplicaSetAvailable', 'web-b', 60)] });
    expect(rollouts.see(60, done)).toEqual(['2/ended/corrected/succeeded succeeded']);
    expect(rollouts.reported.at(-1)).toMatchObject({ corrects: true });
  });

  it('does not fail by the deadline that the revision before exceeded', () => {
    begin(rollouts);
    rollouts.see(30, second({ conditions: [deadline] }));
    const third = replicaSet('c', { revision: 3, createdAt: at(40) });
    rollouts.see(40, third);
    const changes = { generation: 3, observedGeneration: 3, revision: 3, conditions: [deadline] };
    expect(rollouts.see(41, second(changes))).toEqual(['3/started', '3/progressing']);
  });
});

describe('a rollout that another one overtakes', () => {
  it('is superseded when the image is edited again at once', () => {
    begin(rollouts);
    rollouts.see(11, replicaSet('c', { revision: 3, createdAt: at(11) }));
    const third = second({
      generation: 3,
      observedGeneration: 3,
      revision: 3,
      conditions: [progress('ReplicaSetUpdated', 'web-c', 12)],
    });
    expect(rollouts.see(12, third)).toEqual(['3/started', '3/progressing', '2/ended superseded']);
    expect(rollouts.reported.at(-1)).toMatchObject({ at: at(11) });
  });

  it('is rolled back when an earlier revision comes back under a new number', () => {
    begin(rollouts);
    rollouts.see(30, replicaSet('a', { revision: 3, former: [1] }));
    const back = second({
      generation: 3,
      observedGeneration: 3,
      revision: 3,
      conditions: [progress('ReplicaSetUpdated', 'web-a', 31)],
    });
    expect(rollouts.see(31, back)).toEqual(['3/started', '3/progressing', '2/ended rolled_back']);
    expect(rollouts.reported.at(-3)?.text).toBe('rolls out revision 3, back to web-a: shop/web:a');
    const done = { ...back, updated: 3, replicas: 3, conditions: [progress('NewReplicaSetAvailable', 'web-a', 33)] };
    expect(rollouts.see(33, done)).toEqual(['3/ended succeeded']);
  });

  it('and had failed before stays failed', () => {
    begin(rollouts);
    rollouts.see(30, second({ conditions: [deadline] }));
    rollouts.see(40, replicaSet('a', { revision: 3, former: [1] }));
    const back = second({
      generation: 3,
      observedGeneration: 3,
      revision: 3,
      conditions: [progress('ReplicaSetUpdated', 'web-a', 41)],
    });
    expect(rollouts.see(41, back)).toEqual(['3/started', '3/progressing']);
    expect(rollouts.outcomes('web')).toEqual(['1 succeeded', '2 failed', '3 open']);
  });

  it('is corrected by an older record that shows it up', () => {
    begin(rollouts);
    const version = { resourceVersion: '150' };
    rollouts.take({
      facts: { ...replicaSet('c', { revision: 3, createdAt: at(40) }), ...version },
      deleted: false,
      observedAt: at(40),
    });
    const third = { ...second({ generation: 3, observedGeneration: 3, revision: 3 }), resourceVersion: '160' };
    const reported = rollouts.take({ facts: third, deleted: false, observedAt: at(41) }).map(brief);
    expect(reported).toEqual(['3/started', '3/progressing', '2/ended superseded']);
    const older = { ...second({ updated: 3, replicas: 3, conditions: available }), resourceVersion: '155' };
    const late = rollouts.take({ facts: older, deleted: false, observedAt: at(42) }).map(brief);
    expect(late).toEqual(['2/ended/corrected/succeeded succeeded']);
  });
});

describe('what is not a rollout', () => {
  it('a scale', () => {
    expect(rollouts.see(10, { ...OLD, generation: 2, desired: 5 })).toEqual([]);
    expect(
      rollouts.see(11, {
        ...OLD,
        generation: 2,
        observedGeneration: 2,
        desired: 5,
        updated: 5,
        replicas: 5,
        available: 3,
      }),
    ).toEqual([]);
  });

  it('a pod that is not available any more', () => {
    expect(rollouts.see(10, { ...OLD, available: 2, ready: 2 })).toEqual([]);
    const lately = new Rollouts();
    lately.see(0, replicaSet('a', { available: 2 }));
    expect(lately.see(0, { ...OLD, available: 2, ready: 2 })).toEqual([]);
    expect(lately.outcomes('web')).toEqual(['1 succeeded']);
  });

  it('a new template while it is paused', () => {
    const conditions = [
      progress('DeploymentPaused', 'web-a', 10, { status: 'Unknown', message: 'Deployment is paused' }),
    ];
    expect(
      rollouts.see(10, { ...OLD, generation: 3, observedGeneration: 3, paused: true, updated: 0, conditions }),
    ).toEqual([]);
  });
});

describe('a restart', () => {
  it('is a rollout of the same images', () => {
    rollouts.see(10, replicaSet('b', { revision: 2, createdAt: at(10), restartedAt: at(9), images: ['shop/web:a'] }));
    rollouts.see(11, second({ conditions: [progress('ReplicaSetUpdated', 'web-b', 11)] }));
    expect(rollouts.reported[0]?.text).toBe('rolls out revision 2, a restart: shop/web:a');
  });

  it('with another image is a change', () => {
    rollouts.see(10, replicaSet('b', { revision: 2, createdAt: at(10), restartedAt: at(9) }));
    rollouts.see(11, second());
    expect(rollouts.reported[0]?.text).toBe('rolls out revision 2: shop/web:b');
  });
});
