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
const NEXT = [
  ...['ready', 'awaiting'].map((status) =>
    firstOf('intents', 'destination', 'next_at', `settled_at IS NULL AND status = '${status}'`),
  ),
  firstOf('desired', 'destination', 'next_at', 'sending = 0'),
  '(SELECT min(until) FROM holds WHERE until > ?1)',
  '(SELECT min(remove_at) FROM desired WHERE remove_at IS NOT NULL AND remove_at > ?1)',
  '(SELECT min(next_at) FROM logs WHERE outcome IS NULL AND next_at > ?1)',
  '(SELECT min(next_at) FROM annotation_problems WHERE next_at > ?1)',
  '(SELECT min(next_at) FROM journals WHERE next_at > ?1)',
].map((first) => `SELECT ${first} AS at`);

export const NEXT_DUE = `SELECT min(at) AS at FROM (${NEXT.join(' UNION ALL ')})`;

/** Of the kinds in a JSON list. */
export const NEXT_TIMER =
  'SELECT min((SELECT min(due) FROM timers WHERE kind = kinds.value)) AS at FROM json_each(?) AS kinds';

/** What waits to be sent grows older, and is given up when it is too old: that is looked at as often. */
const UNSETTLED_MS = 10_000;
const UNSETTLED = 'SELECT 1 FROM intents INDEXED BY intents_due WHERE settled_at IS NULL LIMIT 1';

/**
 * When something of the store is due next, timers of `kinds` among it: maybe in the past for a timer, which then did not
 * fire; Infinity for never.
 */
export function nextDue(db: Db, now: Instant, kinds: readonly Timer['kind'][]): Instant {
  const first = (sql: string, param: number | string): Instant =>
    db.get<{ at: number | null }>(sql, param)?.at ?? Infinity;
  const waits = db.get(UNSETTLED) === undefined ? Infinity : now + UNSETTLED_MS;
  return Math.min(first(NEXT_DUE, now), waits, first(NEXT_TIMER, JSON.stringify(kinds)));
}
