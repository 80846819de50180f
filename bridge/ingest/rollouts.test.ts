import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { container, podFacts, seen, T0, terminated } from '../../test/fixtures/facts.ts';
import { withNeeded } from '../kubernetes/followed.ts';
import type { Facts, Kind, PodFacts } from '../kubernetes/observation.ts';
import type { NamespaceFacts } from '../kubernetes/kinds/namespace.ts';
import {
  at,
  controllerRevision,
  deployment,
  progress,
  replicaSet,
  statefulSet,
} from '../lifecycle/testing/rollouts.ts';
import type { Planner } from '../sinks/sink.ts';
import { markGone } from '../follow/gone.ts';
import { UnwrittenVersions } from '../turn/unwritten-versions.ts';
import { TestEngine } from './test-engine.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;
const KINDS = withNeeded(['Deployment', 'StatefulSet', 'DaemonSet', 'Namespace']);

/** What it heard, as `kind of name revision outcome`, with the owners that it found. */
const heard: string[] = [];
function listener(kinds: readonly Kind[]): Planner {
  return {
    destination: 'toy/one',
    hears: new Set(['run.started', 'run.ended', 'run.stuck', 'container.terminated']),
    reads: { kinds: new Set(kinds), annotations: [] },
    plan: ({ id, kind, outcome = '' }, { run, object, owners, namespace }) => {
      const above = owners().map((owner) => owner.kind);
      const of = [object()?.kind, ...above, ...(namespace() === undefined ? [] : ['in shop'])].join(' < ');
      heard.push(
        [kind, run?.revision, outcome, `(${of})`].filter((part) => part !== undefined && part !== '').join(' '),
      );
      return { intents: [{ key: id, lane: id, payload: null, limits: [] }] };
    },
    planDesired: ({ uid, name }) => [{ key: uid, wanted: { row: name } }],
    retire: () => ({ row: 'gone' }),
  };
}

let bridge: TestEngine;
beforeEach(() => {
  heard.length = 0;
  start(listener(['Deployment', 'StatefulSet', 'Pod', 'Namespace']));
});
afterEach(() => bridge.close());

function start(planner: Planner): void {
  bridge = new TestEngine({ planners: [planner], engine: { kinds: KINDS, lookbackMs: 0 } });
  bridge.restart([planner], T0 - MINUTE);
}

let version = 1_000;
const take = (...all: Facts[]): void => {
  for (const facts of all) bridge.take([seen({ ...facts, resourceVersion: String(++version) })], T0 + MINUTE);
};
const gone = (facts: Facts): void => {
  bridge.take([seen({ ...facts, resourceVersion: String(++version) }, true)], T0 + MINUTE);
};

const NAMESPACE: NamespaceFacts = {
  kind: 'Namespace',
  uid: 'ns',
  namespace: 'shop',
  name: 'shop',
  resourceVersion: '1',
  createdAt: T0,
  deletionAt: undefined,
  owner: undefined,
  labels: {},
  annotations: {},
};
const RS = (letter: string) => ({ group: 'apps', kind: 'ReplicaSet', name: `web-${letter}`, uid: `rs-${letter}` });
const pod = (number: number, letter: string, changes: Partial<PodFacts> = {}): PodFacts =>
  podFacts({ uid: `pod-${number}`, name: `web-${number}`, owner: RS(letter), createdAt: at(10), ...changes });

/** `web` as it was for long, and its second revision on its way. */
const FIRST = [deployment({ createdAt: at(-DAY) }), replicaSet('a', { createdAt: at(-DAY) })];
const ON_ITS_WAY = deployment({
  generation: 2,
  observedGeneration: 2,
  revision: 2,
  updated: 1,
  replicas: 4,
  available: 3,
  conditions: [progress('ReplicaSetUpdated', 'web-b', 11)],
});
const SECOND = replicaSet('b', { revision: 2, createdAt: at(10), replicas: 1, available: 0 });
const DONE = deployment({
  ...ON_ITS_WAY,
  updated: 3,
  replicas: 3,
  conditions: [progress('NewReplicaSetAvailable', 'web-b', 30)],
});

const runs = () =>
  bridge.reader.runs({ limit: 20 }).items.map(({ kind, name, revision, status }) => [kind, name, revision, status]);
const uidOf = (revision: number) =>
  bridge.reader.runs({ limit: 20 }).items.find((run) => run.revision === revision)!.uid;
const pods = (revision: number) => bridge.reader.run(uidOf(revision))!.attempts.map(({ podName }) => podName);

describe('the rollout of a Deployment', () => {
  it('is a run with its pods, reported with its workload and namespace, and rows are kept for its workload', () => {
    take(NAMESPACE, ...FIRST);
    expect(runs()).toEqual([['Deployment', 'web', 1, 'succeeded']]);
    expect(heard).toEqual([]);
    take(pod(1, 'a'), SECOND, pod(2, 'b'), ON_ITS_WAY, pod(3, 'b'));
    expect(runs()).toEqual([
      ['Deployment', 'web', 2, 'running'],
      ['Deployment', 'web', 1, 'succeeded'],
    ]);
    take(DONE);
    expect(heard).toEqual([
      'run.started 2 (Deployment < Deployment < in shop)',
      'run.ended 2 succeeded (Deployment < Deployment < in shop)',
    ]);
    expect([pods(1), pods(2)]).toEqual([['web-1'], ['web-2', 'web-3']]);
    expect(bridge.reader.desired({ limit: 10 }).items.map(({ wanted }) => wanted)).toContainEqual({ row: 'web' });
  });

  it('is stuck while one of its own pods waits, whenever that is seen, and after a restart too', () => {
    const bad = container({ waiting: { reason: 'ImagePullBackOff', message: undefined } });
    take(...FIRST, pod(2, 'b', { containers: [bad] }), pod(1, 'a', { containers: [bad] }), SECOND, ON_ITS_WAY);
    expect(runs()[0]).toEqual(['Deployment', 'web', 2, 'stuck']);
    bridge.restart();
    take(pod(2, 'b', { containers: [container({ runningSince: at(20) })] }));
    take({ ...ON_ITS_WAY, available: 4 });
    take({ ...SECOND, available: 1 });
    expect(runs()[0]).toEqual(['Deployment', 'web', 2, 'running']);
    // The pods were seen before their rollout: they are reported by themselves.
    const stuck = heard.filter((line) => line.startsWith('run.stuck'));
    expect(stuck.map((line) => line.startsWith('run.stuck 2'))).toEqual([false, false, true]);
  });

  it('is stuck when no node takes a pod of it for five minutes', () => {
    take(...FIRST, SECOND, ON_ITS_WAY, pod(2, 'b', { unschedulable: '0/3 nodes are available', createdAt: T0 }));
    bridge.live(T0, T0 + 8 * MINUTE);
    expect(runs()[0]).toEqual(['Deployment', 'web', 2, 'stuck']);
  });

  it('is cancelled with its Deployment, and unknown when that is gone without a record', () => {
    take(...FIRST, SECOND, ON_ITS_WAY);
    gone({ ...ON_ITS_WAY, deletionAt: at(20) });
    expect(runs()[0]).toEqual(['Deployment', 'web', 2, 'cancelled']);
    const ledger = statefulSet({ updated: 1, replicas: 1, available: 0 });
    take(statefulSet({ observedGeneration: 0, updateRevision: undefined }), controllerRevision('ledger', 'a'), ledger);
    expect(runs()).toContainEqual(['StatefulSet', 'ledger', 1, 'running']);
    bridge.store.transaction((tx) => {
      const limits = { stuck: { unschedulable: 0, pending: 0 }, graceMs: 0, maxAgeMs: 0, lookbackMs: 0 };
      const unwritten = new UnwrittenVersions();
      markGone(
        { tx, now: T0, destinations: [], kinds: new Set(KINDS), unwritten, limits, judges: true },
        ledger.uid,
        '99999',
      );
    });
    bridge.tick(T0 + MINUTE);
    expect(runs()).toContainEqual(['StatefulSet', 'ledger', 1, 'unknown']);
  });

  it('that began and was over between two looks is reported, and one that was over before its kind was followed is not', () => {
    take(deployment({ createdAt: at(5) }), replicaSet('a', { createdAt: at(5) }));
    expect(heard).toEqual([
      'run.started 1 (Deployment < Deployment)',
      'run.ended 1 succeeded (Deployment < Deployment)',
    ]);
  });

  it('is not reported when it was over and the store has lost since when its kind is followed', () => {
    bridge.store.transaction((tx) => tx.meta.set('followed/Deployment', '{"a":'));
    bridge.restart(undefined, T0);
    take(deployment({ createdAt: at(5) }), replicaSet('a', { createdAt: at(5) }));
    expect([runs(), heard]).toEqual([[['Deployment', 'web', 1, 'succeeded']], []]);
  });

  it('settles with its end, with its workload and pods in its story', () => {
    bridge.close();
    const settled: Planner = {
      ...listener(['Deployment']),
      hears: new Set(['run.settled']),
      plan: ({ id, runUid = '' }) => ({ intents: [{ key: id, lane: id, payload: null, limits: [], story: runUid }] }),
    };
    start(settled);
    take(...FIRST, SECOND, pod(2, 'b'), ON_ITS_WAY, DONE);
    bridge.tick(T0 + MINUTE);
    const claimed = bridge.store.claim('toy/one', 10, T0 + 2 * MINUTE, [], false);
    expect(claimed).toMatchObject([
      {
        key: `${DONE.uid}/2/settled`,
        story: {
          run: { kind: 'Deployment', revision: 2, status: 'succeeded' },
          object: { uid: DONE.uid },
          attempts: [{ podUid: 'pod-2' }],
        },
      },
    ]);
  });

  it('is not heard of by a destination that does not read Deployments', () => {
    bridge.close();
    start(listener(['CronJob']));
    take(...FIRST, SECOND, ON_ITS_WAY, DONE);
    expect(runs()).toHaveLength(2);
    expect(heard).toEqual([]);
  });
});

describe('a container of a pod of a Deployment that fails', () => {
  it('is reported with the owners of the pod', () => {
    take(NAMESPACE, ...FIRST, pod(1, 'a', { containers: [container({ terminated: terminated(3, at(9)) })] }));
    expect(heard).toEqual(['container.terminated (Pod < ReplicaSet < Deployment < in shop)']);
  });
});

describe('a ReplicaSet whose owner is not a workload', () => {
  it('is taken in, whatever it calls its owner', () => {
    take(...FIRST, pod(1, 'a'));
    const owner = { group: 'apps', kind: 'Deployment', name: 'web', uid: 'pod-1' };
    const { poisoned } = bridge.take([seen(replicaSet('b', { owner }))], T0 + MINUTE);
    expect(poisoned).toBe(0);
  });
});

describe('a ReplicaSet whose rollout is past', () => {
  it('is not looked at when it was seen before the rollouts of its Deployment either', () => {
    const old = replicaSet('a', { createdAt: at(-DAY), desired: 0, replicas: 0, available: 0 });
    take(deployment({ revision: 2 }), old, replicaSet('b', { revision: 2, createdAt: at(-DAY) }));
    const children = bridge.store.transaction((tx) => tx.objects.children(deployment().uid, 'ReplicaSet'));
    expect(children.map(({ name }) => name)).toEqual(['web-b']);
  });

  it('is not looked at with each record of its Deployment any more, until it comes back', () => {
    take(...FIRST, SECOND, ON_ITS_WAY, DONE);
    const children = () => bridge.store.transaction((tx) => tx.objects.children(deployment().uid, 'ReplicaSet'));
    const names = () => children().map(({ name }) => name);
    take(replicaSet('a', { createdAt: at(-DAY), desired: 0, replicas: 0, available: 0 }));
    expect(names()).toEqual(['web-b']);
    take(replicaSet('a', { createdAt: at(-DAY), revision: 3, former: [1] }));
    expect(names()).toEqual(['web-a', 'web-b']);
    take(deployment({ generation: 3, observedGeneration: 3, revision: 3, conditions: [] }));
    expect(runs()[0]).toEqual(['Deployment', 'web', 3, 'succeeded']);
  });
});

describe('the retention', () => {
  const retain = (days: number): void => {
    const sent = bridge.store.claim('toy/one', 100, T0 + MINUTE, [], true);
    bridge.store.settle(
      sent.map(({ seq }) => ({ seq, delivery: { outcome: 'delivered' } })),
      T0 + MINUTE,
    );
    for (let step = 0; step < 100; step++) bridge.store.retain(T0 + days * DAY, { age: 10 * DAY, maxBytes: 1 << 30 });
  };

  it('removes rollouts that are over, and keeps the last one as long as its workload lives', () => {
    take(...FIRST, SECOND, ON_ITS_WAY, DONE);
    retain(30);
    expect(runs()).toEqual([['Deployment', 'web', 2, 'succeeded']]);
    take({ ...DONE, resourceVersion: String(++version), labels: { changed: 'yes' } });
    expect(runs()).toHaveLength(1);
    gone(DONE);
    retain(30);
    expect(runs()).toHaveLength(1);
    retain(50);
    expect(runs()).toEqual([]);
  });

  it.each([3, 7, 15])('goes on where a step had no time left: each look at the clock is %i ms later', (ms) => {
    take(...FIRST, SECOND, ON_ITS_WAY, DONE);
    gone(DONE);
    let at = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => (at += ms));
    retain(50);
    clock.mockRestore();
    expect(runs()).toEqual([]);
  });

  it('keeps nothing of the pods of a rollout that it removed, whatever they do afterwards', () => {
    take(...FIRST, pod(1, 'a'), SECOND, ON_ITS_WAY, pod(2, 'b'), DONE);
    const removed = uidOf(1);
    retain(30);
    take(pod(1, 'a', { phase: 'Failed' }), pod(2, 'b', { phase: 'Failed' }));
    const kept = bridge.store.transaction((tx) => [removed, uidOf(2)].map((uid) => tx.runs.attempts(uid).length));
    expect(kept).toEqual([0, 1]);
  });

  it('remembers a Deployment, so that a late record reports nothing twice, and no ReplicaSet', () => {
    take(...FIRST, SECOND, ON_ITS_WAY, DONE);
    gone(DONE);
    gone(SECOND);
    retain(50);
    const isPruned = (uid: string) => bridge.store.transaction((tx) => tx.tombstones.has(uid));
    expect([isPruned(DONE.uid), isPruned(SECOND.uid)]).toEqual([true, false]);
    heard.length = 0;
    take(ON_ITS_WAY, SECOND);
    expect([runs(), heard]).toEqual([[], []]);
  });
});
