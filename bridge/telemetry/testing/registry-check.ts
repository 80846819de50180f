/**
 * What `weaver registry check` refuses or warns of, for registries of its format 1. Weaver is a Rust program that no package registry
 * has. Its rules: open-telemetry/weaver, crates/weaver_semconv/src/v1/group.rs and crates/weaver_resolver/src/error.rs.
 */
type Fields = Readonly<Record<string, unknown>>;
type Say = (problem: string) => void;

const NAME = /^[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*$/;
const SCHEMA_URL = /^https?:\/\/[^/]+\/(?:.*\/)?\d+\.\d+\.\d+$/;
const STABILITIES = ['development', 'alpha', 'beta', 'release_candidate', 'stable'];
const EXAMPLE_TYPES: Readonly<Record<string, string>> = {
  string: 'string',
  int: 'number',
  double: 'number',
  boolean: 'boolean',
};
const CHOICES: Readonly<Record<string, readonly string[]>> = {
  span_kind: ['client', 'server', 'producer', 'consumer', 'internal'],
  instrument: ['counter', 'gauge', 'histogram', 'updowncounter'],
};
/** The fields of each type of group beside id, type, brief, note, stability and attributes. */
const GROUP_FIELDS: Readonly<
  Record<string, { readonly required: readonly string[]; readonly optional: readonly string[] }>
> = {
  attribute_group: { required: [], optional: ['display_name'] },
  span: { required: ['span_kind'], optional: ['display_name'] },
  event: { required: ['name'], optional: [] },
  metric: { required: ['metric_name', 'instrument', 'unit'], optional: [] },
};
const NAMED_BY: Readonly<Record<string, string>> = { event: 'name', metric: 'metric_name' };

/** All that is wrong with the groups of a registry; `standard` are the names that the semantic conventions have. */
export function registryProblems(groups: readonly unknown[], standard: ReadonlySet<string>): string[] {
  const problems: string[] = [];
  const fields = groups.filter(isFields);
  if (fields.length < groups.length) problems.push('a group is not a mapping');
  const own = fields.flatMap(attributesOf).flatMap(({ id }) => (typeof id === 'string' ? [id] : []));
  const known = new Set([...own, ...standard]);
  for (const group of fields) {
    const say: Say = (problem) => problems.push(`${String(group['id'])}: ${problem}`);
    checkGroup(group, say);
    for (const attribute of attributesOf(group)) checkAttribute(attribute, String(group['id']), known, say);
    for (const ref of repeated(attributesOf(group).map((one) => one['ref']))) say(`refers to ${ref} twice`);
  }
  for (const field of ['id', 'name', 'metric_name', 'display_name'])
    for (const name of repeated(fields.map((group) => group[field])))
      problems.push(`two groups have the ${field} ${name}`);
  return [...problems, ...wrongNames(own, standard)];
}

/** What is wrong with the manifest; `conventions` is the release of the semantic conventions that the code uses. */
export function manifestProblems(manifest: unknown, conventions: string): string[] {
  if (!isFields(manifest)) return ['the manifest is not a mapping'];
  const problems = unknownFields(manifest, ['schema_url', 'description', 'stability', 'dependencies']);
  const { dependencies, stability, schema_url: url } = manifest;
  if (!STABILITIES.includes(String(stability))) problems.push(`stability is ${String(stability)}`);
  const all = Array.isArray(dependencies) ? dependencies.filter(isFields) : [];
  for (const one of [url, ...all.map((dependency) => dependency['schema_url'])])
    if (!SCHEMA_URL.test(String(one))) problems.push(`${String(one)} is not http(s)://HOST/PATH/VERSION`);
  for (const one of all) {
    problems.push(...unknownFields(one, ['schema_url', 'registry_path']));
    const at = [
      String(one['schema_url']).endsWith(`/${conventions}`),
      String(one['registry_path']).includes(`@v${conventions}[`),
    ];
    if (at.includes(false))
      problems.push(`${String(one['schema_url'])} is not the release that the code uses, ${conventions}`);
  }
  if (all.length !== 1) problems.push('the semantic conventions are the one dependency');
  return problems;
}

function checkGroup(group: Fields, say: Say): void {
  const type = String(group['type']);
  const allowed = GROUP_FIELDS[type];
  if (allowed === undefined) return say(`type is ${type}`);
  const common = ['id', 'type', 'brief', 'note', 'stability', 'attributes'];
  for (const problem of unknownFields(group, [...common, ...allowed.required, ...allowed.optional])) say(problem);
  for (const field of ['id', 'brief', ...allowed.required])
    if (typeof group[field] !== 'string' || group[field] === '') say(`${field} is missing`);
  for (const [field, values] of Object.entries(CHOICES))
    if (allowed.required.includes(field) && !values.includes(String(group[field])))
      say(`${field} is ${String(group[field])}`);
  checkStability(group, type === 'attribute_group', say);
  const named = NAMED_BY[type];
  if (named !== undefined && group['id'] !== `${type}.${String(group[named])}`)
    say(`its id is not ${type}.${String(group[named])}`);
  if ('attributes' in group && !Array.isArray(group['attributes'])) say('attributes are not a list');
  if ((type === 'span' || type === 'attribute_group') && attributesOf(group).length === 0) say('it has no attributes');
}

function checkAttribute(attribute: Fields, group: string, known: ReadonlySet<string>, say: Say): void {
  const { id, ref } = attribute;
  const isDefined = group.startsWith('registry.');
  if (isDefined !== (id !== undefined) || isDefined === (ref !== undefined))
    return say(
      isDefined
        ? 'a registry defines attributes and refers to none'
        : 'attributes are defined in a registry group only',
    );
  const name = String(id ?? ref);
  const complain: Say = (problem) => say(`${name}: ${problem}`);
  const fields = isDefined ? ['id', 'type', 'stability', 'examples'] : ['ref'];
  for (const problem of unknownFields(attribute, [...fields, 'brief', 'note', 'requirement_level'])) complain(problem);
  if (!isLevel(attribute['requirement_level']))
    complain(`requirement_level is ${JSON.stringify(attribute['requirement_level'])}`);
  if (!isDefined) return known.has(name) ? undefined : complain('it is not defined');
  if (typeof attribute['brief'] !== 'string' || attribute['brief'] === '') complain('brief is missing');
  checkStability(attribute, false, complain);
  checkExamples(attribute, complain);
}

function checkExamples({ type, examples }: Fields, complain: Say): void {
  const expected = EXAMPLE_TYPES[String(type)];
  if (expected === undefined) return complain(`type is ${JSON.stringify(type)}`);
  if (examples === undefined) return type === 'string' ? complain('a string has examples') : undefined;
  const list: readonly unknown[] = Array.isArray(examples) ? examples : [examples];
  if (list.length === 0 || list.some((one) => typeof one !== expected || (type === 'int' && !Number.isInteger(one))))
    complain(`examples are not of type ${String(type)}`);
}

function checkStability({ stability }: Fields, isOptional: boolean, say: Say): void {
  if (isOptional && stability === undefined) return;
  if (!STABILITIES.includes(String(stability))) say(`stability is ${String(stability)}`);
}

/** Absent is `recommended`. */
function isLevel(level: unknown): boolean {
  if (level === undefined || ['required', 'recommended', 'opt_in'].includes(level as string)) return true;
  if (!isFields(level)) return false;
  const [[kind, text] = [], ...more] = Object.entries(level);
  return (
    more.length === 0 &&
    ['conditionally_required', 'recommended', 'opt_in'].includes(kind ?? '') &&
    typeof text === 'string'
  );
}

/** Names of our own attributes that another one has, in the registry or in the semantic conventions. */
function wrongNames(own: readonly string[], standard: ReadonlySet<string>): string[] {
  const spelled = (name: string): string => name.replaceAll('.', '_');
  const all = [...new Set([...own, ...standard])];
  return [
    ...repeated(own).map((id) => `${id} is defined twice`),
    ...own.flatMap((id) => [
      ...(NAME.test(id) ? [] : [`${id} is not lower case words with dots between`]),
      ...(standard.has(id) ? [`${id} is one of the semantic conventions`] : []),
      ...own.filter((other) => other.startsWith(`${id}.`)).map((other) => `${id} is the namespace of ${other}`),
      ...all
        .filter((other) => other !== id && spelled(other) === spelled(id))
        .map((other) => `${id} and ${other} are one name on /metrics`),
    ]),
  ];
}

function attributesOf(group: Fields): readonly Fields[] {
  return Array.isArray(group['attributes']) ? group['attributes'].filter(isFields) : [];
}

function unknownFields(of: Fields, known: readonly string[]): string[] {
  return Object.keys(of)
    .filter((field) => !known.includes(field))
    .map((field) => `${field} is not a field`);
}

function repeated(values: readonly unknown[]): string[] {
  const strings = values.filter((value) => typeof value === 'string');
  return [...new Set(strings.filter((value, index) => strings.indexOf(value) !== index))];
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
