import { RE2JS } from 're2js';
import { z } from 'zod';
import { configSchema } from '../../bridge/config/schema.ts';
import { isTree } from '../../bridge/config/tree.ts';
import type { Tree } from '../../bridge/config/tree.ts';
import type { Value } from './values-file.ts';

/** What a values.yaml does not say about a value, by its path: `scope`, `cronitor`, `metrics.scrape.jobs`. */
export type Refinements = Readonly<Record<string, Tree>>;

/** The schema of a values.yaml: types from its defaults, descriptions from its comments, the rest from `refinements`. */
export function valuesSchema(values: ReadonlyMap<string, Value>, refinements: Refinements): Tree {
  const used = new Set<string>();
  const schema = mapping(values, '', refinements, used);
  const unused = Object.keys(refinements).filter((path) => !used.has(path));
  if (unused.length > 0) throw new Error(`refinements of values that are not there: ${unused.join(', ')}`);
  return { $schema: 'http://json-schema.org/draft-07/schema#', ...schema };
}

function mapping(values: ReadonlyMap<string, Value>, at: string, refinements: Refinements, used: Set<string>): Tree {
  const properties = [...values].map(([key, value]) => {
    const path = at === '' ? key : `${at}.${key}`;
    const refined = refinements[path] ?? {};
    if (refinements[path] !== undefined) used.add(path);
    const inferred = value.children ? mapping(value.children, path, refinements, used) : scalar(value.default);
    const description = value.comment === '' ? {} : { description: value.comment };
    return [key, { ...description, ...inferred, ...refined }] as const;
  });
  return {
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(properties),
    required: needed(values, properties),
  };
}

/**
 * Keys whose null a template could not read: Helm takes such a key away. An empty text, list or mapping may be missing, and a
 * mapping of which every key may.
 */
function needed(values: ReadonlyMap<string, Value>, properties: readonly (readonly [string, Tree])[]): string[] {
  return properties.flatMap(([key, schema]) => {
    const value = values.get(key);
    if (value?.children !== undefined) return (schema['required'] as string[]).length === 0 ? [] : [key];
    return typeof value?.default === 'object' || value?.default === '' ? [] : [key];
  });
}

/** A mapping by names of the user's. (With `propertyNames` Helm's validator shows a wrong name at a random place.) */
export function named(pattern: string, each: Tree): Tree {
  return { type: 'object', patternProperties: { [pattern]: each }, additionalProperties: false };
}

function scalar(value: unknown): Tree {
  if (Array.isArray(value)) return { type: 'array' };
  if (typeof value === 'number') return { type: 'integer', minimum: 0 };
  return { type: isTree(value) ? 'object' : typeof value };
}

/** The schema of bridge.yaml as the bridge itself has it, without what the chart decides. */
export function bridgeConfigSchema(without: readonly string[]): Tree {
  const whole = z.toJSONSchema(configSchema, { io: 'input', target: 'draft-7', unrepresentable: 'any' });
  const { $schema: _, ...schema } = readable(whole) as Tree;
  return without.reduce<Tree>((at, path) => removed(at, path.split('.')), schema);
}

/** One destination of a sink as the chart takes it. */
export interface DestinationSchema {
  /** The pattern of its name. */
  readonly names: string;
  /** Its settings but its secrets. */
  readonly properties: Tree;
  /** Settings that the bridge does not start without. */
  readonly required: readonly string[];
  /** Settings that are secrets: each is given by itself or, with `File` behind its name, as a file. */
  readonly secrets: readonly string[];
}

/** What a destination of this sink can be set to, as the bridge has it. */
export function destinationSchema(sink: string): DestinationSchema {
  const all = (bridgeConfigSchema([])['properties'] as Tree)[sink] as Tree;
  const [[names, whole] = ['', {}]] = Object.entries(all['patternProperties'] as Readonly<Record<string, Tree>>);
  const given = whole['properties'] as Tree;
  const secrets = Object.keys(given).filter((name) => Object.hasOwn(given, `${name}File`));
  const without = [...secrets, ...secrets.map((name) => `${name}File`)];
  const properties = Object.fromEntries(Object.entries(given).filter(([name]) => !without.includes(name)));
  const required = ((whole['required'] as readonly string[] | undefined) ?? []).filter(
    (name) => !without.includes(name),
  );
  return { names, properties, required, secrets };
}

/** What zod's marks say in words that an editor shows. */
function readable(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(readable);
  if (!isTree(node)) return node;
  const { allowed, secret: _secret, duration: _duration, ...given } = node;
  const rest = withReadablePattern(withNames(given));
  const words = [rest['description'], allowed].filter((text) => typeof text === 'string');
  const description = words.length === 0 ? {} : { description: words.join('; allowed: ') };
  return { ...Object.fromEntries(Object.entries(rest).map(([key, inner]) => [key, readable(inner)])), ...description };
}

/** Helm takes no schema at all with a pattern that Go cannot compile, such as a lookahead: there the bridge alone checks it. */
function withReadablePattern({ pattern, ...schema }: Tree): Tree {
  if (typeof pattern !== 'string') return pattern === undefined ? schema : { ...schema, pattern };
  try {
    RE2JS.compile(pattern);
    return { ...schema, pattern };
  } catch {
    return schema;
  }
}

/** `propertyNames` as `patternProperties`. */
function withNames({ propertyNames: names, ...schema }: Tree): Tree {
  if (!isTree(names)) return schema;
  const { pattern = '.' } = names as { readonly pattern?: string };
  return { ...schema, ...named(pattern, schema['additionalProperties'] as Tree) };
}

function removed(schema: Tree, [key = '', ...rest]: readonly string[]): Tree {
  const { [key]: found, ...others } = schema['properties'] as Tree;
  if (found === undefined) throw new Error(`bridge.yaml has no ${key}`);
  return { ...schema, properties: rest.length === 0 ? others : { ...others, [key]: removed(found as Tree, rest) } };
}
