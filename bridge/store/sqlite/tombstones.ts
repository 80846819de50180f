import type { Instant } from '../../lib/clock.ts';
import type { Reason } from '../../lib/reasons.ts';
import type { RefusedCount } from '../read.ts';
import type { Grave, Refused } from '../graves.ts';
import type { Db } from './db.ts';

/** Kept for so long whatever the size of the store. */
const KEPT_MS = 30 * 86_400_000;
const EXPIRED_PER_STEP = 100;
const MAX_REFUSED = 1000;
/** Of a run with very many transitions the first are told. */
const MAX_ANNOUNCED = 100;

const HORIZON = 'forgotten_up_to';
const REFUSED = 'refused/';
const COUNT_REFUSED = 'INSERT INTO meta VALUES (?, 1) ON CONFLICT (key) DO UPDATE SET value = value + 1';

const PUT = `INSERT OR IGNORE INTO tombstones
    (uid, kind, namespace, name, run_key, created_at, pruned_at, announced)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, (
    SELECT json_group_array(json_object('transition', id, 'destination', destination, 'status', status, 'reason', reason,
      'at', settled_at)) FROM (
        SELECT transitions.id, destination, status, reason, settled_at
        FROM transitions JOIN intents ON intents.transition_id = transitions.id
        WHERE run_uid = ?1 OR (transitions.id > ?1 || '/' AND transitions.id < ?1 || '0')
        ORDER BY intents.seq LIMIT ${MAX_ANNOUNCED})))`;

/** With the real UID of a run that had been inferred. */
const FORGET_KEY = "DELETE FROM run_keys WHERE (run_key = ?1 AND uid = ?2) OR run_key = ?1 || '/real'";

/** What is remembered of pruned objects, so that a late record tells nothing twice. The caller holds the transaction. */
export class Tombstones {
  readonly #db: Db;
  #horizon: Instant;

  constructor(db: Db) {
    this.#db = db;
    this.#horizon = db.get<{ value: number }>('SELECT value FROM meta WHERE key = ?', HORIZON)?.value ?? -Infinity;
  }

  has(uid: string): boolean {
    return this.#db.get('SELECT 1 FROM tombstones WHERE uid = ?', uid) !== undefined;
  }

  /** The newest creation time of what was forgotten for good: of what is older nobody knows whether it was told. */
  forgottenUpTo(): Instant {
    return this.#horizon;
  }

  put({ uid, kind, namespace, name, runKey, createdAt }: Grave, now: Instant): void {
    this.#db.run(PUT, uid, kind, namespace, name, runKey ?? null, createdAt ?? null, now);
  }

  /** Forgets, a few at a time and the first pruned first. A run's key is held until then. */
  expire(now: Instant): void {
    const rows = this.#db.all<{ id: number; uid: string; run_key: string | null; created_at: number | null }>(
      `SELECT id, uid, run_key, created_at FROM tombstones WHERE id <= (SELECT min(id) FROM tombstones) + ?
         AND pruned_at <= ?`,
      EXPIRED_PER_STEP,
      now - KEPT_MS,
    );
    if (rows.length === 0) return;
    for (const { id, uid, run_key: runKey } of rows) {
      if (runKey !== null) this.#db.run(FORGET_KEY, runKey, uid);
      this.#db.run('DELETE FROM tombstones WHERE id = ?', id);
    }
    const horizon = Math.max(this.#horizon, ...rows.map((row) => row.created_at ?? -Infinity));
    if (horizon === this.#horizon) return;
    this.#db.run('INSERT OR REPLACE INTO meta VALUES (?, ?)', HORIZON, horizon);
    this.#horizon = horizon;
  }

  /** One row per object, the newest kept. */
  refuse({ uid, kind, namespace, name, reason, at }: Refused): void {
    this.#db.run(
      `INSERT INTO refused (uid, kind, namespace, name, reason, at, count) VALUES (?, ?, ?, ?, ?, ?, 1)
       ON CONFLICT (uid) DO UPDATE SET at = excluded.at, count = count + 1`,
      uid,
      kind,
      namespace,
      name,
      reason,
      at,
    );
    this.#db.run(COUNT_REFUSED, `${REFUSED}${reason}`);
    this.#db.run('DELETE FROM refused WHERE id <= (SELECT max(id) FROM refused) - ?', MAX_REFUSED);
  }
}

/** Records that were refused since the store was made; the rows of `refused` are bounded. */
export function countRefused(db: Db): RefusedCount[] {
  return db
    .all<{ key: string; value: number }>(`SELECT key, value FROM meta WHERE key BETWEEN '${REFUSED}' AND '${REFUSED}~'`)
    .map(({ key, value }) => ({ reason: key.slice(REFUSED.length) as Reason, count: value }));
}
