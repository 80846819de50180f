/** Writes the tables of docs/configuration.md from the schema of the configuration: a section for each key at its top. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { configSchema } from '../bridge/config/schema.ts';
import { isTree } from '../bridge/config/tree.ts';
import type { Tree } from '../bridge/config/tree.ts';
import { between } from './chart/readme.ts';
import { emit } from './gen-write.ts';

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '\\<');

/** One row for each value that can be set; a list or a mapping by free keys is one value. */
function rows(path: string, schema: Tree, required: boolean): string[] {
  const below = schema['properties'];
  if (!isTree(below)) return [row(path, schema, required)];
  const needed = (schema['required'] ?? []) as readonly string[];
  return Object.entries(below).flatMap(([key, inner]) => rows(`${path}.${key}`, inner as Tree, needed.includes(key)));
}

function row(path: string, schema: Tree, required: boolean): string {
  const { default: standard, description, secret } = schema;
  if (typeof description !== 'string') throw new Error(`${path} has no text: give it one with .describe()`);
  const shown = standard === undefined ? (required ? 'required' : '') : code(standard);
  const text = `${cell(description)}${secret === true ? ' (a secret: prefer a file)' : ''}`;
  return `| \`${path}\` | ${shown} | ${text} | ${cell(allowed(schema))} |`;
}

const code = (value: unknown): string => `\`${cell(typeof value === 'string' ? value : JSON.stringify(value))}\``;

/** What an error would say is allowed. */
function allowed({ allowed: said, enum: options, type, format, items, additionalProperties }: Tree): string {
  if (typeof said === 'string') return said === 'text that is not empty' ? 'text' : said;
  if (Array.isArray(options)) return options.map(code).join(', ');
  if (type === 'array' && isTree(items)) return `a list${items['type'] === 'object' ? '' : `: ${allowed(items)}`}`;
  if (type === 'object' || isTree(additionalProperties)) return 'a mapping';
  if (type === 'boolean') return '`true`, `false`';
  if (format === 'uri') return 'a URL';
  return type === 'string' ? 'text' : String(type);
}

function section(key: string, schema: Tree): string {
  const each = schema['additionalProperties'];
  const byName = isTree(each) && isTree(each['properties']);
  const table = byName ? rows(`${key}.NAME`, each, false) : rows(key, schema, false);
  const { description } = schema;
  const intro = isTree(schema['properties']) || byName ? description : undefined;
  return [
    `## ${key}`,
    '',
    ...(typeof intro === 'string' ? [`${intro}.`, ''] : []),
    '| Setting | Default | Meaning | Allowed |',
    '|---|---|---|---|',
    ...table,
  ].join('\n');
}

const file = join(import.meta.dirname, '../docs/configuration.md');
const whole = z.toJSONSchema(configSchema, { io: 'input', target: 'draft-7', unrepresentable: 'any' });
const sections = Object.entries(whole.properties ?? {}).map(([key, schema]) => section(key, schema as Tree));
emit(file, between(readFileSync(file, 'utf8'), 'settings', sections.join('\n\n')));
