import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { MUTANTS } from './mutants.ts';

it('each mutant changes one place of the code of today', () => {
  const places = MUTANTS.map(({ name, file, from }) => [name, readFileSync(file, 'utf8').split(from).length - 1]);
  expect(places).toEqual(MUTANTS.map(({ name }) => [name, 1]));
});
