import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { container, podFacts, seen, T0, terminated } from '../../test/fixtures/facts.ts';
import type { Observation, PodFacts, Termination } from '../kubernetes/observation.ts';
import { terminationText } from './containers.ts';
import type { PodState } from './pod-state.ts';
import { podAttempt } from './pod-attempt.ts';
import { reducePod } from './pod.ts';
import type { Transition } from './transition.ts';

type Seen = Observation & { readonly facts: PodFacts };

function reduceAll(observations: readonly Seen[]): { transitions: Transition[]; state: PodState } {
  let state: PodState | undefined;
  const transitions = observations.flatMap((observation) => {
    const step = reducePod(state, observation);
    state = JSON.parse(JSON.stringify(step.state)) as PodState;
    return step.transitions;
  });
  return { transitions, state: state! };
}

const waiting = (reason: string, resourceVersion: string): Seen =>
  seen(podFacts({ resourceVersion, containers: [container({ waiting: { reason, message: undefined } })] }));

describe('a pod', () => {
  it('reports each end of a container once, from state and from lastState', () => {
    const first = terminated(3, T0 + 2_000);
    const crashed = podFacts({
      resourceVersion: '102',
      phase: 'Running',
      containers: [container({ terminated: first })],
    });
    const backOff = podFacts({
      resourceVersion: '103',
      phase: 'Running',
      containers: [container({ waiting: { reason: 'CrashLoopBackOff', message: undefined }, lastTerminated: first })],
    });
    const again = podFacts({
      resourceVersion: '104',
      phase: 'Running',
      containers: [container({ restartCount: 1, runningSince: T0 + 5_000, lastTerminated: first })],
    });
    const ends = reduceAll([seen(crashed), seen(backOff), seen(again)]).transitions.filter(
      ({ kind }) => kind === 'container.terminated',
    );
    expect(ends.map(({ id, at, container }) => [id, at, container?.exitCode])).toEqual([
      [`${crashed.uid}/main/0/terminated`, T0 + 2_000, 3],
    ]);
  });

  it('is stuck once while ErrImagePull and ImagePullBackOff take turns, and is reported when it moves', () => {
    const pulled = seen(
      podFacts({
        resourceVersion: '105',
        phase: 'Running',
        startAt: T0,
        containers: [container({ runningSince: T0 + 60_000 })],
      }),
    );
    const transitions = reduceAll([
      waiting('ErrImagePull', '101'),
      waiting('ImagePullBackOff', '102'),
      waiting('ErrImagePull', '103'),
      waiting('ImagePullBackOff', '104'),
      pulled,
    ]).transitions;
    expect(transitions.filter(({ kind }) => kind.includes('stuck')).map(({ kind, reason }) => [kind, reason])).toEqual([
      ['run.stuck', 'ErrImagePull'],
      ['run.unstuck', undefined],
    ]);
  });

  it('that crashes again after it moved is reported stuck and moving only once', () => {
    const moves = (version: string): Seen =>
      seen(podFacts({ resourceVersion: version, startAt: T0, containers: [container({ runningSince: T0 })] }));
    const reduced = reduceAll([
      waiting('CrashLoopBackOff', '101'),
      moves('102'),
      waiting('CrashLoopBackOff', '103'),
      moves('104'),
    ]);
    expect(reduced.transitions.map(({ kind }) => kind).filter((kind) => kind.includes('stuck'))).toEqual([
      'run.stuck',
      'run.unstuck',
    ]);
  });

  it('shows when it was made, got a node, and was taken by it', () => {
    const times = { createdAt: T0, podScheduledAt: T0 + 1_000, startAt: T0 + 2_000 };
    const { state } = reduceAll([seen(podFacts({ ...times, phase: 'Running', nodeName: 'node-1' }))]);
    const { createdAt, podScheduledAt, startedAt } = podAttempt(state);
    expect({ createdAt, podScheduledAt, startAt: startedAt }).toEqual(times);
  });

  it('is not stuck by ordinary waiting reasons', () => {
    expect(reduceAll([waiting('ContainerCreating', '101'), waiting('PodInitializing', '102')]).transitions).toEqual([]);
  });

  it('shows as attempt the container that failed, not the one that succeeded later', () => {
    const facts = podFacts({
      phase: 'Failed',
      containers: [
        container({ name: 'setup', type: 'init', terminated: terminated(0, T0 + 1_000) }),
        container({ name: 'main', terminated: terminated(4, T0 + 2_000) }),
        container({ name: 'tail', terminated: terminated(0, T0 + 3_000) }),
      ],
    });
    expect(podAttempt(reduceAll([seen(facts)]).state)).toMatchObject({
      container: 'main',
      exitCode: 4,
      endedAt: T0 + 3_000,
    });
  });

  it('reads init, sidecar and ephemeral containers too', () => {
    const types = ['app', 'init', 'sidecar', 'ephemeral'] as const;
    const containers = types.map((type) => container({ name: type, type, terminated: terminated(1, T0) }));
    const transitions = reduceAll([seen(podFacts({ phase: 'Running', containers }))]).transitions;
    expect(transitions.map(({ container }) => container?.type)).toEqual([...types]);
  });
});

const texts: [Termination | undefined, boolean, string][] = [
  [terminated(0, T0), false, 'completed'],
  [terminated(3, T0), false, 'exit code 3'],
  [terminated(137, T0, 'OOMKilled'), false, 'OOMKilled (exit code 137)'],
  [terminated(0, T0, 'OOMKilled'), true, 'OOMKilled (exit code 0)'],
  [terminated(137, T0), false, 'exit code 137: probably OOM or killed'],
  [terminated(137, T0), true, 'stopped with its pod (exit code 137)'],
  [terminated(143, T0), true, 'stopped with its pod (exit code 143)'],
  [terminated(143, T0), false, 'exit code 143'],
  [terminated(128, T0, 'StartError'), false, 'exit code 128, StartError'],
];

describe('the end of a container in words', () => {
  it.each(texts)('%o, pod deleted %s: %s', (termination, podDeleted, text) => {
    expect(terminationText(termination!, podDeleted)).toBe(text);
  });
});

/** The life of a pod whose container is restarted some times, version by version. */
const history = fc
  .record({ restarts: fc.integer({ min: 0, max: 3 }), deleted: fc.boolean(), backOff: fc.boolean() })
  .map(({ restarts, deleted, backOff }) => {
    let version = 98;
    const all: Seen[] = [];
    const next = (changes: Partial<PodFacts>): void => {
      all.push(seen(podFacts({ ...changes, resourceVersion: String(++version) })));
    };
    next({});
    let last: Termination | undefined;
    for (let restart = 0; restart <= restarts; restart++) {
      const at = T0 + restart * 10_000;
      const base = { restartCount: restart, lastTerminated: last };
      next({ phase: 'Running', startAt: T0, containers: [container({ ...base, runningSince: at })] });
      const end = terminated(restart === restarts ? 0 : 1, at + 5_000);
      if (restart === restarts)
        next({ phase: 'Succeeded', startAt: T0, containers: [container({ ...base, terminated: end })] });
      else {
        next({ phase: 'Running', startAt: T0, containers: [container({ ...base, terminated: end })] });
        const idle = { restartCount: restart, waiting: { reason: 'CrashLoopBackOff', message: undefined } };
        if (backOff) next({ phase: 'Running', startAt: T0, containers: [container({ ...idle, lastTerminated: end })] });
      }
      last = end;
    }
    if (deleted)
      all.push(seen({ ...all.at(-1)!.facts, resourceVersion: String(++version), deletionAt: T0 + 99_000 }, true));
    return all;
  });

/** The life of a pod that waits for a node and an image, may run and fail, and may be deleted at any time. */
const waits = fc
  .record({
    steps: fc.integer({ min: 1, max: 7 }),
    exitCode: fc.constantFrom(0, 1, 137, 143),
    deleted: fc.integer({ min: 0, max: 8 }),
  })
  .map(({ steps, exitCode, deleted }) => {
    const idle = (reason: string) => ({ containers: [container({ waiting: { reason, message: `of ${reason}` } })] });
    const placed = { nodeName: 'node-1', startAt: T0 };
    const end = terminated(exitCode, T0 + 9_000);
    const phase = exitCode === 0 ? 'Succeeded' : 'Failed';
    const life: Partial<PodFacts>[] = [
      {},
      { unschedulable: 'no room' },
      { ...placed, ...idle('ContainerCreating') },
      { ...placed, ...idle('ErrImagePull') },
      { ...placed, ...idle('ImagePullBackOff') },
      { ...placed, phase: 'Running', containers: [container({ runningSince: T0 + 5_000 })] },
      { ...placed, phase, containers: [container({ terminated: end })] },
    ];
    const all = life.slice(0, steps).map((changes, index) => {
      const deletionAt = index >= deleted ? T0 + 8_000 : undefined;
      return seen(podFacts({ ...changes, deletionAt, resourceVersion: String(201 + index) }));
    });
    const last = all.at(-1)!.facts;
    return deleted < steps ? [...all, seen({ ...last, deletionAt: T0 + 8_000, resourceVersion: '300' }, true)] : all;
  });

const ends = (transitions: readonly Transition[]): string[] =>
  transitions
    .filter(({ kind }) => kind === 'container.terminated')
    .map(({ id, at, container }) => `${id} ${at} ${container?.exitCode}`)
    .toSorted();

describe('any order of observations of a pod', () => {
  it('with any duplication gives the same container ends, each once', () => {
    fc.assert(
      fc.property(
        history.chain((all) =>
          fc
            .tuple(
              fc.shuffledSubarray(all, { minLength: all.length }),
              fc.array(fc.constantFrom(...all), { maxLength: 5 }),
            )
            .map(([shuffled, again]) => ({ all, shown: [...shuffled, ...again] })),
        ),
        ({ all, shown }) => {
          expect(ends(reduceAll(shown).transitions)).toEqual(ends(reduceAll(all).transitions));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('with any duplication shows the same attempt: who failed, how, and what it waited for', () => {
    fc.assert(
      fc.property(
        waits.chain((all) =>
          fc.tuple(
            fc.constant(all),
            fc.shuffledSubarray(all, { minLength: all.length }),
            fc.array(fc.constantFrom(...all), { maxLength: 4 }),
          ),
        ),
        ([all, shuffled, again]) => {
          const attempt = (shown: readonly Seen[]) => ({ ...podAttempt(reduceAll(shown).state), endedAt: undefined });
          expect(attempt([...shuffled, ...again])).toEqual(attempt(all));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('of any subset invents and repeats nothing', () => {
    fc.assert(
      fc.property(
        history.chain((all) => fc.shuffledSubarray(all, { minLength: 1 }).map((shown) => ({ all, shown }))),
        ({ all, shown }) => {
          const known = new Set(reduceAll(all).transitions.map(({ id }) => id));
          const ids = reduceAll(shown).transitions.map(({ id }) => id);
          expect(ids.filter((id) => !known.has(id))).toEqual([]);
          expect(new Set(ids).size).toBe(ids.length);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('a pod that is being deleted', () => {
  const open = waiting('ImagePullBackOff', '101');

  it('does not move again when its container goes back to ContainerCreating', () => {
    const back = waiting('ContainerCreating', '102');
    const transitions = reduceAll([open, { ...back, facts: { ...back.facts, deletionAt: T0 + 9_000 } }]).transitions;
    expect(transitions.map(({ kind }) => kind)).toEqual(['run.stuck']);
  });

  it('has one time of an end that kubelet does not know, whichever record shows it first', () => {
    const end = { ...terminated(137, T0, 'ContainerStatusUnknown')!, startedAt: undefined, finishedAt: undefined };
    const facts = podFacts({ deletionAt: T0 + 9_000, containers: [container({ terminated: end })] });
    expect(reduceAll([seen(facts)]).transitions).toMatchObject([{ kind: 'container.terminated', at: T0 + 9_000 }]);
  });
});

describe('a pod that is stuck for one reason and then for another', () => {
  it('closes both when it moves, even if the change between them was missed', () => {
    const moves = seen(
      podFacts({ resourceVersion: '104', startAt: T0, containers: [container({ runningSince: T0 })] }),
    );
    const all = [waiting('ErrImagePull', '101'), waiting('CreateContainerError', '103'), moves];
    const closed = (shown: readonly Seen[]): string[] =>
      reduceAll(shown).transitions.flatMap(({ id, kind }) => (kind === 'run.unstuck' ? id.split('/').at(-1)! : []));
    expect(closed(all)).toEqual(['image', 'config']);
    expect(closed([all[0]!, moves])).toEqual(['image']);
  });
});
