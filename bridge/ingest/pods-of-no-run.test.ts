import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { container, jobFacts, podFacts, seen, T0, terminated } from '../../test/fixtures/facts.ts';
import { withNeeded } from '../kubernetes/followed.ts';
import type { Facts, PodFacts } from '../kubernetes/observation.ts';
import { at, deployment, progress, replicaSet } from '../lifecycle/testing/rollouts.ts';
import type { Planner } from '../sinks/sink.ts';
import { TestEngine } from './test-engine.ts';

const DAY = 86_400_000;
const KINDS = withNeeded(['Deployment', 'DaemonSet']);

/** What it heard, as `kind of the object, run or not, outcome or reason`. */
const heard: string[] = [];
const listener: Planner = {
  destination: 'toy/one',
  hears: new Set(['run.stuck', 'run.unstuck', 'attempt.started', 'attempt.ended', 'container.terminated']),
  reads: { kinds: new Set(KINDS), annotations: [] },
  plan: ({ id, kind, about, outcome, reason }, { run, runObject }) => {
    const of = run === undefined ? 'no run' : `${run.kind} ${runObject()?.kind}`;
    heard.push(`${kind} of ${about.kind}, ${of}: ${[outcome, reason].filter(Boolean).join(' ')}`);
    return { intents: [{ key: id, lane: id, payload: null, limits: [] }] };
  },
  planDesired: () => [],
  retire: () => null,
};

let bridge: TestEngine;
beforeEach(() => {
  heard.length = 0;
  bridge = new TestEngine({ planners: [listener], cutoff: T0 - 1, engine: { kinds: KINDS } });
});
afterEach(() => bridge.close());

let version = 1_000;
const take = (...all: Facts[]): void => {
  for (const facts of all) bridge.take([seen({ ...facts, resourceVersion: String(++version) })], T0 + 60_000);
};
const remove = (facts: Facts): void => {
  bridge.take([seen({ ...facts, resourceVersion: String(++version) }, true)], T0 + 60_000);
};

const owner = (kind: string, name: string, uid: string, group = 'apps') => ({ group, kind, name, uid });
const pod = (changes: Partial<PodFacts> = {}): PodFacts =>
  podFacts({ owner: owner('ReplicaSet', 'web-a', 'rs-a'), phase: 'Running', startAt: at(5), ...changes });
const loop = container({
  restartCount: 3,
  waiting: { reason: 'CrashLoopBackOff', message: 'back-off 40s' },
  lastTerminated: terminated(1, at(20)),
});
const OLD = [
  deployment({ createdAt: at(-DAY), conditions: [progress('NewReplicaSetAvailable', 'web-a', -DAY / 1_000)] }),
  replicaSet('a', { createdAt: at(-DAY) }),
];
const disrupted = (reason: string) => ({ disruption: { reason, message: undefined } });

describe('a pod that belongs to no run', () => {
  it('is stuck, once, when its rollout is long over', () => {
    take(...OLD, pod({ containers: [loop] }), pod({ containers: [{ ...loop, restartCount: 3 }] }));
    expect(heard).toEqual(['run.stuck of Pod, no run: CrashLoopBackOff', 'container.terminated of Pod, no run: Error']);
  });

  it('leaves it to its rollout to be stuck while that goes on', () => {
    take(...OLD, replicaSet('b', { revision: 2, createdAt: at(10), available: 0 }));
    take(deployment({ generation: 2, observedGeneration: 2, revision: 2, updated: 1, replicas: 4 }));
    const image = container({ waiting: { reason: 'ImagePullBackOff', message: 'no such image' } });
    take(pod({ owner: owner('ReplicaSet', 'web-b', 'rs-b'), createdAt: at(11), containers: [image] }));
    expect(heard).toEqual(['run.stuck of Pod, Deployment Deployment: ImagePullBackOff']);
  });

  it.each([
    ['evicted by its node', pod({ phase: 'Failed', reason: 'Evicted' }), ['failed Evicted']],
    ['past its deadline', pod({ phase: 'Failed', reason: 'DeadlineExceeded' }), ['failed DeadlineExceeded']],
    [
      'lost with its node',
      pod({ deletionAt: at(30), ...disrupted('DeletionByTaintManager') }),
      ['cancelled DeletionByTaintManager'],
    ],
    ['scaled away', pod({ deletionAt: at(30) }), []],
  ])('reports that it was %s, when that was not asked for', (_what, facts, expected) => {
    take(...OLD, pod(), facts);
    remove(facts);
    expect(heard).toEqual(expected.map((end) => `attempt.ended of Pod, no run: ${end}`));
  });

  it('is stuck without a node, whoever owns it', () => {
    const pending = { phase: 'Pending', startAt: undefined, unschedulable: '0/3 nodes are available', createdAt: T0 };
    take(pod({ ...pending, owner: owner('SparkApplication', 'etl', 's1', 'sparkoperator.k8s.io') }));
    bridge.live(T0 + 60_000, T0 + 3_600_000);
    expect(heard).toEqual(['run.stuck of Pod, no run: Unschedulable']);
  });
});

it('what happens to a pod of a Job can be seen with its Job', () => {
  take(
    jobFacts({ startAt: T0 }),
    podFacts({ startAt: at(1), containers: [container({ terminated: terminated(2, at(9)) })] }),
  );
  expect(heard.at(-1)).toBe('container.terminated of Pod, Job Job: Error');
});
