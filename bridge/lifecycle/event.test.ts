import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventFacts, T0 } from '../../test/fixtures/facts.ts';
import type { KeptEvent } from './event.ts';
import { isWarning, keepEvent, updateEvent, warned } from './event.ts';

const NOW = T0 + 60_000;
const version = (count: number, changes = {}) =>
  eventFacts({ resourceVersion: String(100 + count), count, lastAt: T0 + count, ...changes });

/** What is kept after these versions, and the counts of the Warnings that are reported on the way. */
function take(...versions: ReturnType<typeof version>[]): { kept: KeptEvent | undefined; reported: number[] } {
  const reported: number[] = [];
  let kept: KeptEvent | undefined;
  for (const facts of versions) {
    const next: KeptEvent | undefined = kept === undefined ? keepEvent(facts, NOW) : updateEvent(kept, facts, NOW);
    if (next !== undefined && isWarning(kept, next)) reported.push(warned(next, undefined).count!);
    kept = next ?? kept;
  }
  return { kept, reported };
}

describe('a later version of an Event', () => {
  it('changes time and count, and nothing else', () => {
    const { kept } = take(version(1), version(7, { message: 'another text' }));
    expect(kept).toEqual({
      uid: version(1).uid,
      about: version(1).regarding.uid,
      version: '107',
      at: T0 + 7,
      count: 7,
      step: 1,
      takenAt: NOW,
      event: version(1),
    });
  });

  it.each([['the same'], ['an older']])('that is %s one says nothing', (which) => {
    const again = which === 'an older' ? version(3) : version(5);
    expect(updateEvent(keepEvent(version(5), NOW), again, NOW)).toBeUndefined();
  });

  it('with a time in the future counts as said now', () => {
    expect(take(version(1, { lastAt: T0 + 10 ** 12 })).kept?.at).toBe(NOW);
  });
});

describe('a Warning is reported', () => {
  it.each([
    [[1], [1]],
    [[1, 2, 9], [1]],
    [
      [1, 9, 10, 11, 99, 100, 101],
      [1, 10, 100],
    ],
    [[57], [57]],
    [
      [1, 57, 60],
      [1, 57],
    ],
    [
      [1, 5_000],
      [1, 5_000],
    ],
    [[2_147_483_647], [2_147_483_647]],
  ])('of the counts %j at %j', (counts, reported) => {
    expect(take(...counts.map((count) => version(count))).reported).toEqual(reported);
  });

  it('and what is normal is not', () => {
    expect(take(version(1, { type: 'Normal' }), version(10, { type: 'Normal' })).reported).toEqual([]);
  });

  it('once for each step, whatever comes twice, late or not at all', () => {
    const versions = fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(versions, (counts) => {
        const { reported, kept } = take(...counts.map((count) => version(count)));
        const steps = reported.map((count) => String(count).length);
        expect(new Set(steps).size).toBe(steps.length);
        expect(kept?.count).toBe(Math.max(...counts));
        expect(Math.max(...steps)).toBe(String(Math.max(...counts)).length);
      }),
    );
  });

  it('under an id of the Event and the step, with its object, reason, message and count', () => {
    expect(warned(take(version(1), version(12)).kept!, 'run-1')).toEqual({
      id: `${version(1).uid}/warned/10`,
      kind: 'event.warned',
      at: T0 + 12,
      about: { kind: 'Pod', namespace: 'shop', name: 'report-1-abcde', uid: version(1).regarding.uid },
      runUid: 'run-1',
      text: 'BackOff: Back-off restarting failed container (12 times)',
      reason: 'BackOff',
      message: 'Back-off restarting failed container',
      count: 12,
      said: {
        type: 'Warning',
        component: 'kubelet',
        instance: 'node-1',
        fieldPath: 'spec.containers{main}',
        firstAt: T0,
      },
    });
  });
});
