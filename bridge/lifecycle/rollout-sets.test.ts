import { describe, expect, it } from 'vitest';
import { container, podFacts } from '../../test/fixtures/facts.ts';
import type { PodFacts } from '../kubernetes/observation.ts';
import { NO_PROGRESS_MS, stallDue, stallWorkload } from './rollout.ts';
import { at, brief, controllerRevision, daemonSet, Rollouts, statefulSet } from './testing/rollouts.ts';

/** A StatefulSet that is up with its first revision. */
function ledger(): Rollouts {
  const rollouts = new Rollouts();
  rollouts.see(0, controllerRevision('ledger', 'a'));
  rollouts.see(0, statefulSet());
  return rollouts;
}
const second = (changes: Parameters<typeof statefulSet>[0] = {}) =>
  statefulSet({
    generation: 2,
    observedGeneration: 2,
    updateRevision: 'ledger-b',
    updated: 1,
    available: 2,
    ...changes,
  });
const revisionB = controllerRevision('ledger', 'b', { revision: 2, createdAt: at(10) });
const stuckPod = (of: Partial<PodFacts>): PodFacts =>
  podFacts({
    uid: 'pod-b',
    nodeName: 'node-1',
    startAt: at(12),
    containers: [container({ waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } })],
    ...of,
  });

describe('a rollout of a StatefulSet', () => {
  it('starts with its ControllerRevision’s number and succeeds when all pods are of it and available', () => {
    const rollouts = ledger();
    expect(rollouts.see(10, second({ updated: 0 }))).toEqual([]);
    expect(rollouts.see(10, revisionB)).toEqual(['2/started']);
    expect(rollouts.see(11, second())).toEqual(['2/progressing']);
    expect(rollouts.see(15, second({ updated: 3, available: 2 }))).toEqual([]);
    expect(rollouts.see(16, second({ updated: 3, available: 3 }))).toEqual(['2/ended succeeded']);
    expect(rollouts.reported.map((one) => one.at)).toEqual([at(10), at(11), at(16)]);
  });

  it('of a new one is open until its pods are available', () => {
    const rollouts = new Rollouts();
    rollouts.see(0, statefulSet({ observedGeneration: 0, updateRevision: undefined, updated: 0, available: 0 }));
    rollouts.see(1, controllerRevision('ledger', 'a', { createdAt: at(1) }));
    expect(rollouts.see(1, statefulSet({ replicas: 1, updated: 1, available: 0 }))).toEqual([
      '1/started',
      '1/progressing',
    ]);
    expect(rollouts.see(2, statefulSet({ available: 2 }))).toEqual([]);
    expect(rollouts.see(3, statefulSet())).toEqual(['1/ended succeeded']);
  });

  it('of a new one succeeds also behind a partition, which holds back only what there was before', () => {
    const rollouts = new Rollouts();
    const held = { partition: 3 };
    rollouts.see(0, statefulSet({ ...held, observedGeneration: 0, updateRevision: undefined, updated: 0 }));
    rollouts.see(1, controllerRevision('ledger', 'a', { createdAt: at(1) }));
    const begun = statefulSet({ ...held, replicas: 1, updated: 1, available: 0 });
    expect(rollouts.see(1, begun)).toEqual(['1/started', '1/progressing']);
    expect(stallDue(rollouts.state('ledger')!)).toBe(at(1) + NO_PROGRESS_MS);
    expect(rollouts.see(3, statefulSet(held))).toEqual(['1/ended succeeded']);
  });

  it('that was over at first sight is recorded, also while a pod is not available', () => {
    const rollouts = new Rollouts();
    rollouts.see(0, controllerRevision('ledger', 'a', { createdAt: at(-900) }));
    expect(rollouts.see(0, statefulSet({ available: 2 }))).toEqual([]);
    expect(rollouts.outcomes('ledger')).toEqual(['1 succeeded']);
  });

  it.each([
    ['its partition holds back all pods', { partition: 3 }],
    ['it scales up', { desired: 5 }],
    ['it scales down', { desired: 2 }],
  ])('that was over at first sight is recorded while %s', (_, changes) => {
    const rollouts = new Rollouts();
    rollouts.see(0, controllerRevision('ledger', 'a', { createdAt: at(-900) }));
    expect(rollouts.see(0, statefulSet(changes))).toEqual([]);
    expect(rollouts.outcomes('ledger')).toEqual(['1 succeeded']);
  });

  it('that was at zero at first sight is not reported when it is scaled up', () => {
    const rollouts = new Rollouts();
    rollouts.see(0, controllerRevision('ledger', 'a', { createdAt: at(-900) }));
    const zero = { desired: 0, replicas: 0, updated: 0, available: 0 };
    expect(rollouts.see(0, statefulSet({ generation: 4, observedGeneration: 4, ...zero }))).toEqual([]);
    expect(rollouts.see(9, statefulSet({ generation: 5, observedGeneration: 5 }))).toEqual([]);
  });

  it('is rolled back when its first revision comes back with a new number', () => {
    const rollouts = ledger();
    rollouts.see(10, revisionB);
    rollouts.see(11, second());
    const back = second({ generation: 3, observedGeneration: 3, updateRevision: 'ledger-a', updated: 2 });
    // Not with the number that it had: that rollout is over.
    expect(rollouts.see(20, back)).toEqual([]);
    expect(rollouts.see(20, controllerRevision('ledger', 'a', { revision: 3 }))).toEqual([
      '3/started',
      '3/progressing',
      '2/ended rolled_back',
    ]);
    expect(rollouts.see(25, { ...back, updated: 3, available: 3 })).toEqual(['3/ended succeeded']);
    expect(rollouts.outcomes('ledger')).toEqual(['1 succeeded', '2 rolled_back', '3 succeeded']);
  });

  it('is not mistaken for a later one when a revision’s new number is seen before the workload’s records', () => {
    const rollouts = ledger();
    rollouts.see(10, revisionB);
    rollouts.see(10, controllerRevision('ledger', 'a', { revision: 3 }));
    expect(rollouts.see(11, statefulSet({ generation: 2, observedGeneration: 2, desired: 3 }))).toEqual([]);
    expect(rollouts.see(12, second({ generation: 3, observedGeneration: 3 }))).toEqual(['2/started', '2/progressing']);
    const back = second({ generation: 4, observedGeneration: 4, updateRevision: 'ledger-a', updated: 3, available: 3 });
    expect(rollouts.see(13, back)).toEqual(['3/started', '3/ended succeeded', '2/ended rolled_back']);
  });

  it('is not over by an old record of the same template, sent again after a rollback to it', () => {
    const rollouts = new Rollouts();
    rollouts.see(20, controllerRevision('ledger', 'a', { revision: 3 }));
    rollouts.see(20, revisionB);
    const back = second({ generation: 3, observedGeneration: 3, updateRevision: 'ledger-a' });
    expect(rollouts.see(21, back)).toEqual(['3/started', '3/progressing']);
    const old = { ...statefulSet(), resourceVersion: '50' };
    expect(rollouts.take({ facts: old, deleted: false, observedAt: at(22) })).toEqual([]);
  });

  it('is reported when the revision between was never seen', () => {
    const rollouts = ledger();
    rollouts.see(10, controllerRevision('ledger', 'a', { revision: 3 }));
    const back = statefulSet({ generation: 3, observedGeneration: 3 });
    expect(rollouts.see(11, back)).toEqual(['3/started', '3/ended succeeded']);
  });

  it('with a partition is over when the pods beyond it are updated; one that holds all back leaves it open', () => {
    const rollouts = ledger();
    rollouts.see(10, revisionB);
    expect(rollouts.see(11, second({ partition: 3, updated: 0, available: 3 }))).toEqual(['2/started']);
    expect(
      rollouts.see(12, second({ partition: 2, updated: 0, available: 3, generation: 3, observedGeneration: 3 })),
    ).toEqual([]);
    expect(
      rollouts.see(13, second({ partition: 2, updated: 1, available: 3, generation: 3, observedGeneration: 3 })),
    ).toEqual(['2/ended succeeded']);
    expect(rollouts.see(14, second({ updated: 3, available: 3, generation: 4, observedGeneration: 4 }))).toEqual([]);
  });

  it('with OnDelete waits for people without end', () => {
    const rollouts = ledger();
    rollouts.see(10, revisionB);
    expect(rollouts.see(11, second({ onDelete: true, updated: 0, available: 3 }))).toEqual(['2/started']);
    expect(stallDue(rollouts.state('ledger')!)).toBeUndefined();
    expect(rollouts.see(90, second({ onDelete: true, updated: 3, available: 3 }))).toEqual(['2/ended succeeded']);
  });

  it('is stuck on a pod that bears its revision’s name', () => {
    const rollouts = ledger();
    rollouts.see(10, revisionB);
    rollouts.see(11, second());
    const owner = { group: 'apps', kind: 'StatefulSet', name: 'ledger', uid: statefulSet().uid };
    const pod = (name: string, revision: string) =>
      stuckPod({ uid: `pod-${name}`, name, owner, labels: { 'controller-revision-hash': revision } });
    expect(rollouts.see(12, pod('ledger-0', 'ledger-a'))).toEqual([]);
    expect(rollouts.see(12, pod('ledger-2', 'ledger-b'))).toEqual(['2/stuck/crash']);
  });

  it('of which only the scale to zero was seen is not a success; one that was made with no pods is', () => {
    const zero = { desired: 0, replicas: 0, updated: 0, available: 0 };
    const edited = ledger();
    edited.see(10, revisionB);
    expect(edited.see(12, second(zero))).toEqual(['2/started', '2/ended cancelled']);
    const made = new Rollouts();
    made.see(0, statefulSet({ observedGeneration: 0, updateRevision: undefined, ...zero }));
    made.see(0, controllerRevision('ledger', 'a'));
    expect(made.see(1, statefulSet(zero))).toEqual(['1/started', '1/ended succeeded']);
  });

  it('scaled to zero before it came up is cancelled', () => {
    const rollouts = ledger();
    rollouts.see(10, revisionB);
    rollouts.see(11, second());
    expect(rollouts.see(12, second({ desired: 0, replicas: 0, updated: 0, available: 0 }))).toEqual([
      '2/ended cancelled',
    ]);
  });
});

describe('a rollout that nothing moves, of a kind for which Kubernetes has no deadline', () => {
  it('is stuck ten minutes after its last progress, once, and moves again with the next pod', () => {
    const rollouts = ledger();
    rollouts.see(10, revisionB);
    rollouts.see(11, second());
    rollouts.see(60, second({ available: 3 }));
    rollouts.see(70, second({ available: 2 }));
    const state = rollouts.state('ledger')!;
    expect(stallDue(state)).toBe(at(60) + NO_PROGRESS_MS);
    const stalled = stallWorkload(state);
    expect(stalled.transitions).toMatchObject([
      {
        reason: 'NoProgress',
        at: at(660),
        text: 'stuck: 1 of 3 pods updated, 2 of 3 available, and no progress for 600 s',
      },
    ]);
    rollouts.put(stalled.state);
    expect(stallDue(rollouts.state('ledger')!)).toBeUndefined();
    expect(rollouts.see(700, second({ available: 1 }))).toEqual([]);
    expect(rollouts.see(710, second({ updated: 2, available: 3 }))).toEqual(['2/unstuck/progress']);
  });

  it('is due for nothing once it is over', () => {
    expect(stallDue(ledger().state('ledger')!)).toBeUndefined();
  });
});

describe('a rollout of a DaemonSet', () => {
  const revision = (letter: string, number: number, made: number) =>
    controllerRevision('agent', letter, { revision: number, templateGeneration: made, createdAt: at(made * 10) });
  function agent(): Rollouts {
    const rollouts = new Rollouts();
    rollouts.see(0, revision('a', 1, 1));
    rollouts.see(0, daemonSet());
    return rollouts;
  }
  const changed = (template: number, changes: Parameters<typeof daemonSet>[0] = {}) =>
    daemonSet({
      generation: template,
      observedGeneration: template,
      templateGeneration: template,
      updated: 1,
      available: 2,
      ...changes,
    });

  it('belongs to the ControllerRevision that was made of its template', () => {
    const rollouts = agent();
    expect(rollouts.see(20, changed(2, { updated: 3, available: 3 }))).toEqual([]);
    expect(rollouts.see(20, revision('b', 2, 2))).toEqual(['2/started', '2/ended succeeded']);
    expect(rollouts.reported[0]?.at).toBe(at(20));
  });

  it('is open while its status is about the spec before', () => {
    const rollouts = agent();
    rollouts.see(20, revision('b', 2, 2));
    expect(rollouts.see(20, daemonSet({ generation: 2, templateGeneration: 2 }))).toEqual([]);
    expect(rollouts.see(21, changed(2))).toEqual(['2/started', '2/progressing']);
    expect(rollouts.see(22, changed(2, { updated: 3, available: 3 }))).toEqual(['2/ended succeeded']);
  });

  it('is rolled back when an old ControllerRevision gets the next number', () => {
    const rollouts = agent();
    rollouts.see(20, revision('b', 2, 2));
    rollouts.see(21, changed(2));
    expect(rollouts.see(30, changed(3))).toEqual([]);
    expect(rollouts.see(30, { ...revision('a', 3, 1), createdAt: at(10) })).toEqual([
      '3/started',
      '3/progressing',
      '2/ended rolled_back',
    ]);
  });

  it('is none when only nodes come and go, or what does not change its pods is edited', () => {
    const rollouts = agent();
    expect(rollouts.see(20, daemonSet({ desired: 4, updated: 3, replicas: 3 }))).toEqual([]);
    expect(rollouts.see(21, daemonSet({ generation: 5, observedGeneration: 5 }))).toEqual([]);
  });

  it('is stuck on a pod of its own', () => {
    const rollouts = agent();
    rollouts.see(20, revision('b', 2, 2));
    rollouts.see(21, changed(2));
    const owner = { group: 'apps', kind: 'DaemonSet', name: 'agent', uid: daemonSet().uid };
    const pod = stuckPod({ name: 'agent-x', owner, labels: { 'controller-revision-hash': 'b' } });
    expect(rollouts.see(22, pod)).toEqual(['2/stuck/crash']);
  });

  it('that no node fits is over at once', () => {
    const rollouts = agent();
    rollouts.see(20, revision('b', 2, 2));
    const none = changed(2, { desired: 0, replicas: 0, updated: 0, available: 0 });
    expect(rollouts.see(21, none)).toEqual(['2/started', '2/ended succeeded']);
    expect(rollouts.reported.at(-1)?.text).toBe('revision 2 rolled out: NoNodeFits');
  });
});

describe('what was reported', () => {
  it('is reported once, whatever is seen again', () => {
    const rollouts = ledger();
    rollouts.see(10, revisionB);
    const record = { facts: { ...second(), resourceVersion: '500' }, deleted: false, observedAt: at(11) };
    expect(rollouts.take(record).map(brief)).toEqual(['2/started', '2/progressing']);
    expect(rollouts.take(record)).toEqual([]);
    expect(rollouts.see(12, revisionB)).toEqual([]);
  });
});
