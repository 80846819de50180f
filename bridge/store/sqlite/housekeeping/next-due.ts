import type { Instant } from '../../../lib/clock.ts';
import type { Timer } from '../../timers.ts';
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
const OTHERS = [
  firstOf('desired', 'destination', 'next_at', 'sending = 0'),
  '(SELECT min(until) FROM holds WHERE until > ?1)',
  '(SELECT min(remove_at) FROM desired WHERE remove_at IS NOT NULL AND remove_at > ?1)',
  '(SELECT min(next_at) FROM logs WHERE outcome IS NULL AND next_at > ?1)',
  '(SELECT min(next_at) FROM annotation_problems WHERE next_at > ?1)',
  '(SELECT min(next_at) FROM journals WHERE next_at > ?1)',
];
const first = (of: readonly string[]): string =>
  `SELECT min(at) AS at FROM (${of.map((one) => `SELECT ${one} AS at`).join(' UNION ALL ')})`;

export const NEXT_DUE = first([...INTENTS, ...OTHERS]);
/** While no intent waits, which is nearly always. */
const NEXT_OTHER = first(OTHERS);

/** Of the kinds in a JSON list. */
export const NEXT_TIMER =
  'SELECT min((SELECT min(due) FROM timers WHERE kind = kinds.value)) AS at FROM json_each(?) AS kinds';

/** What waits to be sent grows older, and is given up when it is too old: that is looked at as often. */
const UNSETTLED_MS = 10_000;
const UNSETTLED = 'SELECT 1 FROM intents INDEXED BY intents_due WHERE settled_at IS NULL LIMIT 1';

/** When something of the store is due. */
export class NextDue {
  readonly #db: Db;
  /** Of the last call, and of the last one that found something due. */
  #lookedAt: Instant = -Infinity;
  #foundAt: Instant = -Infinity;

  constructor(db: Db) {
    this.#db = db;
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
    const due = waits ? NEXT_DUE : NEXT_OTHER;
    const since = this.#first(due, Math.min(this.#lookedAt, now));
    const isDue = since <= now || (waits && now - this.#foundAt >= UNSETTLED_MS);
    this.#lookedAt = now;
    if (isDue) this.#foundAt = now;
    const next = since <= now ? this.#first(due, now) : since;
    const lookAt = waits ? this.#foundAt + UNSETTLED_MS : Infinity;
    return { at: Math.min(next, lookAt, this.#first(NEXT_TIMER, JSON.stringify(kinds))), isDue };
  }

  #first(sql: string, param: number | string): Instant {
    return this.#db.get<{ at: number | null }>(sql, param)?.at ?? Infinity;
  }
}
