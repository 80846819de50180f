import type { Kind } from '../../../kubernetes/observation.ts';
import { UNKNOWN_VERSION } from '../../../kubernetes/version.ts';
import type { Instant } from '../../../lib/clock.ts';
import type { LiveObject, LiveSum, StoredVersion, VersionsTx } from '../../objects.ts';
import type { Db } from '../db/db.ts';

const LIVE = 'SELECT rowid AS row, uid, namespace, version FROM objects';
const IN_ALL = `${LIVE} INDEXED BY objects_live WHERE kind = ? AND deleted = 0 AND rowid > ? ORDER BY rowid LIMIT ?`;
const IN_ONE = `${LIVE} INDEXED BY objects_live_namespace
  WHERE kind = ? AND namespace = ? AND deleted = 0 AND rowid > ? ORDER BY rowid LIMIT ?`;

const NEWEST = `SELECT version FROM objects WHERE kind = ? AND deleted = 0
  ORDER BY length(version) DESC, version DESC LIMIT 1`;

/** What is live is over as far as anybody knows, and not deleted. */
const UNWATCHED = `UPDATE objects INDEXED BY objects_live SET over_at = iif(?2 IS NULL, NULL, coalesce(over_at, ?2))
  WHERE kind = ?1 AND deleted = 0`;

const FORGET = `UPDATE objects SET version = ?2,
    state = iif(json_valid(state), json_set(state, '$.facts.resourceVersion', ?2), state) WHERE kind = ?1`;

/** What the audit compares; states are never parsed here. The caller holds the transaction. */
export class Versions implements VersionsTx {
  readonly #db: Db;
  readonly #sums = new Map<string, LiveSum>();
  /** Of the rows that the sums were computed from. */
  #stamp = '';

  constructor(db: Db) {
    this.#db = db;
  }

  get(uid: string): StoredVersion | undefined {
    const row = this.#db.get<{ version: string; deleted: number; facts_schema: number }>(
      'SELECT version, deleted, facts_schema FROM objects WHERE uid = ?',
      uid,
    );
    return row && { version: row.version, deleted: row.deleted === 1, factsSchema: row.facts_schema };
  }

  /** In the order of their rows. */
  live(kind: Kind, after: number, limit: number, namespace?: string): LiveObject[] {
    return namespace === undefined
      ? this.#db.all<LiveObject>(IN_ALL, kind, after, limit)
      : this.#db.all<LiveObject>(IN_ONE, kind, namespace, after, limit);
  }

  /** Computed again only after rows have been written. */
  liveSum(kind: Kind, namespace?: string): LiveSum {
    const stamp = this.#db.objectsStamp();
    if (stamp !== this.#stamp) this.#sums.clear();
    this.#stamp = stamp;
    const key = `${kind}/${namespace ?? ''}`;
    const sum = this.#sums.get(key) ?? liveSum(this.#db, kind, namespace);
    this.#sums.set(key, sum);
    return sum;
  }

  newest(kind: Kind): string | undefined {
    const newest = this.#db.get<{ version: string }>(NEWEST, kind);
    if (newest !== undefined) return newest.version;
    const any = this.#db.get('SELECT 1 FROM objects WHERE kind = ? LIMIT 1', kind);
    return any === undefined ? undefined : UNKNOWN_VERSION;
  }

  setUnwatched(kind: Kind, since: Instant | undefined): void {
    this.#db.run(UNWATCHED, kind, since ?? null);
  }

  forget(kind: Kind): void {
    this.#db.run(FORGET, kind, UNKNOWN_VERSION);
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
