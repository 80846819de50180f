import type { Kind } from '../../../kubernetes/observation.ts';
import { UNKNOWN_VERSION } from '../../../kubernetes/version.ts';
import type { Instant } from '../../../lib/clock.ts';
import type { LiveObject, StoredVersion, Tx } from '../../store.ts';
import type { Db } from '../db/db.ts';

/** What the audit reads and writes; states are never parsed here. The caller holds the transaction. */

export function storedVersion(db: Db, uid: string): StoredVersion | undefined {
  const row = db.get<{ version: string; deleted: number; facts_schema: number }>(
    'SELECT version, deleted, facts_schema FROM objects WHERE uid = ?',
    uid,
  );
  return row && { version: row.version, deleted: row.deleted === 1, factsSchema: row.facts_schema };
}

const LIVE = 'SELECT rowid AS row, uid, namespace, version FROM objects';

/** Live objects of a kind, of one namespace or of all, in the order of their rows after `after`. */
export function liveObjects(db: Db, kind: Kind, after: number, limit: number, namespace?: string): LiveObject[] {
  if (namespace === undefined) {
    const inAll = `${LIVE} INDEXED BY objects_live WHERE kind = ? AND deleted = 0 AND rowid > ? ORDER BY rowid LIMIT ?`;
    return db.all<LiveObject>(inAll, kind, after, limit);
  }
  const inOne = `${LIVE} INDEXED BY objects_live_namespace WHERE kind = ? AND namespace = ? AND deleted = 0 AND rowid > ?
    ORDER BY rowid LIMIT ?`;
  return db.all<LiveObject>(inOne, kind, namespace, after, limit);
}

type LiveSum = ReturnType<Tx['liveSum']>;

/** Sums of what the audit compares, computed again only after rows have been written. */
export class LiveSums {
  readonly #db: Db;
  readonly #sums = new Map<string, LiveSum>();
  #stamp = '';

  constructor(db: Db) {
    this.#db = db;
  }

  of(kind: Kind, namespace?: string): LiveSum {
    const stamp = this.#db.objectsStamp();
    if (stamp !== this.#stamp) this.#sums.clear();
    this.#stamp = stamp;
    const key = `${kind}/${namespace ?? ''}`;
    const sum = this.#sums.get(key) ?? liveSum(this.#db, kind, namespace);
    this.#sums.set(key, sum);
    return sum;
  }
}

/** Versions are numbers, of any size: their sum must not overflow. */
function liveSum(db: Db, kind: Kind, namespace?: string): LiveSum {
  const [index, where] =
    namespace === undefined ? ['objects_live', ''] : ['objects_live_namespace', 'AND namespace = ?'];
  const row = db.get<LiveSum>(
    `SELECT count(*) AS count, concat_ws(' ', count(*), sum(CAST(version AS INTEGER) % 1000000007), sum(facts_schema)) AS text
     FROM objects INDEXED BY ${index} WHERE kind = ? AND deleted = 0 ${where}`,
    ...[kind, namespace].filter((param) => param !== undefined),
  )!;
  return { ...row };
}

export function newestVersion(db: Db, kind: Kind): string | undefined {
  const newest = db.get<{ version: string }>(
    'SELECT version FROM objects WHERE kind = ? AND deleted = 0 ORDER BY length(version) DESC, version DESC LIMIT 1',
    kind,
  );
  if (newest !== undefined) return newest.version;
  const any = db.get('SELECT 1 FROM objects WHERE kind = ? LIMIT 1', kind);
  return any === undefined ? undefined : UNKNOWN_VERSION;
}

/** What is live of a kind is not watched since then: it is over as far as anybody knows, and not deleted. */
export function setUnwatched(db: Db, kind: Kind, since: Instant | undefined): void {
  db.run(
    'UPDATE objects INDEXED BY objects_live SET over_at = iif(?2 IS NULL, NULL, coalesce(over_at, ?2)) WHERE kind = ?1 AND deleted = 0',
    kind,
    since ?? null,
  );
}

export function forgetVersions(db: Db, kind: Kind): void {
  db.run(
    `UPDATE objects SET version = ?2,
       state = iif(json_valid(state), json_set(state, '$.facts.resourceVersion', ?2), state) WHERE kind = ?1`,
    kind,
    UNKNOWN_VERSION,
  );
}
