import type { Instant } from '../../../lib/clock.ts';
import type { Retired, RetiredRows, Retirement } from '../../operations.ts';
import type { Db, Kept } from '../db/db.ts';

interface Columns {
  readonly from_at: Instant;
  readonly from_by: string;
  readonly until_at: Instant | null;
}

/** The times in which the bridge was retired, the current one included. The caller holds the transaction. */
export class Retirements implements Kept {
  readonly #db: Db;
  #all: readonly Columns[] | undefined;

  constructor(db: Db) {
    this.#db = db;
    db.keep(this, /\bretirements\b/);
  }

  forget(): void {
    this.#all = undefined;
  }

  current(): Retired | undefined {
    return currentOf(this.#rows());
  }

  /**
   * True when telemetry of this instant is not sent: the bridge is retired, or was at that time. Instants of Kubernetes
   * are cut to whole seconds: one in the second of the end counts as after it.
   */
  covers(at: Instant): boolean {
    return this.#rows().some(({ from_at: from, until_at: until }) => {
      return until === null || (at >= from && at + 1000 <= until);
    });
  }

  /** True when the present store was made while the bridge was retired: the vendor may know what the store does not. */
  isInherited(): boolean {
    const sql = `SELECT 1 FROM retirements WHERE until_at IS NULL AND from_at <
      (SELECT iif(json_valid(value), json_extract(value, '$.at'), NULL) FROM meta WHERE key = 'recovery')`;
    return this.#db.get(sql) !== undefined;
  }

  /** Asked for every intent, and changed by an operator. */
  #rows(): readonly Columns[] {
    return (this.#all ??= rowsOf(this.#db));
  }
}

function rowsOf(db: Db): Columns[] {
  return db.all<Columns>('SELECT from_at, from_by, until_at FROM retirements');
}

function currentOf(rows: readonly Columns[]): Retired | undefined {
  const row = rows.find(({ until_at: until }) => until === null);
  return row && { since: row.from_at, by: row.from_by };
}

/** The same without keeping anything, for who asks once. */
export function currentRetirement(db: Db): Retired | undefined {
  return currentOf(rowsOf(db));
}

/** A retirement that lasts already goes on. */
export function beginRetirement(db: Db, by: string, at: Instant): void {
  if (currentRetirement(db) === undefined) db.run('INSERT INTO retirements (from_at, from_by) VALUES (?, ?)', at, by);
}

export function endRetirement(db: Db, by: string, at: Instant): void {
  db.run('UPDATE retirements SET until_at = ?, until_by = ? WHERE until_at IS NULL', at, by);
}

const ROWS = `SELECT destination, count(*) AS rows, sum(not_in_sync_since IS NOT NULL AND refused = 0) AS open,
    sum(not_in_sync_since IS NOT NULL AND refused = 1) AS refused
  FROM desired GROUP BY destination ORDER BY destination`;

/** The current retirement and how far it is. */
export function readRetirement(db: Db): Retirement | undefined {
  const current = currentRetirement(db);
  if (current === undefined) return undefined;
  const destinations = db
    .all<RetiredRows>(ROWS)
    .map(({ destination, rows, open, refused }) => ({ destination, rows, open, refused }));
  return { since: current.since, by: current.by, destinations };
}
