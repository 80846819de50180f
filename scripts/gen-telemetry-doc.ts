/** Writes the tables of spans, events and attributes in docs/traces.md from bridge/telemetry/registry/. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { between } from './chart/readme.ts';
import { emit } from './gen-write.ts';

interface Attribute {
  readonly id?: string;
  readonly ref?: string;
  readonly type?: string;
  readonly brief?: string;
  readonly requirement_level?: string;
}
interface Group {
  readonly type: string;
  readonly brief: string;
  readonly name?: string;
  readonly display_name?: string;
  readonly attributes: readonly Attribute[] | null;
}

const root = join(import.meta.dirname, '..');
const groupsOf = (file: string): readonly Group[] => {
  const text = readFileSync(join(root, `bridge/telemetry/registry/${file}.yaml`), 'utf8');
  return (parse(text) as { groups: Group[] }).groups;
};

/** The attributes of Kubernetes objects are in every event: they are named once, in the text. */
const isOfObject = ({ ref = '' }: Attribute): boolean =>
  /^k8s\.\w+\.(name|uid)$/.test(ref) && !ref.includes('container');
const attributesOf = ({ attributes }: Group, but: (one: Attribute) => boolean): string =>
  (attributes ?? [])
    .filter((one) => !but(one))
    .map(({ ref, requirement_level }) => `\`${ref}\`${requirement_level === 'required' ? ' (always)' : ''}`)
    .join(', ');

const spans = groupsOf('spans').map(
  (group) => `| \`${group.display_name}\` | ${group.brief} | ${attributesOf(group, () => false)} |`,
);
const events = groupsOf('events').map(
  (group) => `| \`${group.name}\` | ${group.brief} | ${attributesOf(group, isOfObject)} |`,
);
/** Labels of metrics stand in docs/operations.md. */
const own = groupsOf('attributes').flatMap(({ attributes }) =>
  (attributes ?? [])
    .filter(({ id = '' }) => id.startsWith('lifecycle_bridge.'))
    .map(({ id, type, brief }) => `| \`${id}\` | ${type} | ${brief} |`),
);
const text = [
  '| Span | What it is | Attributes |\n|---|---|---|',
  ...spans,
  '\n| Log event | What it says | Attributes beside those of its object (`k8s.*.name`, `k8s.*.uid`) |\n|---|---|---|',
  ...events,
  '\n| Attribute | Type | What it says |\n|---|---|---|',
  ...own,
].join('\n');
const file = join(root, 'docs/traces.md');
emit(file, between(readFileSync(file, 'utf8'), 'registry', text));
