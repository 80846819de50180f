import { describe, expect, it } from 'vitest';
import { at, brief, controllerRevision, daemonSet, Rollouts } from './testing/rollouts.ts';

const revision = (letter: string, number: number, made: number) =>
  controllerRevision('agent', letter, { revision: number, templateGeneration: made, createdAt: at(made * 10) });
const changed = (step: number, changes: Parameters<typeof daemonSet>[0] = {}) =>
  daemonSet({ generation: step, observedGeneration: step, templateGeneration: step, ...changes });

/** A DaemonSet whose template was changed once, and is up. */
function agent(): Rollouts {
  const rollouts = new Rollouts();
  rollouts.see(0, revision('a', 1, 1));
  rollouts.see(0, daemonSet());
  rollouts.see(20, revision('b', 2, 2));
  expect(rollouts.see(21, changed(2))).toEqual(['2/started', '2/ended succeeded']);
  return rollouts;
}

describe('a DaemonSet that was rolled back twice while nobody looked', () => {
  it('says nothing of the revision between, in whichever order the numbers of both are seen', () => {
    for (const isLast of [false, true]) {
      const rollouts = agent();
      const numbers = [revision('a', 3, 1), revision('b', 4, 2)];
      const [first, second] = isLast ? numbers.toReversed() : numbers;
      expect(rollouts.see(40, changed(4))).toEqual([]);
      const seen = [...rollouts.see(40, first!), ...rollouts.see(40, second!)];
      expect(seen).toEqual(['4/started', '4/ended succeeded']);
    }
  });

  it('shows by its late records that the revision between never came up', () => {
    const rollouts = agent();
    rollouts.see(40, changed(4));
    rollouts.see(40, revision('a', 3, 1));
    rollouts.see(40, revision('b', 4, 2));
    const late = { ...changed(3, { updated: 1, available: 2 }), resourceVersion: '104' };
    const reported = rollouts.take({ facts: late, deleted: false, observedAt: at(30) });
    expect(reported.map(brief)).toEqual(['3/started', '3/progressing', '3/ended rolled_back']);
  });
});

describe('a DaemonSet whose controller took two changes of its template for one', () => {
  it('is at the revision that a LIST of all shows as the newest, if none has changed since its last record', () => {
    const rollouts = agent();
    rollouts.see(40, revision('a', 3, 1));
    expect(rollouts.see(40, changed(4))).toEqual([]);
    expect(rollouts.list(50, '105')).toEqual([]);
    expect(rollouts.list(50, '200')).toEqual(['3/started', '3/ended succeeded']);
    expect(rollouts.list(60, '300')).toEqual([]);
    // From there on the numbers say it again.
    rollouts.see(70, revision('b', 4, 2));
    expect(rollouts.see(70, changed(5))).toEqual(['4/started', '4/ended succeeded']);
  });

  it('is not at a revision whose number may be newer than its last record', () => {
    const rollouts = agent();
    rollouts.see(40, changed(4));
    rollouts.see(40, revision('a', 3, 1));
    expect(rollouts.list(50, '200')).toEqual([]);
  });

  it('goes on with its revision when the second took back the first', () => {
    const rollouts = new Rollouts();
    rollouts.see(0, revision('a', 1, 1));
    rollouts.see(0, changed(1, { observedGeneration: 0, updated: 0, available: 0 }));
    expect(rollouts.see(1, changed(1, { available: 0 }))).toEqual(['1/started', '1/progressing']);
    expect(rollouts.see(9, changed(3))).toEqual([]);
    expect(rollouts.list(10, '200')).toEqual(['1/ended succeeded']);
  });
});
