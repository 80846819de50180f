import { expect, it } from 'vitest';
import { bridgeConfigSchema, named, valuesSchema } from './json-schema.ts';
import { umbrella } from './refinements.ts';
import { readValues } from './values-file.ts';

it('closes a mapping by names with patterns: Helm shows a wrong name of propertyNames at a random place', () => {
  expect(named('^a$', { type: 'string' })).toEqual({
    type: 'object',
    patternProperties: { '^a$': { type: 'string' } },
    additionalProperties: false,
  });
  expect(JSON.stringify([bridgeConfigSchema([]), umbrella()])).not.toContain('propertyNames');
});

it('has no pattern that Go cannot compile: Helm would refuse the whole schema', () => {
  const patterns = JSON.stringify([bridgeConfigSchema([]), umbrella()]).match(/"pattern":"(?:[^"\\\\]|\\\\.)*"/g) ?? [];
  expect(patterns.length).toBeGreaterThan(10);
  expect(patterns.filter((pattern) => /\(\?(?:[=!]|<[=!])/.test(pattern))).toEqual([]);
});

it('needs what a template reads and null would take away, but nothing that may be empty', () => {
  const values = readValues('a: 1\nb: true\nc: x\nd: ""\ne: []\nf: {}\ng: {h: 1}\ni: {j: 1}\n');
  expect(valuesSchema(values, { i: { required: [] } })['required']).toEqual(['a', 'b', 'c', 'g']);
});
