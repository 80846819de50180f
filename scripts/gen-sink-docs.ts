/** Writes the table of a destination's settings into the page of each sink, from the bridge's own schema. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isTree, type Tree } from '../bridge/config/tree.ts';
import { destinationSchema } from './chart/json-schema.ts';
import { SINKS } from '../bridge/sinks/index.ts';
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

for (const [sink, { doc }] of Object.entries(SINKS)) {
  const { properties, secrets } = destinationSchema(sink);
  const settings = Object.entries(properties).flatMap(([name, schema]) => rows(name, schema as Tree));
  const keys = secrets.map(
    (name) =>
      `| \`existingSecret\`, \`key\` | | The Secret with its \`${name}\`; in bridge.yaml \`${name}File\` or \`${name}\` |`,
  );
  const table = ['| Setting | Default | Meaning |', '|---|---|---|', ...keys, ...settings].join('\n');
  const file = join(import.meta.dirname, '..', doc);
  emit(file, between(readFileSync(file, 'utf8'), 'settings', table));
}
