import { existsSync, readFileSync } from 'node:fs';

import type { Config } from '../config/schema.ts';
import { errorText } from '../lib/errors.ts';
import { SINKS } from '../sinks/index.ts';
import { madeTokenFile } from '../web/made-token.ts';
import type { Probe, ProbeResult } from './probe.ts';

/** Every file that the configuration names in a `…File` key; those of destinations are read with their destination. */
export function fileProbes(config: Config): Probe[] {
  const sections = Object.entries(config).filter(([name]) => !Object.hasOwn(SINKS, name));
  return sections
    .flatMap(([name, section]) => namedFiles(name, section))
    .map(({ key, file }) => ({ name: key, run: () => Promise.resolve(tryFile(file)) }));
}

/** The token that the bridge makes for its page: nothing to mount, and how to see it. */
export function pageTokenProbes(config: Config): Probe[] {
  const file = madeTokenFile(config);
  if (file === undefined) return [];
  const made = existsSync(file);
  const detail = made ? `${file}; lifecycle-bridge page-token prints it` : 'the bridge makes it at its first start';
  return [
    { name: 'page token', run: () => Promise.resolve(made ? { ...tryFile(file), detail } : { ok: true, detail }) },
  ];
}

function namedFiles(path: string, value: unknown): { key: string; file: string }[] {
  if (typeof value === 'string') return path.endsWith('File') ? [{ key: path, file: value }] : [];
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([name, inner]) => namedFiles(`${path}.${name}`, inner));
}

/** Never reports the content, not even its length. */
function tryFile(file: string): ProbeResult {
  try {
    if (readFileSync(file, 'utf8').trim() !== '') return { ok: true, detail: `${file} can be read` };
    return { ok: false, detail: `${file} is empty`, next: 'Put the secret into it, or correct the path.' };
  } catch (error) {
    const next = 'Mount the Secret that holds it, let this user read it, or correct the path.';
    return { ok: false, detail: `cannot be read: ${errorText(error)}`, next };
  }
}
