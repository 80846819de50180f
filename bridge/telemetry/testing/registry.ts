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
export const standard = new Set<string>(
  Object.entries(conventions).flatMap(([key, value]) =>
    /^(?:ATTR|METRIC)_/.test(key) && typeof value === 'string' ? [value] : [],
  ),
);
/** The package has no types: these are not strings. */
const STANDARD_TYPES: Readonly<Record<string, string>> = {
  'process.exit.code': 'int',
  'k8s.container.restart_count': 'int',
  'process.pid': 'int',
};
/** The values that the semantic conventions know of an attribute whose values are a closed list. */
const CLOSED = /^cicd\./;
const standardValues = new Map(
  Object.entries(conventions).flatMap(([key, name]): [string, unknown[]][] => {
    if (!key.startsWith('ATTR_') || !CLOSED.test(name as string)) return [];
    const prefix = `${key.slice('ATTR_'.length)}_VALUE_`;
    const values = Object.entries(conventions).filter(([other]) => other.startsWith(prefix));
    return values.length === 0 ? [] : [[name as string, values.map(([, value]) => value)]];
  }),
);

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
    ...wrongValues(name, attributes),
  ];
}

/** Which values have another type than their attribute, or are none that its list has. */
export function wrongValues(name: string, attributes: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(attributes).flatMap(([key, value]) => {
    const type = own.get(key) ?? STANDARD_TYPES[key] ?? 'string';
    if (TYPES[type] !== typeof value) return [`${name}: ${key} is a ${typeof value}`];
    if (type === 'int' && !Number.isInteger(value)) return [`${name}: ${key} is ${String(value)}`];
    return standardValues.get(key)?.includes(value) === false ? [`${name}: ${key} is ${String(value)}`] : [];
  });
}
