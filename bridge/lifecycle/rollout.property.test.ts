import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { recordedObjects } from '../../test/fixtures/recorded.ts';
import { readerOf } from '../kubernetes/kinds.ts';
import { brief, Rollouts } from './testing/rollouts.ts';
import type { Seen } from './testing/rollouts.ts';

const KEPT = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'ControllerRevision', 'Pod'] as const;
const read = readerOf(KEPT);
let records: Seen[];

beforeAll(async () => {
  const recorded = await recordedObjects('rollouts');
  records = recorded.flatMap(({ object, ...rest }) => {
    const facts = read(object);
    return facts === undefined ? [] : [{ ...rest, facts }];
  });
});

/** The versions of a workload, its revisions and its pods, in the order in which a real node made them. */
function history(name: string, from = 0, to = Infinity): Seen[] {
  return records.filter(({ facts }) => {
    const version = Number(facts.resourceVersion);
    return facts.name.startsWith(name) && version >= from && version < to;
  });
}

/** What was reported as the end of each revision, in the order of the reports: `3 rolled_back`. Fails if an edge is reported twice. */
function ends(seen: readonly Seen[]): string[] {
  const rollouts = new Rollouts(0);
  for (const record of seen) rollouts.take(record);
  const ids = rollouts.reported.map(({ id }) => id);
  expect(ids).toHaveLength(new Set(ids).size);
  return rollouts.reported
    .filter(({ outcome }) => outcome !== undefined)
    .map((one) => `${brief(one).split('/')[0]} ${one.outcome}`);
}

/** The last word about each revision. */
function lastWords(all: readonly string[]): string[] {
  return [...new Map(all.map((end) => [end.split(' ')[0], end])).values()].toSorted();
}

/** Records that overtake each other by a few, and some of them again much later, as from a queue that is sent twice. */
function nearly(all: readonly Seen[]): fc.Arbitrary<Seen[]> {
  const place = fc.tuple(fc.integer({ min: 0, max: 10 }), fc.boolean(), fc.integer({ min: 0, max: 60 }));
  return fc.array(place, { minLength: all.length, maxLength: all.length }).map((places) =>
    all
      .flatMap((record, at) => {
        const [by, again, later] = places[at]!;
        return [[at + by, record] as const, ...(again ? [[at + later, record] as const] : [])];
      })
      .toSorted(([a], [b]) => a - b)
      .map(([, record]) => record),
  );
}

const TRUTH = {
  web: ['1 succeeded', '2 succeeded', '3 failed', '4 succeeded'],
  webAfter: ['5 superseded', '6 succeeded', '7 succeeded', '8 succeeded', '9 succeeded'],
  ledger: ['1 succeeded', '2 succeeded', '3 rolled_back', '4 succeeded', '5 succeeded'],
  agent: ['1 succeeded', '2 succeeded', '3 rolled_back', '4 succeeded', '5 succeeded'],
};
/** Up to the fifth revision, and from it on: of more the oldest are past. */
const HALF = 690;

describe('the rollouts of a real node', () => {
  it('are reported in any order of all that was seen of a Deployment, with any repetition', () => {
    for (const [all, truth] of [
      [history('web', 0, HALF), TRUTH.web],
      [history('web', HALF), TRUTH.webAfter],
    ] as const) {
      const orders = fc.shuffledSubarray([...all, ...all], { minLength: all.length * 2 });
      fc.assert(
        fc.property(orders, (seen) => {
          expect(lastWords(ends(seen))).toEqual(truth);
        }),
        { numRuns: 30 },
      );
    }
  });

  it.each([
    ['ledger', Infinity],
    ['agent', 670],
  ] as const)('are reported of %s when its records overtake each other, and when a queue is sent twice', (name, to) => {
    fc.assert(
      fc.property(nearly(history(name, 0, to)), (seen) => {
        expect(lastWords(ends(seen))).toEqual(TRUTH[name]);
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    ['web', [...TRUTH.web, ...TRUTH.webAfter]],
    ['ledger', TRUTH.ledger],
    ['agent', [...TRUTH.agent, '6 succeeded']],
  ])('of %s never succeed or fail if they did not, whatever part is seen in whatever order', (name, truth) => {
    const all = history(name);
    fc.assert(
      fc.property(fc.shuffledSubarray([...all, ...all]), (seen) => {
        const reported = ends(seen).filter((end) => / (?:succeeded|failed)$/.test(end));
        expect(truth).toEqual(expect.arrayContaining(reported));
      }),
      { numRuns: 40 },
    );
  });
});
