import type { Instant } from '../../../lib/clock.ts';
import type { Timer, TimersTx } from '../../timers.ts';
import type { Db } from '../db/db.ts';

const DUE = 'SELECT id, kind, uid, due FROM timers WHERE kind = ? AND due <= ? ORDER BY due, id LIMIT ? + 0';

/** By the index: however many wait, it reads one of each kind. */
const FIRST = `WITH RECURSIVE kinds (kind) AS (
    SELECT min(kind) FROM timers
    UNION ALL
    SELECT (SELECT min(kind) FROM timers WHERE kind > kinds.kind) FROM kinds WHERE kind IS NOT NULL)
  SELECT kind, (SELECT min(due) FROM timers WHERE kind = kinds.kind) AS due FROM kinds WHERE kind IS NOT NULL`;

/** By the primary key: of thousands most are others. */
const BELOW = "SELECT id, kind, uid, due FROM timers WHERE id > ?1 || '/' AND id < ?1 || '0' ORDER BY id";

/** Due times. The caller holds the transaction. */
export class Timers implements TimersTx {
  readonly #db: Db;
  readonly #writes: () => number;
  #first: { readonly writes: number; readonly due: ReadonlyMap<Timer['kind'], Instant> } | undefined;

  constructor(db: Db) {
    this.#db = db;
    this.#writes = db.writesOf(/\btimers\b/);
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

  first(): ReadonlyMap<Timer['kind'], Instant> {
    const writes = this.#writes();
    if (this.#first?.writes !== writes) {
      const rows = this.#db.all<Pick<Timer, 'kind' | 'due'>>(FIRST);
      this.#first = { writes, due: new Map(rows.map(({ kind, due }) => [kind, due])) };
    }
    return this.#first.due;
  }

  below(path: string): Timer[] {
    return this.#db.all<Timer>(BELOW, path).map(toTimer);
  }
}

function toTimer({ id, kind, uid, due }: Timer): Timer {
  return { id, kind, uid, due };
}
