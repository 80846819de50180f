import type { Instant } from '../../../lib/clock.ts';
import type { Db } from '../db/db.ts';

const DAY_MS = 86_400_000;
/** How long a sticky key is kept after the last object that used it. */
const KEPT_MS = 180 * DAY_MS;
const PER_STEP = 1000;

interface Key {
  readonly destination: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly used: number;
  readonly since: number | null;
}

const KEYS = `SELECT destination, kind, namespace, name, since, EXISTS (SELECT 1 FROM claims
    WHERE claims.destination = sticky_keys.destination AND claims.key = sticky_keys.key) AS used
  FROM sticky_keys LEFT JOIN unused_keys USING (destination, kind, namespace, name)
  WHERE (destination, kind, namespace, name) > (?, ?, ?, ?) ORDER BY destination, kind, namespace, name LIMIT ${PER_STEP}`;

const OF_KEY = 'WHERE destination = ? AND kind = ? AND namespace = ? AND name = ?';

/** Forgets sticky keys that no object has used for long. It walks them once a day, a few per step. */
export class UnusedKeys {
  readonly #db: Db;
  readonly #onKeys: () => void;
  #after: readonly [string, string, string, string] | undefined;
  #lastPass: Instant = -Infinity;

  constructor(db: Db, onKeys: () => void) {
    this.#db = db;
    this.#onKeys = onKeys;
  }

  step(now: Instant): void {
    if (this.#after === undefined && Math.abs(now - this.#lastPass) < DAY_MS) return;
    const rows = this.#db.all<Key>(KEYS, ...(this.#after ?? ['', '', '', '']));
    for (const row of rows) this.#visit(row, now);
    const last = rows.at(-1);
    if (last !== undefined && rows.length === PER_STEP) this.#after = idOf(last);
    else {
      this.#after = undefined;
      this.#lastPass = now;
    }
  }

  #visit(key: Key, now: Instant): void {
    const { used, since } = key;
    const of = idOf(key);
    if (used === 1) {
      if (since !== null) this.#db.run(`DELETE FROM unused_keys ${OF_KEY}`, ...of);
    } else if (since === null) {
      this.#db.run(
        'INSERT INTO unused_keys (destination, kind, namespace, name, since) VALUES (?, ?, ?, ?, ?)',
        ...of,
        now,
      );
    } else if (since <= now - KEPT_MS) {
      this.#db.run(`DELETE FROM sticky_keys ${OF_KEY}`, ...of);
      this.#db.run(`DELETE FROM unused_keys ${OF_KEY}`, ...of);
      this.#onKeys();
    }
  }
}

function idOf({ destination, kind, namespace, name }: Key): readonly [string, string, string, string] {
  return [destination, kind, namespace, name];
}
