/** Writes the table of an account's settings in docs/cronitor.md from the bridge's own schema. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isTree, type Tree } from '../bridge/config/tree.ts';
import { cronitorSchema } from './chart/json-schema.ts';
import { between } from './chart/readme.ts';
import { emit } from './gen-write.ts';

/** One row for each setting; a mapping's text stands at its first row. */
function rows(name: string, schema: Tree, inherited = ''): string[] {
  const { properties, description = inherited, default: standard } = schema;
  const below = isTree(properties) ? Object.entries(properties) : [];
  if (below.length > 0)
    return below.flatMap(([key, inner], index) =>
      rows(`${name}.${key}`, inner as Tree, index === 0 ? String(description) : ''),
    );
  const values = Array.isArray(schema['enum']) ? ` (${schema['enum'].join(', ')})` : '';
  return [
    `| \`${name}\` | ${standard === undefined ? '' : `\`${JSON.stringify(standard)}\``} | ${String(description)}${values} |`,
  ];
}

const file = join(import.meta.dirname, '../docs/cronitor.md');
const settings = Object.entries(cronitorSchema().properties).flatMap(([name, schema]) => rows(name, schema as Tree));
const key = '| `existingSecret`, `key` | | The Secret with the API key; in bridge.yaml `apiKeyFile` or `apiKey` |';
const table = ['| Setting | Default | Meaning |', '|---|---|---|', key, ...settings].join('\n');
emit(file, between(readFileSync(file, 'utf8'), 'settings', table));
