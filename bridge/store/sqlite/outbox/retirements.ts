import type { Instant } from '../../../lib/clock.ts';
import type { Retired, RetiredRows, Retirement } from '../../operations.ts';
import type { Db } from '../db/db.ts';

/** The times in which the bridge was retired, the current one included. The caller holds the transaction. */
export class Retirements {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  current(): Retired | undefined {
    return this.#db.get<Retired>('SELECT from_at AS since, from_by AS by FROM retirements WHERE until_at IS NULL');
  }

  /**
   * True when telemetry of this instant is not sent: the bridge is retired, or was at that time. Instants of Kubernetes
   * are cut to whole seconds: one in the second of the end counts as after it.
   */
  covers(at: Instant): boolean {
    const sql = 'SELECT 1 FROM retirements WHERE until_at IS NULL OR (?1 >= from_at AND ?1 + 1000 <= until_at)';
    return this.#db.get(sql, at) !== undefined;
  }

  /** True when the present store was made while the bridge was retired: the vendor may know what the store does not. */
  isInherited(): boolean {
    const sql = `SELECT 1 FROM retirements WHERE until_at IS NULL AND from_at <
      (SELECT iif(json_valid(value), json_extract(value, '$.at'), NULL) FROM meta WHERE key = 'recovery')`;
    return this.#db.get(sql) !== undefined;
  }

  /** A retirement that lasts already goes on. */
  begin(by: string, at: Instant): void {
    if (this.current() === undefined) this.#db.run('INSERT INTO retirements (from_at, from_by) VALUES (?, ?)', at, by);
  }

  end(by: string, at: Instant): void {
    this.#db.run('UPDATE retirements SET until_at = ?, until_by = ? WHERE until_at IS NULL', at, by);
  }
}

const ROWS = `SELECT destination, count(*) AS rows, sum(not_in_sync_since IS NOT NULL AND refused = 0) AS open,
    sum(not_in_sync_since IS NOT NULL AND refused = 1) AS refused
  FROM desired GROUP BY destination ORDER BY destination`;

/** The current retirement and how far it is. */
export function readRetirement(db: Db): Retirement | undefined {
  const current = new Retirements(db).current();
  if (current === undefined) return undefined;
  const destinations = db
    .all<RetiredRows>(ROWS)
    .map(({ destination, rows, open, refused }) => ({ destination, rows, open, refused }));
  return { since: current.since, by: current.by, destinations };
}
