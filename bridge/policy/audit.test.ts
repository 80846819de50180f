import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WatchState } from './audit.ts';
import {
  auditInterval,
  awaitVersion,
  DEAD_AFTER_MS,
  difference,
  goneObjects,
  isDeadWatch,
  isRolledBack,
  pacing,
  rereadPage,
  streamVersion,
} from './audit.ts';

describe('an object of a LIST', () => {
  it.each([
    ['that is not in the store was missed', '100', undefined, 'missed'],
    ['that the store has older is stale', '100', { version: '99', away: false }, 'stale'],
    ['that the store has so is the same', '100', { version: '100', away: false }, 'same'],
    ['that the stream moved on since is the same', '100', { version: '101', away: false }, 'same'],
    ['that was deleted after the LIST is the same', '100', { version: '101', away: true }, 'same'],
    ['that was taken for gone is read again', '100', { version: '100', away: true }, 'stale'],
    ['whose stored version is unknown is stale', '7', { version: '', away: false }, 'stale'],
    ['with a longer version is newer, whatever its digits', '1000', { version: '999', away: false }, 'stale'],
  ])('%s', (_name, listed, known, expected) => {
    expect(difference(listed, known)).toBe(expected);
  });
});

describe('a restored etcd', () => {
  it.each([
    ['by an object that is older than what was known before the LIST', '200', '90', '100', true],
    ['not by one that the stream moved on since', '200', '90', '201', false],
    ['not by one that is newer', '200', '150', '100', false],
    ['not by one whose stored version is unknown', '200', '90', '', false],
  ])('is proven %s', (_name, version, listed, known, expected) => {
    expect(isRolledBack(version, listed, { version: known, away: false })).toBe(expected);
  });
});

describe('a page', () => {
  it.each([
    [0, 500, false],
    [25, 500, false],
    [26, 500, true],
    [1, 3, true],
  ])('with %i differences among %i is read again: %s', (differences, size, expected) => {
    expect(rereadPage(differences, size)).toBe(expected);
  });
});

describe('what is missing from LISTs', () => {
  const missing = (count: number, lists: number) => new Map(Array.from({ length: count }, (_, n) => [`u${n}`, lists]));

  it.each([
    ['is not gone after one LIST', 1, 1, 1000, 0, 0],
    ['is gone after two', 1, 2, 1000, 1, 0],
    ['is gone after two when it is few', 20, 2, 20, 20, 0],
    ['is gone after two when it is many of very many', 200, 2, 1000, 200, 0],
    ['waits for a third when it is many at once', 201, 2, 1000, 0, 201],
    ['is gone after the third all the same', 201, 3, 1000, 201, 0],
  ])('%s', (_name, count, lists, live, gone, held) => {
    const result = goneObjects(missing(count, lists), live);
    expect([result.gone.length, result.held]).toEqual([gone, held]);
  });

  it('is never gone before the second LIST, and never held after the third', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 4 })), fc.integer({ min: 0, max: 500 }), (counts, more) => {
        const map = new Map(counts.map((count, n) => [`u${n}`, count]));
        const { gone, held } = goneObjects(map, counts.length + more);
        expect(gone.every((uid) => map.get(uid)! >= 2)).toBe(true);
        const thrice = counts.filter((count) => count >= 3).length;
        expect(gone.length).toBeGreaterThanOrEqual(thrice);
        expect(gone.length + held).toBe(counts.filter((count) => count >= 2).length);
      }),
    );
  });
});

describe('the pace', () => {
  it('never reads more than 100 objects a second on average', () => {
    expect(auditInterval(300_000, 20_000)).toBe(300_000);
    expect(auditInterval(300_000, 100_000)).toBe(1_000_000);
    expect(pacing(500)).toBe(5_000);
  });
});

describe('a watch', () => {
  const idle: WatchState = { awaited: undefined, streamAt: undefined };
  const found = awaitVersion(idle, '100', 0);

  it('is dead when two minutes later neither the version nor any other record of its kind has come', () => {
    expect(isDeadWatch(found, DEAD_AFTER_MS - 1)).toBe(false);
    expect(isDeadWatch(found, DEAD_AFTER_MS)).toBe(true);
  });

  it('waits for the lowest version that was found, from when the first was', () => {
    expect(awaitVersion(awaitVersion(found, '101', 50), '99', 60).awaited).toEqual({ version: '99', since: 0 });
  });

  it.each([
    ['the version itself', '100', false],
    ['a later one, since a watch does not go back', '105', false],
  ])('lives when the stream brings %s', (_name, version) => {
    expect(isDeadWatch(streamVersion(found, version, 1_000), 10 * DEAD_AFTER_MS)).toBe(false);
  });

  it('gets two more minutes while the stream drains an older queue', () => {
    const draining = streamVersion(found, '90', 60_000);
    expect(isDeadWatch(draining, 60_000 + DEAD_AFTER_MS - 1)).toBe(false);
    expect(isDeadWatch(draining, 60_000 + DEAD_AFTER_MS)).toBe(true);
  });

  it('is never dead while nothing is awaited', () => {
    expect(isDeadWatch({ awaited: undefined, streamAt: 0 }, 1e12)).toBe(false);
  });
});
