import * as conventions from '@opentelemetry/semantic-conventions/incubating';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

interface Attribute {
  readonly id?: string;
  readonly ref?: string;
  readonly type?: string;
  readonly requirement_level?: string;
}
export interface Group {
  readonly id: string;
  readonly type: 'attribute_group' | 'span' | 'event' | 'metric';
  readonly name?: string;
  readonly display_name?: string;
  readonly metric_name?: string;
  readonly instrument?: string;
  readonly unit?: string;
  readonly attributes: readonly Attribute[] | null;
}

const FOLDER = join(import.meta.dirname, '../registry');
export const groups = ['attributes', 'spans', 'events', 'metrics'].flatMap((file) => {
  return (parse(readFileSync(join(FOLDER, `${file}.yaml`), 'utf8')) as { groups: Group[] }).groups;
});
const ownAttributes = groups
  .filter(({ type }) => type === 'attribute_group')
  .flatMap(({ attributes }) => attributes ?? []);
/** Types of the attributes that semantic conventions do not have. */
export const own = new Map(ownAttributes.map(({ id, type }) => [id!, type!]));
/** Names that semantic conventions have. */
export const standard = new Set<string>(Object.values(conventions).filter((value) => typeof value === 'string'));

export function spanGroup(name: string): Group | undefined {
  const known = name.startsWith('RUN ') ? 'RUN {cicd.pipeline.name}' : name;
  return groups.find((group) => group.type === 'span' && group.display_name === known);
}

export function eventGroup(name: string): Group | undefined {
  return groups.find((group) => group.type === 'event' && group.name === name);
}

const TYPES: Readonly<Record<string, string>> = { string: 'string', int: 'number', boolean: 'boolean' };

/** What of the attributes is not in a group, is missing, or has another type. */
export function wrongWith(
  group: Group | undefined,
  name: string,
  attributes: Readonly<Record<string, unknown>>,
): string[] {
  if (group === undefined) return [`${name} is not in the registry`];
  const given = group.attributes ?? [];
  const known = new Set(given.map(({ ref }) => ref));
  const missing = given.filter(
    (one) => one.requirement_level === 'required' && !Object.hasOwn(attributes, one.ref ?? ''),
  );
  return [
    ...Object.keys(attributes)
      .filter((key) => !known.has(key))
      .map((key) => `${name} has ${key}`),
    ...missing.map(({ ref }) => `${name} is without ${ref}`),
    ...Object.entries(attributes).flatMap(([key, value]) => {
      const type = own.get(key);
      return type !== undefined && TYPES[type] !== typeof value ? [`${name}: ${key} is a ${typeof value}`] : [];
    }),
  ];
}
