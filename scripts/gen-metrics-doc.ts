/** Writes the table of metrics in docs/operations.md from the names that the bridge declares. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { labelName, METRICS, seriesName } from '../bridge/telemetry/names.ts';
import { between } from './chart/readme.ts';
import { emit } from './gen-write.ts';

const file = join(import.meta.dirname, '../docs/operations.md');
const rows = Object.values(METRICS).map((definition) => {
  const labels = definition.attributes.map((label) => `\`${labelName(label)}\``).join(', ');
  return `| \`${seriesName(definition)}\` | ${definition.type} | ${labels} | ${definition.description} |`;
});
const table = ['| Metric | Type | Labels | What it says |', '|---|---|---|---|', ...rows].join('\n');
emit(file, between(readFileSync(file, 'utf8'), 'metrics', table));
