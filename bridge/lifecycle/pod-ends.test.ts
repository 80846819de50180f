import { describe, expect, it } from 'vitest';
import { container, podFacts, seen, T0, terminated } from '../../test/fixtures/facts.ts';
import type { PodFacts } from '../kubernetes/observation.ts';
import { reducePod } from './pod.ts';
import type { Transition } from './transition.ts';

const transitionsOf = (facts: PodFacts): readonly Transition[] => reducePod(undefined, seen(facts)).transitions;

describe('a pod that is over', () => {
  it('reports what the end of a pod and of a container was about, and how it went', () => {
    const failed = { ...terminated(4, T0 + 2_000)!, signal: 9, message: 'no space', startedAt: T0 };
    const transitions = transitionsOf(
      podFacts({
        phase: 'Failed',
        reason: 'Evicted',
        containers: [container({ image: 'shop:1', restartCount: 2, terminated: failed })],
      }),
    );
    expect(transitions.map(({ kind, outcome, reason }) => [kind, outcome, reason])).toEqual([
      ['container.terminated', undefined, 'Error'],
      ['attempt.ended', 'failed', 'Evicted'],
    ]);
    const { kind, namespace, name, uid } = podFacts();
    expect(transitions[0]).toMatchObject({
      about: { kind, namespace, name, uid },
      container: {
        name: 'main',
        type: 'app',
        instance: 2,
        image: 'shop:1',
        exitCode: 4,
        signal: 9,
        reason: 'Error',
        message: 'no space',
        startedAt: T0,
      },
    });
  });

  it('says of the end of a container and of its pod that their deletion made it', () => {
    const facts = podFacts({
      phase: 'Failed',
      deletionAt: T0 + 1_000,
      containers: [container({ terminated: terminated(143, T0 + 2_000) })],
    });
    expect(transitionsOf(facts)).toMatchObject([
      { kind: 'container.terminated', container: { stopped: true } },
      { kind: 'attempt.ended', outcome: 'cancelled' },
    ]);
  });
});
