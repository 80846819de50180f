import { parseEnv } from 'node:util';
import { parseDocument } from 'yaml';
import { isTree, merge, type Tree } from '../../config/tree.ts';
import { errorText, UserError } from '../../lib/errors.ts';
import type { Given } from './draft.ts';
import type { OldTool } from './tool.ts';

/** The settings in a values file of the old chart, or in what `helm get values` prints of its release. */
export function fromValuesText(tool: OldTool, text: string, file: string): Given[] {
  // Helm reads YAML 1.1, where `yes` is a boolean.
  const document = parseDocument(text, { version: '1.1', logLevel: 'silent' });
  const [first] = document.errors;
  const { line, col } = first?.linePos?.[0] ?? { line: 1, col: 1 };
  const next = 'Give the file that you installed the old chart with, or the output of: helm get values -a RELEASE';
  // The parser's own words may quote a line with the key.
  if (first !== undefined)
    throw new UserError(
      `${file}:${line}:${col} is not valid YAML (${first.code.toLowerCase().replaceAll('_', ' ')})`,
      next,
    );
  const values: unknown = document.toJS() ?? {};
  if (!isTree(values)) throw new UserError(`${file} does not hold a mapping of values`, next);
  return fromValues(tool, values);
}

/** The settings in values of the old chart, also where it is a part of another chart. */
export function fromValues({ chart, defaults, rules }: OldTool, values: Tree): Given[] {
  const own = isTree(values[chart]) ? values[chart] : values;
  return flat(Object.keys(rules), merge(defaults, own), '');
}

/** Down to what a rule is for; below that, and where there is none, a value is one setting. */
function flat(known: readonly string[], tree: Tree, above: string): Given[] {
  return Object.entries(tree).flatMap(([key, value]) => {
    // The headings of `helm get values`, and values of all charts.
    if (above === '' && ['USER-SUPPLIED VALUES', 'COMPUTED VALUES', 'global'].includes(key)) return [];
    const source = above + key;
    const isAbove = known.some((path) => path.startsWith(`${source}.`));
    return isAbove && isTree(value) ? flat(known, value, `${source}.`) : [{ source, value }];
  });
}

/** The settings in variables such as the pod of the old agent has, a `NAME=value` in each line. */
export function fromEnvironmentText(tool: OldTool, text: string, file: string): Given[] {
  try {
    return fromEnvironment(tool, parseEnv(text));
  } catch (error) {
    throw new UserError(
      `${file} cannot be read as variables: ${errorText(error)}`,
      'Give a file with NAME=value lines',
    );
  }
}

/** What of these variables the old agent read. */
export function fromEnvironment(
  { rules, prefixed = {}, variables }: OldTool,
  env: Readonly<Record<string, string | undefined>>,
): Given[] {
  if (variables === undefined) return [];
  const given = Object.entries(env).flatMap(([name, value]) => {
    const source = /^(https?|no)_proxy$/.test(name) ? name.toUpperCase() : name;
    const isOne = Object.hasOwn(rules, source) && /^[A-Z][A-Z\d_]*$/.test(source);
    return isOne || Object.keys(prefixed).some((prefix) => source.startsWith(prefix)) ? [{ source, value }] : [];
  });
  return [...variables.implied, ...given];
}

/** The settings in the arguments of the old agent: `--flag=value`, `--flag value`, and `--flag` alone for true. */
export function fromArguments({ dash, booleanFlags }: OldTool, args: readonly string[]): Given[] {
  const settings: Given[] = [];
  for (let index = 0; index < args.length; index++) {
    const [written = '', ...rest] = (args[index] ?? '').split('=');
    // Go takes one dash for two.
    const source = dash === '-' ? written.replace(/^--/, '-') : written;
    if (!source.startsWith(dash)) continue;
    if (rest.length > 0) settings.push({ source, value: rest.join('=') });
    else settings.push({ source, value: booleanFlags.has(source) ? 'true' : args[++index] });
  }
  return settings;
}
