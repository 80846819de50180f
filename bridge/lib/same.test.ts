import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isSameJson } from './same.ts';

describe('the same JSON', () => {
  test('of any value and what became of it in the store', () => {
    const value = fc.jsonValue({ maxDepth: 4, noUnicodeString: false });
    fc.assert(fc.property(value, (value) => isSameJson(value, JSON.parse(JSON.stringify(value)))));
    expect(isSameJson({ a: undefined, b: { c: 1 } }, { b: { c: 1 } })).toBe(true);
    expect(isSameJson({ b: 1, a: 2 }, { a: 2, b: 1, c: undefined })).toBe(true);
  });

  test('is distinguished from any other', () => {
    const two = fc.tuple(fc.jsonValue({ maxDepth: 2 }), fc.jsonValue({ maxDepth: 2 }));
    const holds = fc.property(two, ([a, b]) => JSON.stringify(a) === JSON.stringify(b) || !isSameJson(a, b));
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.integer()), fc.string(), (map, key) => {
        return !isSameJson(map, { ...map, [key]: 'new' }) && !isSameJson({ ...map, [key]: 'new' }, map);
      }),
    );
    expect(fc.check(holds, { numRuns: 300 }).counterexample).toBeNull();
  });

  test.each([
    [[1], { 0: 1 }],
    [{}, []],
    [{}, null],
    [{ toString: 'label' }, {}],
    [{}, { toString: 'label' }],
    [[1, 2], [1]],
    [{ a: { b: 1 } }, { a: { b: 2 } }],
  ])('%j is not %j', (a, b) => {
    expect(isSameJson(a, b)).toBe(false);
  });
});
