import { describe, expect, it } from 'vitest';
import { container, podFacts, seen, T0, terminated } from '../../test/fixtures/facts.ts';
import type { Observation, PodFacts } from '../kubernetes/observation.ts';
import { barePodTransitions, podRun } from './bare-pod.ts';
import type { PodState } from './pod-state.ts';
import { reducePod } from './pod.ts';

function reduceAll(...observations: (Observation & { facts: PodFacts })[]): { reported: string[]; status: string } {
  let state: PodState | undefined;
  const reported = observations.flatMap((observation) => {
    const previous = state;
    state = reducePod(previous, observation).state;
    return barePodTransitions(previous, state).map(({ kind, outcome }) => `${kind} ${outcome ?? ''}`.trim());
  });
  return { reported, status: podRun(state!).status };
}

const bare = (changes: Partial<PodFacts>): PodFacts => podFacts({ owner: undefined, startAt: T0, ...changes });
const ended = (
  phase: string,
  changes: Partial<PodFacts>,
  ...ends: PodFacts['containers'][number]['terminated'][]
): PodFacts =>
  bare({ phase, ...changes, containers: ends.map((end, n) => container({ name: `c${n}`, terminated: end })) });
const asked = { deletionAt: T0 + 5_000 };

const endings: [string, PodFacts, boolean, string][] = [
  ['succeeds', ended('Succeeded', {}, terminated(0, T0 + 9_000)), false, 'succeeded'],
  ['fails', ended('Failed', {}, terminated(1, T0 + 9_000)), false, 'failed'],
  ['is evicted', ended('Failed', { reason: 'Evicted', ...asked }, terminated(137, T0 + 9_000)), false, 'failed'],
  ['is deleted and killed', ended('Failed', asked, terminated(137, T0 + 36_000)), false, 'cancelled'],
  [
    'is deleted and stops',
    ended('Failed', asked, terminated(143, T0 + 6_000), terminated(0, T0 + 6_000)),
    true,
    'cancelled',
  ],
  ['is deleted when out of memory', ended('Failed', asked, terminated(137, T0 + 6_000, 'OOMKilled')), true, 'failed'],
  [
    'is deleted after one container failed',
    ended('Failed', asked, terminated(1, T0), terminated(137, T0 + 6_000)),
    true,
    'failed',
  ],
  [
    'was killed long before it is deleted',
    ended('Failed', { deletionAt: T0 + 60_000 }, terminated(137, T0 + 9_000)),
    true,
    'failed',
  ],
  ['is gone while it runs', bare({ phase: 'Running' }), true, 'cancelled'],
  ['is gone before it started', bare({ startAt: undefined }), true, 'never_started'],
];

describe('a pod without owner that', () => {
  it.each(endings)('%s', (_name, facts, deleted, outcome) => {
    const { reported, status } = reduceAll(seen(facts, deleted), seen(facts, deleted));
    expect(status).toBe(outcome);
    expect(reported).toEqual([...(outcome === 'never_started' ? [] : ['run.started']), `run.ended ${outcome}`]);
  });
});
