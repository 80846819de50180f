import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { annotationProblems } from '../../sinks/cronitor/annotations.ts';
import { cronJob } from '../../sinks/cronitor/fixtures.ts';
import { RULES } from './cronitor-tool.ts';

const FILE = join(import.meta.dirname, '../../../docs/cronitor.md');
const text = readFileSync(FILE, 'utf8');

/** What stands in backquotes in the first columns of a table of docs/cronitor.md. */
function named(table: string, columns: number): string[][] {
  const [, body = ''] = new RegExp(`<!-- ${table} -->([^]*)<!-- /${table} -->`).exec(text) ?? [];
  const rows = body
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| Value') && !line.startsWith('| Annotation'));
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, columns + 1)
      .flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name!)),
  );
}

it('docs/cronitor.md says what becomes of every value, variable and flag of the old agent, and of no other', () => {
  expect(named('old settings', 3).flat().toSorted()).toEqual(Object.keys(RULES).toSorted());
});

it('docs/cronitor.md has every annotation with its older name, and no other', () => {
  const [unknown] = annotationProblems(cronJob({ none: '' }));
  const all = unknown?.allowed.replace(/.* one of /, '').split(', ') ?? [];
  const rows = named('annotations', 2);
  expect(rows.map(([name]) => name)).toEqual(all);
  for (const [name = '', older] of rows) {
    const is = (annotation: string) =>
      annotationProblems(cronJob({ [annotation]: 'true' })).every(({ used }) => !used.startsWith('nothing'));
    expect({ [name]: is(name), older: older === undefined || is(older) }).toEqual({ [name]: true, older: true });
    expect({ [name]: is(`cronitor-${name}`) }).toEqual({ [name]: older === `cronitor-${name}` });
  }
});

it('docs/cronitor.md leads to files that are there', () => {
  const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path]) => join(dirname(FILE), path!));
  expect(links.length).toBeGreaterThan(20);
  expect(links.filter((path) => !existsSync(path))).toEqual([]);
});
