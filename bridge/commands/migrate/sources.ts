import { parseAllDocuments } from 'yaml';
import { isTree, merge, type Tree } from '../../config/tree.ts';
import { UserError } from '../../lib/errors.ts';
import type { Given } from './draft.ts';
import type { OldTool } from './tool.ts';

const VALUES = 'Give the file that you installed the old chart with, or the output of: helm get values -a RELEASE';
/** The first line that `helm get values` prints. */
const HEADING = /^(?:USER-SUPPLIED|COMPUTED) VALUES:[ ]*$/m;

/** The documents of a file. Throws a UserError for what is not YAML, and for a file without anything. */
export function documentsOf(text: string, file: string): unknown[] {
  // Helm reads YAML 1.1, where `yes` is a boolean.
  const all = parseAllDocuments(text.replace(HEADING, '#'), { version: '1.1', logLevel: 'silent' });
  const documents = Array.isArray(all) ? all : [];
  const first = documents.flatMap(({ errors }) => errors)[0];
  const { line, col } = first?.linePos?.[0] ?? { line: 1, col: 1 };
  // The parser's own words may quote a line with the key.
  if (first !== undefined)
    throw new UserError(
      `${file}:${line}:${col} is not valid YAML (${first.code.toLowerCase().replaceAll('_', ' ')})`,
      VALUES,
    );
  const given = documents.filter(({ contents }) => contents !== null && contents.range[0] < contents.range[1]);
  if (given.length === 0) throw new UserError(`${file} is empty`, VALUES);
  try {
    const read = given.map((document) => document.toJS() as unknown);
    JSON.stringify(read); // endless where an alias stands in its own anchor
    return read;
  } catch {
    throw new UserError(`${file} is not valid YAML (an alias cannot be resolved)`, VALUES);
  }
}

/** The settings in a values file of the old chart, or in what `helm get values` prints of its release. */
export function fromValuesText(tool: OldTool, text: string, file: string): Given[] {
  return fromDocuments(tool, documentsOf(text, file), file);
}

/** The same of what was parsed: one mapping, or nothing, which is the chart as it comes. */
export function fromDocuments(tool: OldTool, documents: readonly unknown[], file: string): Given[] {
  const [values = {}, ...others] = documents.map((one) => one ?? {});
  if (others.length > 0) throw new UserError(`${file} has ${documents.length} documents, and values are one`, VALUES);
  if (!isTree(values)) throw new UserError(`${file} does not hold a mapping of values`, VALUES);
  const keys = Object.keys(values).filter((key) => key !== 'global');
  const known = new Set([tool.chart, ...Object.keys(tool.rules).map((path) => path.split('.')[0])]);
  if (keys.length > 0 && !keys.some((key) => known.has(key)))
    throw new UserError(`${file} has no value of the chart ${tool.chart}: ${keys.slice(0, 5).join(', ')}`, VALUES);
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
    if (above === '' && key === 'global') return []; // of all charts
    const source = above + key;
    const isAbove = known.some((path) => path.startsWith(`${source}.`));
    return isAbove && isTree(value) ? flat(known, value, `${source}.`) : [{ source, value }];
  });
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
