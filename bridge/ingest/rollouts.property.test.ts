import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RecordedObject } from '../../test/fixtures/recorded.ts';
import { recordedObjects } from '../../test/fixtures/recorded.ts';
import { T0 } from '../../test/fixtures/facts.ts';
import { withNeeded } from '../kubernetes/followed.ts';
import { readerOf } from '../kubernetes/kinds.ts';
import type { FollowedKind, Observation } from '../kubernetes/observation.ts';
import type { Planner } from '../sinks/sink.ts';
import { TestEngine } from './test-engine.ts';

const WORKLOADS = ['Deployment', 'StatefulSet', 'DaemonSet'] as const;
const KINDS = withNeeded(WORKLOADS) as FollowedKind[];
const read = readerOf(KINDS);
let records: Observation[];

beforeAll(async () => {
  records = (await recordedObjects('rollouts')).flatMap(observationOf);
});

function observationOf({ object, ...rest }: RecordedObject): Observation[] {
  const facts = read(object);
  return facts === undefined ? [] : [{ ...rest, facts }];
}

/** Hears all of rollouts; each transition is one intent with its id as key. */
const planner: Planner = {
  destination: 'test/all',
  hears: new Set(['run.started', 'run.ended', 'run.stuck', 'run.progressing']),
  reads: { kinds: new Set(WORKLOADS), annotations: [] },
  plan: ({ id }) => ({ intents: [{ key: id, lane: id, payload: id, limits: [] }] }),
  planDesired: ({ kind, uid, name }) => (kind === 'Deployment' ? [{ key: uid, wanted: { row: name } }] : []),
  retire: () => ({ row: 'gone' }),
};

interface Final {
  /** `name revision status`, sorted. */
  readonly runs: readonly string[];
  /** Names of pods by rollout: `name revision: pod, pod`. */
  readonly attempts: readonly string[];
  readonly rows: readonly unknown[];
}

/** The rows of a bridge after these records, in batches as they come, with a restart in the middle. */
function final(seen: readonly Observation[], batch = 20): Final {
  const start = Math.min(...seen.map(({ observedAt }) => observedAt)) - 60_000;
  const end = Math.max(...seen.map(({ observedAt }) => observedAt));
  const bridge = new TestEngine({ planners: [planner], cutoff: T0, engine: { kinds: KINDS, lookbackMs: 0 } });
  try {
    bridge.restart(undefined, start);
    for (let from = 0; from < seen.length; from += batch) {
      if (from === batch * 5) bridge.restart(undefined, start);
      bridge.take(seen.slice(from, from + batch), end);
    }
    const keys = bridge.reader.deliveries({ limit: 500 }).items.map(({ transitionId }) => transitionId);
    expect(keys).toHaveLength(new Set(keys).size);
    const runs = bridge.reader.runs({ limit: 200 }).items.filter(({ revision }) => revision !== undefined);
    const named = runs.map((run) => ({ run, name: `${run.name} ${run.revision}` }));
    return {
      runs: named.map(({ run, name }) => `${name} ${run.status}`).toSorted(),
      attempts: named
        .map(({ run, name }) => {
          const pods = bridge.reader.run(run.uid)!.attempts.map(({ podName }) => podName);
          return `${name}: ${pods.toSorted().join(', ')}`;
        })
        .toSorted(),
      rows: bridge.reader.desired({ limit: 50 }).items.map(({ wanted }) => wanted),
    };
  } finally {
    bridge.close();
  }
}

const of = (name: string, from = 0, to = Infinity): Observation[] =>
  records.filter(({ facts }) => {
    const version = Number(facts.resourceVersion);
    return facts.name.startsWith(name) && version >= from && version < to;
  });

const TRUTH = ['web 1 succeeded', 'web 2 succeeded', 'web 3 failed', 'web 4 succeeded'];
/** Up to the fifth revision of `web`. */
const HALF = 690;

describe('the rows of rollouts of a real node', () => {
  it('are those of the records in their order', () => {
    const { runs, attempts, rows } = final(of('web'));
    expect(runs).toEqual([
      ...TRUTH,
      'web 5 superseded',
      'web 6 succeeded',
      'web 7 succeeded',
      'web 8 succeeded',
      'web 9 succeeded',
    ]);
    // The fourth brought the second back, and has those of its pods that had not ended.
    expect(attempts.filter((line) => line.endsWith(': '))).toEqual(['web 2: ']);
    expect(rows).toEqual([{ row: 'gone' }]);
  });

  it('are the same in any order and with any repetition', () => {
    const all = of('web', 0, HALF);
    const truth = final(all);
    expect(truth.runs).toEqual([...TRUTH, 'web 5 running']);
    const orders = fc.shuffledSubarray([...all, ...all], { minLength: all.length * 2 });
    fc.assert(
      fc.property(orders, fc.integer({ min: 1, max: 50 }), (seen, batch) => {
        expect(final(seen, batch)).toEqual(truth);
      }),
      { numRuns: 10 },
    );
  });

  it('never say that a rollout succeeded or failed which did not, whatever part is seen in whatever order', () => {
    const all = of('web');
    const truth = final(all).runs;
    fc.assert(
      fc.property(fc.shuffledSubarray([...all, ...all], { minLength: 1 }), (seen) => {
        const reported = final(seen).runs.filter((run) => / (?:succeeded|failed)$/.test(run));
        expect(truth).toEqual(expect.arrayContaining(reported));
      }),
      { numRuns: 10 },
    );
  });

  it.each(['ledger', 'agent'])('of %s are runs with pods too', (name) => {
    const { runs } = final(of(name));
    expect(runs.slice(0, 5)).toEqual(
      [1, 2, 3, 4, 5].map((n) => `${name} ${n} ${n === 3 ? 'rolled_back' : 'succeeded'}`),
    );
  });
});
