import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { condition, jobFacts, seen, T0 } from '../../test/fixtures/facts.ts';
import type { JobFacts, Observation } from '../kubernetes/observation.ts';
import type { JobState, Replacement } from './job.ts';
import { endJob, reduceJob } from './job.ts';
import type { Transition } from './transition.ts';

type Seen = Observation & { readonly facts: JobFacts };

/** Feeds observations one by one, the state as JSON in between as the store keeps it. */
function reduceAll(observations: readonly Seen[], replacement: Replacement = 'none'): Transition[] {
  let state: JobState | undefined;
  return observations.flatMap((observation) => {
    const step = reduceJob(state, observation, 'run', () => replacement);
    state = JSON.parse(JSON.stringify(step.state)) as JobState;
    return step.transitions;
  });
}

const running = jobFacts({ resourceVersion: '101', startAt: T0 + 1_000, active: 1 });
const hint = (type: string, reason: string): JobFacts =>
  jobFacts({ ...running, resourceVersion: '102', conditions: [condition(type, T0 + 9_000, { reason })] });

const endings: [string, Seen[], string, number, string | undefined][] = [
  [
    'Complete, at its completionTime',
    [
      seen(
        jobFacts({
          ...running,
          resourceVersion: '103',
          completionAt: T0 + 8_000,
          conditions: [condition('SuccessCriteriaMet', T0 + 8_000), condition('Complete', T0 + 9_000)],
        }),
      ),
    ],
    'succeeded',
    T0 + 8_000,
    undefined,
  ],
  [
    'Failed with any reason, wherever it stands in the list',
    [
      seen(
        jobFacts({
          ...running,
          resourceVersion: '103',
          conditions: [
            condition('FailureTarget', T0 + 8_000, { reason: 'DeadlineExceeded' }),
            condition('Failed', T0 + 9_000, { reason: 'SomeFutureReason' }),
          ],
        }),
      ),
    ],
    'failed',
    T0 + 9_000,
    'SomeFutureReason',
  ],
  [
    'deletion with SuccessCriteriaMet',
    [seen(hint('SuccessCriteriaMet', 'CompletionsReached'), true)],
    'succeeded',
    T0 + 9_000,
    'CompletionsReached',
  ],
  [
    'deletion with FailureTarget',
    [seen(hint('FailureTarget', 'BackoffLimitExceeded'), true)],
    'failed',
    T0 + 9_000,
    'BackoffLimitExceeded',
  ],
  [
    'deletion while active',
    [seen(jobFacts({ ...running, deletionAt: T0 + 7_000 }), true)],
    'cancelled',
    T0 + 7_000,
    undefined,
  ],
  [
    'deletion without deletionTimestamp: when it was observed',
    [seen(running, true)],
    'cancelled',
    T0 + 3_600_000,
    undefined,
  ],
  ['deletion before any startTime', [seen(jobFacts(), true)], 'never_started', T0 + 3_600_000, undefined],
];

describe('a Job ends', () => {
  it.each(endings)('%s', (_name, observations, outcome, at, reason) => {
    const ended = reduceAll(observations).filter(({ kind }) => kind === 'run.ended');
    expect(ended).toEqual([
      expect.objectContaining({
        id: outcome === 'never_started' ? 'run/never_started' : 'run/ended',
        outcome,
        at,
        ...(reason !== undefined && { reason }),
      }),
    ]);
  });
});

describe('a Job', () => {
  it('is not ended by SuccessCriteriaMet or FailureTarget while it exists', () => {
    expect(reduceAll([seen(running), seen(hint('SuccessCriteriaMet', 'x'))]).map(({ kind }) => kind)).toEqual([
      'run.started',
    ]);
    expect(reduceAll([seen(hint('FailureTarget', 'x'))]).map(({ kind }) => kind)).toEqual(['run.started']);
  });

  it('reports start and end with true times when only its last state is seen', () => {
    const facts = jobFacts({ ...running, conditions: [condition('Complete', T0 + 9_000)], completionAt: T0 + 8_500 });
    expect(reduceAll([seen(facts, true)]).map(({ kind, at }) => [kind, at])).toEqual([
      ['run.started', T0 + 1_000],
      ['run.ended', T0 + 8_500],
    ]);
  });

  it('does not end when a condition is there with status False', () => {
    const facts = jobFacts({ ...running, conditions: [condition('Failed', T0, { status: 'False' })] });
    expect(reduceAll([seen(facts)]).map(({ kind }) => kind)).toEqual(['run.started']);
  });

  it('has one start when it is suspended and resumed with a new startTime', () => {
    const suspended = jobFacts({
      resourceVersion: '102',
      suspend: true,
      conditions: [condition('Suspended', T0 + 2_000)],
    });
    const resumed = jobFacts({
      resourceVersion: '103',
      startAt: T0 + 60_000,
      conditions: [condition('Suspended', T0 + 60_000, { status: 'False' })],
    });
    expect(reduceAll([seen(running), seen(suspended), seen(resumed)]).map(({ id, at }) => [id, at])).toEqual([
      ['run/started', T0 + 1_000],
      ['run/suspended/1', T0 + 2_000],
      ['run/resumed/1', T0 + 60_000],
    ]);
  });

  it('deleted while suspended after a start is cancelled, not never started', () => {
    const suspended = jobFacts({
      resourceVersion: '102',
      suspend: true,
      conditions: [condition('Suspended', T0 + 2_000)],
    });
    const outcomes = reduceAll([seen(running), seen(suspended), seen({ ...suspended, resourceVersion: '103' }, true)]);
    expect(outcomes.at(-1)?.outcome).toBe('cancelled');
  });

  it('waits for its successor when its CronJob replaces, and is reported once', () => {
    const step = reduceJob(undefined, seen(running, true), 'run', () => 'wait');
    expect(step.transitions.map(({ kind }) => kind)).toEqual(['run.started']);
    const replaced = endJob(step.state, 'run', T0, () => 'seen');
    expect(replaced.transitions.map(({ outcome }) => outcome)).toEqual(['replaced']);
    expect(endJob(replaced.state, 'run', T0, () => 'none').transitions).toEqual([]);
    expect(endJob(step.state, 'run', T0, () => 'none').transitions.map(({ outcome }) => outcome)).toEqual([
      'cancelled',
    ]);
  });
});

/** A whole life of a Job as the API server would show it, version by version. */
const history = fc
  .record({
    suspensions: fc.integer({ min: 0, max: 2 }),
    starts: fc.boolean(),
    ending: fc.constantFrom('Complete', 'Failed', undefined),
    hinted: fc.boolean(),
    deleted: fc.boolean(),
    padding: fc.integer({ min: 98, max: 999 }),
  })
  .map(({ suspensions, starts, ending, hinted, deleted, padding }) => {
    let version = padding;
    let facts = jobFacts({ resourceVersion: String(version) });
    const all: Seen[] = [seen(facts)];
    const next = (changes: Partial<JobFacts>): void => {
      facts = { ...facts, ...changes, resourceVersion: String(++version) };
      all.push(seen(facts));
    };
    if (!starts) suspensions = 0;
    if (starts) next({ startAt: T0 + 1_000, active: 1 });
    for (let n = 0; n < suspensions; n++) {
      next({ startAt: undefined, conditions: [condition('Suspended', T0 + 2_000 + n * 100)] });
      next({
        startAt: T0 + 2_050 + n * 100,
        conditions: [condition('Suspended', T0 + 2_050 + n * 100, { status: 'False' })],
      });
    }
    if (starts && ending !== undefined) {
      const early = condition(ending === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget', T0 + 9_000);
      if (hinted) next({ conditions: [...facts.conditions, early] });
      next({ active: 0, conditions: [...facts.conditions, condition(ending, T0 + 9_000)] });
    }
    if (deleted) all.push(seen({ ...facts, resourceVersion: String(++version), deletionAt: T0 + 20_000 }, true));
    return { all, resumed: suspensions > 0 };
  });

const runLevel = (transitions: readonly Transition[], withTimes: boolean): string[] =>
  transitions
    .filter(({ kind }) => kind === 'run.started' || kind === 'run.ended')
    .map(({ id, outcome, at }) => `${id} ${outcome ?? ''} ${withTimes || id.endsWith('ended') ? at : ''}`)
    .toSorted();

describe('any order of observations', () => {
  it('with any duplication gives the same run-level transitions', () => {
    fc.assert(
      fc.property(
        history.chain(({ all, resumed }) =>
          fc
            .tuple(
              fc.shuffledSubarray(all, { minLength: all.length }),
              fc.array(fc.constantFrom(...all), { maxLength: 5 }),
            )
            .map(([shuffled, again]) => ({ all, resumed, shown: [...shuffled, ...again] })),
        ),
        ({ all, resumed, shown }) => {
          expect(runLevel(reduceAll(shown), !resumed)).toEqual(runLevel(reduceAll(all), !resumed));
          const ids = reduceAll(shown).map(({ id }) => id);
          expect(new Set(ids).size).toBe(ids.length);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('of a subset that keeps the last object gives the same run-level ones and invents none', () => {
    fc.assert(
      fc.property(
        history
          .filter(({ resumed }) => !resumed)
          .chain(({ all }) =>
            fc
              .shuffledSubarray(all.slice(0, -1))
              .chain((some) => fc.shuffledSubarray([...some, all.at(-1)!], { minLength: some.length + 1 }))
              .map((shown) => ({ all, shown })),
          ),
        ({ all, shown }) => {
          expect(runLevel(reduceAll(shown), true)).toEqual(runLevel(reduceAll(all), true));
          const known = new Set(reduceAll(all).map(({ id }) => id));
          const ids = reduceAll(shown).map(({ id }) => id);
          expect(ids.every((id) => known.has(id))).toBe(true);
          expect(new Set(ids).size).toBe(ids.length);
        },
      ),
      { numRuns: 500 },
    );
  });
});
