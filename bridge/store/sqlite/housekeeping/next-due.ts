import type { Instant } from '../../../lib/clock.ts';
import type { Timer, TimersTx } from '../../timers.ts';
import type { Db } from '../db/db.ts';

/** The first of each group, by its index: however many rows wait, it reads one of each group. */
const firstOf = (table: string, group: string, at: string, where: string): string => `(
  WITH RECURSIVE groups (name) AS (
    SELECT min(${group}) FROM ${table} WHERE ${where}
    UNION ALL
    SELECT (SELECT min(${group}) FROM ${table} WHERE ${where} AND ${group} > groups.name)
    FROM groups WHERE name IS NOT NULL)
  SELECT min((SELECT min(${at}) FROM ${table} WHERE ${where} AND ${group} = groups.name AND ${at} > ?1))
  FROM groups WHERE name IS NOT NULL)`;

/** What was due before and is still there waits for something else: an answer, a limit, a hold, or a destination that left. */
const INTENTS = ['ready', 'awaiting'].map((status) =>
  firstOf('intents', 'destination', 'next_at', `settled_at IS NULL AND status = '${status}'`),
);
/** By table. */
const OTHERS: Readonly<Record<string, readonly string[]>> = {
  desired: [
    firstOf('desired', 'destination', 'next_at', 'sending = 0'),
    '(SELECT min(remove_at) FROM desired WHERE remove_at IS NOT NULL AND remove_at > ?1)',
  ],
  holds: ['(SELECT min(until) FROM holds WHERE until > ?1)'],
  logs: ['(SELECT min(next_at) FROM logs WHERE outcome IS NULL AND next_at > ?1)'],
  annotation_problems: ['(SELECT min(next_at) FROM annotation_problems WHERE next_at > ?1)'],
  journals: ['(SELECT min(next_at) FROM journals WHERE next_at > ?1)'],
};
const first = (of: readonly string[]): string =>
  `SELECT min(at) AS at FROM (${of.map((one) => `SELECT ${one} AS at`).join(' UNION ALL ')})`;

/** What of one table is due first after a moment; asked again only when it is written or that is past. */
class DueIn {
  readonly #db: Db;
  readonly #sql: string;
  readonly #writes: () => number;
  #known: { readonly writes: number; readonly after: Instant; readonly at: Instant } | undefined;

  constructor(db: Db, table: string, of: readonly string[]) {
    this.#db = db;
    this.#sql = first(of);
    this.#writes = db.writesOf(new RegExp(`\\b${table}\\b`));
  }

  after(moment: Instant): Instant {
    const writes = this.#writes();
    const known = this.#known;
    if (known?.writes === writes && known.after <= moment && moment < known.at) return known.at;
    const at = this.#db.get<{ at: number | null }>(this.#sql, moment)?.at ?? Infinity;
    this.#known = { writes, after: moment, at };
    return at;
  }
}

/** What waits to be sent grows older, and is given up when it is too old: that is looked at as often. */
const UNSETTLED_MS = 10_000;
const UNSETTLED = 'SELECT 1 FROM intents INDEXED BY intents_due WHERE settled_at IS NULL LIMIT 1';

/** When something of the store is due. */
export class NextDue {
  readonly #db: Db;
  readonly #timers: Pick<TimersTx, 'first'>;
  readonly #intents: DueIn;
  readonly #others: readonly DueIn[];
  /** Of the last call, and of the last one that found something due. */
  #lookedAt: Instant = -Infinity;
  #foundAt: Instant = -Infinity;

  constructor(db: Db, timers: Pick<TimersTx, 'first'>) {
    this.#db = db;
    this.#timers = timers;
    this.#intents = new DueIn(db, 'intents', INTENTS);
    this.#others = Object.entries(OTHERS).map(([table, of]) => new DueIn(db, table, of));
  }

  /** What is due moved with the clock: all of it counts as new. */
  clockSet(): void {
    this.#lookedAt = -Infinity;
    this.#foundAt = -Infinity;
  }

  /**
   * When something is due next, timers of `kinds` among it: maybe in the past for a timer, which then did not fire;
   * Infinity for never. `isDue`: something else than a timer became due since the last call, or waits for so long that
   * it is to be looked at.
   */
  next(now: Instant, kinds: readonly Timer['kind'][]): { readonly at: Instant; readonly isDue: boolean } {
    const waits = this.#db.get(UNSETTLED) !== undefined;
    const since = this.#after(Math.min(this.#lookedAt, now), waits);
    const isDue = since <= now || (waits && now - this.#foundAt >= UNSETTLED_MS);
    this.#lookedAt = now;
    if (isDue) this.#foundAt = now;
    const next = since <= now ? this.#after(now, waits) : since;
    const lookAt = waits ? this.#foundAt + UNSETTLED_MS : Infinity;
    const timers = this.#timers.first();
    return { at: Math.min(next, lookAt, ...kinds.map((kind) => timers.get(kind) ?? Infinity)), isDue };
  }

  /** `waits`: an intent does, which is nearly never. */
  #after(moment: Instant, waits: boolean): Instant {
    const intents = waits ? this.#intents.after(moment) : Infinity;
    return Math.min(intents, ...this.#others.map((table) => table.after(moment)));
  }
}
