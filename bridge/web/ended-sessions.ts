import { readFileSync } from 'node:fs';

import type { Instant } from '../lib/clock.ts';
import { replaceFile } from '../lib/durable-files.ts';

/** Each of them was begun with the token; beyond this the oldest are forgotten. */
const MAX = 1000;

/**
 * Sessions that were logged out before their time, by their ids, in a file beside the store: a session is a signed
 * cookie that the bridge does not keep, so that it lasts over restarts, and a logout must last as long.
 */
export class EndedSessions {
  readonly #file: string;
  #expiresAt: Map<string, Instant>;

  constructor(file: string) {
    this.#file = file;
    this.#expiresAt = new Map(read(file));
  }

  has(id: string): boolean {
    return this.#expiresAt.has(id);
  }

  /** Ended at once. Throws when that cannot be written: then it lasts until the next start. */
  end(id: string, expiresAt: Instant, now: Instant): void {
    const others = [...this.#expiresAt].filter(([known, until]) => known !== id && until > now);
    this.#expiresAt = new Map([...others.slice(1 - MAX), [id, expiresAt]]);
    replaceFile(this.#file, JSON.stringify([...this.#expiresAt]));
  }
}

/** Nothing of a file that is missing or broken. */
function read(file: string): [string, Instant][] {
  try {
    const rows: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return Array.isArray(rows) ? rows.filter(isRow) : [];
  } catch {
    return [];
  }
}

function isRow(row: unknown): row is [string, Instant] {
  return Array.isArray(row) && typeof row[0] === 'string' && typeof row[1] === 'number';
}
