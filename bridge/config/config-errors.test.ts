import { expect, it } from 'vitest';
import { z } from 'zod';
import { problemsOf } from './config-errors.ts';
import { inputOf } from './schema-walk.ts';
import { configSchema } from './schema.ts';
import { nest } from './tree.ts';

/** Every setting by its path; NAME stands for a name of one's own. */
function settings(schema: z.core.$ZodType, at: readonly string[] = []): string[][] {
  const inner = inputOf(schema);
  const below = inner instanceof z.ZodRecord ? settings(inner.valueType, [...at, 'name']) : [];
  const keys = inner instanceof z.ZodObject ? Object.entries(inner.shape) : [];
  return [
    ...(at.length === 0 ? [] : [[...at]]),
    ...below,
    ...keys.flatMap(([key, value]) => settings(value, [...at, key])),
  ];
}

const WRONG = [5, -1, 2.5, 1e300, '', ' ', 'x'.repeat(3000), '0s', '99999999d', true, [], [5], [''], {}, { '': 'x' }];
const ALLOWED = /allowed( here)?: |must |needs |not both$|a destination name has /;
const OF_ZOD = /Too |Invalid|expected|undefined/;

it.each(settings(configSchema).map((path) => [path.join('.'), path] as const))(
  'a wrong value of %s is answered with what is allowed',
  (_, path) => {
    for (const value of WRONG) {
      const tree = nest(path, value);
      const { error } = configSchema.safeParse(tree);
      for (const { path: at, hint } of error === undefined ? [] : problemsOf(error, configSchema, tree)) {
        expect(`${at}: ${hint}`).toMatch(ALLOWED);
        expect(`${at}: ${hint}`).not.toMatch(OF_ZOD);
      }
    }
  },
);
