import type { Instant } from '../../../lib/clock.ts';
import type { Timer, TimersTx } from '../../timers.ts';
import type { Db } from '../db/db.ts';

const DUE = 'SELECT id, kind, uid, due FROM timers WHERE kind = ? AND due <= ? ORDER BY due, id LIMIT ? + 0';

/** One look for all kinds, by the index. */
const WAITING =
  'SELECT key AS kind FROM json_each(?) WHERE EXISTS (SELECT 1 FROM timers WHERE timers.kind = key AND due <= value)';

/** By the primary key: of thousands most are others. */
const BELOW = "SELECT id, kind, uid, due FROM timers WHERE id > ?1 || '/' AND id < ?1 || '0' ORDER BY id";

/** Due times. The caller holds the transaction. */
export class Timers implements TimersTx {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  set({ id, kind, uid, due }: Timer): void {
    this.#db.run('INSERT OR REPLACE INTO timers (id, kind, uid, due) VALUES (?, ?, ?, ?)', id, kind, uid, due);
  }

  clear(id: string): void {
    this.#db.run('DELETE FROM timers WHERE id = ?', id);
  }

  due(kind: Timer['kind'], now: Instant, limit: number): Timer[] {
    return this.#db.all<Timer>(DUE, kind, now, limit).map(toTimer);
  }

  waiting(until: ReadonlyMap<Timer['kind'], Instant>): Timer['kind'][] {
    const rows = this.#db.all<Pick<Timer, 'kind'>>(WAITING, JSON.stringify(Object.fromEntries(until)));
    return rows.map(({ kind }) => kind);
  }

  below(path: string): Timer[] {
    return this.#db.all<Timer>(BELOW, path).map(toTimer);
  }
}

function toTimer({ id, kind, uid, due }: Timer): Timer {
  return { id, kind, uid, due };
}
