import { parse } from 'yaml';
import { z } from 'zod';

import { child, fixedKeys, inputOf } from './schema-walk.ts';
import { entry, isTree } from './tree.ts';

const PREFIX = 'LIFECYCLE_BRIDGE__';

export interface EnvironmentValue {
  readonly variable: string;
  readonly path: readonly string[];
  readonly value: unknown;
}

/**
 * The values that variables like LIFECYCLE_BRIDGE__OTLP__PORT set; an empty one counts as unset. `file` is what the
 * file says: a destination that it names in another spelling (team-a, TEAM_A) is the same destination.
 */
export function readEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  schema: z.core.$ZodType,
  file: unknown,
): EnvironmentValue[] {
  const values: EnvironmentValue[] = [];
  for (const variable of Object.keys(env).toSorted()) {
    const text = env[variable];
    if (!variable.startsWith(PREFIX) || text === undefined || text === '') continue;
    const { path, at } = resolve(variable.slice(PREFIX.length).split('__'), schema, file);
    values.push({ variable, path, value: scalar(text, at) });
  }
  return values;
}

function resolve(segments: readonly string[], schema: z.core.$ZodType, file: unknown) {
  const path: string[] = [];
  let at: z.core.$ZodType | undefined = schema;
  let given = file;
  for (const segment of segments) {
    const named = at !== undefined && inputOf(at) instanceof z.ZodRecord;
    const known: readonly string[] = named ? Object.keys(isTree(given) ? given : {}) : kindsOf(at);
    const key: string =
      known.find((name) => plain(name) === plain(segment)) ?? (named ? dashed(segment) : camelCase(segment));
    path.push(key);
    at = at === undefined ? undefined : child(at, key);
    given = entry(given, key);
  }
  return { path, at };
}

/** Keys that are kinds of Kubernetes, which are not written in camel case. */
function kindsOf(schema: z.core.$ZodType | undefined): string[] {
  return ((schema && fixedKeys(schema)) ?? []).filter((key) => /^[A-Z]/.test(key));
}

const plain = (name: string) => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');

const dashed = (snake: string) => snake.toLowerCase().replaceAll('_', '-');

function camelCase(snake: string): string {
  return snake.toLowerCase().replaceAll(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** YAML rules (true, 5, [a, b]), but the text itself where the schema wants text. */
function scalar(text: string, schema: z.core.$ZodType | undefined): unknown {
  const wanted = schema === undefined ? undefined : inputOf(schema);
  if (wanted === undefined || wanted instanceof z.ZodString || wanted instanceof z.ZodEnum || isFormat(wanted))
    return text;
  try {
    return parse(text, { logLevel: 'silent' });
  } catch {
    return text;
  }
}

const isFormat = (schema: z.core.$ZodType) => schema instanceof z.ZodStringFormat;
