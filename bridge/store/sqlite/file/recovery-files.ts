import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Instant } from '../../../lib/clock.ts';
import { iso } from '../../../lib/clock.ts';
import { replaceFile, syncFolder } from '../../../lib/durable-files.ts';
import type { Retired } from '../../operations.ts';

/**
 * The small files beside a store, for the day on which it is lost: `.keys.json` with what must not change, and
 * `.last-commit`. Two files, because the first may be large and changes rarely. `.suspect` says that the store was found
 * corrupted while it was in use.
 */
export interface Keys {
  readonly clusterId: string | undefined;
  readonly cutoffs: Readonly<Record<string, Instant>>;
  /** destination, kind, namespace, name, key */
  readonly stickyKeys: readonly (readonly [string, string, string, string, string])[];
  /** Since when the bridge is retired, null when it is not; undefined in a file that does not say. */
  readonly retired: Retired | null | undefined;
}

export interface RecoveryFiles {
  readonly keys: Keys | undefined;
  readonly lastCommit: Instant | undefined;
}

/** Copies of corrupted stores that are kept. */
const KEPT_ASIDE = 3;

export function writeKeys(path: string, keys: Keys): void {
  replaceFile(`${path}.keys.json`, JSON.stringify(keys));
}

export function writeLastCommit(path: string, at: Instant): void {
  replaceFile(`${path}.last-commit`, `${at}\n`);
}

/** What is left of the files; one that is missing or broken is as if it never was. */
export function readRecoveryFiles(path: string): RecoveryFiles {
  const at = Number(readText(`${path}.last-commit`)?.trim() || Number.NaN);
  return { keys: parseKeys(readText(`${path}.keys.json`)), lastCommit: Number.isSafeInteger(at) ? at : undefined };
}

/** Remembers over the next start that the store is not to be used. Without room the start checks it by itself. */
export function markSuspect(path: string, why: string): void {
  try {
    replaceFile(`${path}.suspect`, why);
  } catch {
    // The check at the start is the second line.
  }
}

export function readSuspect(path: string): string | undefined {
  return readText(`${path}.suspect`);
}

export function clearSuspect(path: string): void {
  rmSync(`${path}.suspect`, { force: true });
}

/**
 * Moves a store that is not open to `<path>.<label>-<time>`, with its write-ahead log, and returns the new path.
 * Of earlier ones with this label the newest are kept.
 */
export function moveAside(path: string, label: string, now: Instant): string {
  const prefix = `${path}.${label}-`;
  const target = `${prefix}${iso(now).replaceAll(/[:.]/g, '-')}`;
  for (const suffix of ['', '-wal']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, target + suffix);
  }
  rmSync(`${path}-shm`, { force: true });
  syncFolder(dirname(path));
  const names = readdirSync(dirname(path)).filter(
    (name) => name.startsWith(basename(prefix)) && !name.endsWith('-wal'),
  );
  for (const name of names.toSorted().slice(0, -KEPT_ASIDE)) {
    for (const suffix of ['', '-wal']) rmSync(join(dirname(path), name + suffix), { force: true });
  }
  return target;
}

function readText(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

function parseKeys(text: string | undefined): Keys | undefined {
  try {
    const keys = text === undefined ? undefined : (JSON.parse(text) as Partial<Keys> | null);
    if (typeof keys?.cutoffs !== 'object' || !Array.isArray(keys.stickyKeys)) return undefined;
    const { clusterId, cutoffs, stickyKeys, retired } = keys;
    return { clusterId, cutoffs, stickyKeys, retired };
  } catch {
    return undefined;
  }
}
