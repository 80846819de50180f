import { readFileSync } from 'node:fs';

import { stringify } from 'yaml';
import type { z } from 'zod';

import { formatDuration } from '../lib/duration.ts';
import { markOf } from '../lib/schema-meta.ts';
import { isSecretName } from '../lib/secret-names.ts';
import { isSecret, withoutCredentials } from './config-errors.ts';
import { type Config, configSchema } from './schema.ts';
import { child, unwrap } from './schema-walk.ts';

/** The effective configuration as YAML that can be read back, with `<redacted>` in place of every secret. */
export function printConfig(config: Config): string {
  return stringify(redacted(config, configSchema, ''));
}

function redacted(value: unknown, schema: z.core.$ZodType | undefined, key: string): unknown {
  if (value === undefined) return undefined;
  if (schema !== undefined && isSecret(schema, key)) return '<redacted>';
  if (typeof value === 'number' && schema !== undefined && markOf(unwrap(schema)).duration)
    return formatDuration(value);
  if (typeof value === 'string') return withoutCredentials(value);
  if (Array.isArray(value)) return value.map((item) => redacted(item, undefined, ''));
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).map(
    ([name, inner]) => [name, redacted(inner, schema && child(schema, name), name)] as const,
  );
  return Object.fromEntries(entries);
}

/** Every secret of the configuration, inline or from a readable `…File`, for the redaction of logs. */
export function configSecrets(config: Config): string[] {
  const secrets = new Set<string>();
  collect(config, configSchema, '', secrets);
  return [...secrets].filter((secret) => secret !== '');
}

function collect(value: unknown, schema: z.core.$ZodType | undefined, key: string, into: Set<string>): void {
  if (typeof value === 'string') {
    if (schema !== undefined && isSecret(schema, key)) into.add(value);
    else if (key.endsWith('File') && isSecretName(key.slice(0, -4)))
      for (const line of fileText(value).split('\n')) into.add(line.trim());
    const password = /:\/\/[^/@\s:]*:([^/@\s]+)@/.exec(value)?.[1];
    if (password !== undefined) into.add(password);
    return;
  }
  if (value === null || typeof value !== 'object') return;
  for (const [name, inner] of Object.entries(value)) collect(inner, schema && child(schema, name), name, into);
}

/** An unreadable file has no secret to hide; whoever needs it says so. */
function fileText(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}
