import { readFileSync } from 'node:fs';

import { parseDocument } from 'yaml';

import { errorText, UserError } from '../lib/errors.ts';
import { type EnvironmentValue, readEnvironment } from './environment.ts';
import { type Problem, pathText, problemsOf } from './config-errors.ts';
import { type Config, configSchema } from './schema.ts';
import { isTree, merge, nest, type Tree } from './tree.ts';

export interface ConfigSource {
  /** Path of the YAML file; without it LIFECYCLE_BRIDGE_CONFIG names it, else there is none. */
  readonly file?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Values of command line flags: they win over environment and file. */
  readonly overrides?: Tree;
}

/**
 * The configuration from file, environment and overrides (the later wins), frozen. Throws a UserError that lists every
 * problem with its path, the value given and what is allowed.
 */
export function loadConfig({ file, env, overrides = {} }: ConfigSource): Config {
  const path = file ?? (env['LIFECYCLE_BRIDGE_CONFIG'] || undefined);
  const fromFile = path === undefined ? {} : readFile(path);
  const variables = readEnvironment(env, configSchema, fromFile);
  let tree = fromFile;
  for (const { path, value } of variables) tree = merge(tree, nest(path, value));
  tree = merge(tree, overrides);
  const unseen = unseenKeys(tree);
  if (unseen.length > 0) throw configError(unseen, path, variables);
  const parsed = configSchema.safeParse(tree);
  if (parsed.success) return freeze(parsed.data);
  throw configError(problemsOf(parsed.error, configSchema, tree), path, variables);
}

function readFile(path: string): Tree {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError(
      `the configuration file cannot be read: ${errorText(error)}`,
      'Name an existing file with --config FILE or LIFECYCLE_BRIDGE_CONFIG.',
    );
  }
  return parseYaml(text, path);
}

/** The parser's own messages may quote a line with a secret: only kind and place of an error are reported. */
function parseYaml(text: string, path: string): Tree {
  const next = `Correct the YAML of ${path}.`;
  const document = parseDocument(text, { logLevel: 'silent' });
  const first = document.errors[0];
  if (first !== undefined) {
    const { line, col } = first.linePos?.[0] ?? { line: 1, col: 1 };
    const what = first.code.toLowerCase().replaceAll('_', ' ');
    throw new UserError(`${path}:${line}:${col} is not valid YAML (${what})`, next);
  }
  let tree: unknown;
  try {
    tree = withoutNulls(document.toJS()) ?? {}; // endless where an alias stands in its own anchor
  } catch {
    throw new UserError(`${path} is not valid YAML (an alias cannot be resolved)`, next);
  }
  if (!isTree(tree)) throw new UserError(`${path} must hold a mapping at its top, such as "otlp: {port: 4317}"`, next);
  return tree;
}

/** A key without a value counts as not given, as in Helm values. */
function withoutNulls(value: unknown): unknown {
  if (value === null) return undefined;
  if (!isTree(value)) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, withoutNulls(inner)] as const);
  return Object.fromEntries(entries.filter(([, inner]) => inner !== undefined));
}

/** Zod leaves such a key out without a word where names are free: a destination would not be there. */
function unseenKeys(tree: unknown, path: readonly string[] = []): Problem[] {
  if (!isTree(tree)) return [];
  return Object.entries(tree).flatMap(([key, value]) =>
    key === '__proto__'
      ? [{ path: pathText([...path, key]), given: 'this name', hint: 'allowed: any other name' }]
      : unseenKeys(value, [...path, key]),
  );
}

function configError(problems: Problem[], file: string | undefined, variables: EnvironmentValue[]): UserError {
  const lines = problems.map(({ path, given, hint }) => {
    const variable = variables.find((set) => `${path}.`.startsWith(`${pathText(set.path)}.`))?.variable;
    return `  ${path}${variable === undefined ? '' : ` (from ${variable})`}: ${given}; ${hint}`;
  });
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  const where = file === undefined ? 'LIFECYCLE_BRIDGE__… variables' : `${file} or LIFECYCLE_BRIDGE__… variables`;
  return new UserError(
    `the configuration has ${count}:\n${lines.join('\n')}`,
    `Correct the keys above in ${where}; "lifecycle-bridge check" tests the result.`,
  );
}

function freeze<T>(value: T): T {
  if (value === null || typeof value !== 'object') return value;
  for (const inner of Object.values(value)) freeze(inner);
  return Object.freeze(value);
}
