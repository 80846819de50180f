import type { Kind } from '../../../kubernetes/observation.ts';
import type { Instant } from '../../../lib/clock.ts';
import type { Reason } from '../../../lib/reasons.ts';
import type { RefusedCount } from '../../read.ts';
import type { Refused, Tombstone, TombstonesTx } from '../../tombstones.ts';
import type { RetentionLimits } from '../../store.ts';
import type { Db } from '../db/db.ts';
import { transitionsOfObject } from './prune.ts';

const KEPT_MS = 30 * 86_400_000;
/** What tombstones may take of a store's `maxBytes`: all of them, and what was sent of the newest. */
const SHARE = 4;
const SENT_SHARE = 32;
/** Bytes in the file, as measured: one with its run key, and what was sent of a run with two deliveries. */
const TOMBSTONE_BYTES = 300;
const SENT_BYTES = 350;
const PER_STEP = 200;
const MAX_REFUSED = 1000;
/** How many deliveries of a run are remembered; the first ones. */
const MAX_ANNOUNCED = 20;

const HORIZON = 'forgotten_up_to';
const REFUSED = 'refused/';
const COUNT_REFUSED = 'INSERT INTO meta (key, value) VALUES (?, 1) ON CONFLICT (key) DO UPDATE SET value = value + 1';

const put = (kind: Kind): string => `INSERT OR IGNORE INTO tombstones
    (uid, kind, namespace, name, run_key, created_at, pruned_at, announced)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, (
    SELECT json_group_array(json_object('transition', id, 'destination', destination, 'status', status, 'reason', reason,
      'at', settled_at)) FROM (
        SELECT transitions.id, destination, status, reason, settled_at
        FROM transitions JOIN intents ON intents.transition_id = transitions.id
        WHERE ${transitionsOfObject(kind)}
        ORDER BY intents.seq LIMIT ${MAX_ANNOUNCED})))`;

/** The oldest are a range of ids: they are made and forgotten in that order. */
const OLDEST = `SELECT id, uid, run_key, min(created_at, pruned_at) AS created_at FROM tombstones
  WHERE id <= (SELECT min(id) FROM tombstones) + ${PER_STEP}
    AND (pruned_at <= ?1 OR id <= (SELECT max(id) FROM tombstones) - ?2)`;

const WITH_SENT = `SELECT id, announced <> '[]' AS sent, pruned_at <= ?2 OR id <= (SELECT max(id) FROM tombstones) - ?3 AS over
  FROM tombstones WHERE id > ?1 ORDER BY id LIMIT ${PER_STEP}`;

/** With the real UID of a run that had been inferred. */
const FORGET_KEY = `DELETE FROM run_keys WHERE (run_key = ?1 AND uid = ?2) OR run_key = ?1 || '/real'
  OR run_key = 'real/' || (SELECT uid FROM run_keys WHERE run_key = ?1 || '/real')`;

/** What is remembered of pruned objects, so that a late record reports nothing twice. The caller holds the transaction. */
export class Tombstones implements TombstonesTx {
  readonly #db: Db;
  #horizon: Instant;
  /** Up to this one nothing of what was sent is left. */
  #bareUpTo = 0;

  constructor(db: Db) {
    this.#db = db;
    this.#horizon = db.get<{ value: number }>('SELECT value FROM meta WHERE key = ?', HORIZON)?.value ?? -Infinity;
  }

  has(uid: string): boolean {
    return this.#db.get('SELECT 1 FROM tombstones WHERE uid = ?', uid) !== undefined;
  }

  hasJob(uid: string): boolean {
    return this.#db.get("SELECT 1 FROM tombstones WHERE uid = ? AND kind = 'Job'", uid) !== undefined;
  }

  /** The newest creation time of what was forgotten for good: of what is older it is not known whether it was reported. */
  forgottenUpTo(): Instant {
    return this.#horizon;
  }

  put({ uid, kind, namespace, name, runKey, createdAt }: Tombstone, now: Instant): void {
    this.#db.run(put(kind), uid, kind, namespace, name, runKey ?? null, createdAt ?? null, now);
  }

  /**
   * Forgets what is too old or too much, a few at a time and the first pruned first. A run's key is held until then; what
   * was sent is kept for the age of the retention.
   */
  expire(now: Instant, { age, maxBytes }: RetentionLimits): void {
    this.#forgetSent(now - age, maxBytes / SENT_SHARE / SENT_BYTES);
    const most = Math.floor(maxBytes / SHARE / TOMBSTONE_BYTES);
    const rows = this.#db.all<{ id: number; uid: string; run_key: string | null; created_at: number | null }>(
      OLDEST,
      now - KEPT_MS,
      most,
    );
    if (rows.length === 0) return;
    for (const { id, uid, run_key: runKey } of rows) {
      if (runKey !== null) this.#db.run(FORGET_KEY, runKey, uid);
      this.#db.run('DELETE FROM tombstones WHERE id = ?', id);
    }
    const horizon = Math.max(this.#horizon, ...rows.map((row) => row.created_at ?? -Infinity));
    if (horizon === this.#horizon) return;
    this.#db.run('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)', HORIZON, horizon);
    this.#horizon = horizon;
  }

  #forgetSent(before: Instant, most: number): void {
    const rows = this.#db.all<{ id: number; sent: number; over: number }>(
      WITH_SENT,
      this.#bareUpTo,
      before,
      Math.floor(most),
    );
    const end = rows.findIndex(({ over }) => over === 0);
    for (const { id, sent } of end === -1 ? rows : rows.slice(0, end)) {
      if (sent === 1) this.#db.run("UPDATE tombstones SET announced = '[]' WHERE id = ?", id);
      this.#bareUpTo = id;
    }
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
