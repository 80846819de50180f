import type { Instant } from '../../../lib/clock.ts';
import type { Reason } from '../../../lib/reasons.ts';
import type { Db } from '../db/db.ts';
import { parsed } from '../db/unreadable-rows.ts';

export interface IntentColumns {
  readonly seq: number;
  readonly destination: string;
  readonly key: string;
  readonly lane: string;
  readonly transition_id: string;
  readonly payload: string;
  readonly limits: string;
  readonly gate: string;
  readonly waits_for: string | null;
  readonly story: string | null;
  readonly attempts: number;
  readonly unknown_outcomes: number;
  readonly next_at: number;
  readonly note: string | null;
  readonly reason: Reason | null;
  readonly detail: string | null;
}

interface DueQuery {
  readonly destination: string;
  readonly status: string;
  readonly limit: number;
  readonly now: Instant;
  readonly blocked: ReadonlySet<string>;
  readonly perGate: number;
}

const NO_LIMITS = '[]';

/** How many of the oldest are looked at first; mostly that is enough. */
const LOOK = 64;

const OLDEST = `SELECT * FROM intents WHERE destination = ? AND status = +? AND settled_at IS NULL AND next_at <= ?
  ORDER BY next_at, seq LIMIT ${LOOK}`;

/**
 * The gates with intents that are due, the longest waiting first. A gate is the list of limit keys that several intents
 * share; it is looked up once, however many intents wait behind it.
 */
const GATES = `WITH RECURSIVE gates (gate) AS (
    SELECT min(gate) FROM intents WHERE destination = ?1 AND status = +?2 AND settled_at IS NULL
    UNION ALL
    SELECT (SELECT min(gate) FROM intents
      WHERE destination = ?1 AND status = +?2 AND settled_at IS NULL AND gate > gates.gate)
    FROM gates WHERE gate IS NOT NULL),
  fronts AS MATERIALIZED (
    SELECT gate, (SELECT min(next_at) FROM intents
      WHERE destination = ?1 AND status = +?2 AND settled_at IS NULL AND gate = gates.gate) AS front
    FROM gates WHERE gate IS NOT NULL)
  SELECT gate FROM fronts WHERE front <= ?3 ORDER BY front`;

const FRONT = `SELECT * FROM intents
  WHERE destination = ? AND status = +? AND settled_at IS NULL AND gate = ? AND next_at <= ?
  ORDER BY next_at, seq LIMIT ? + 0`;

const ANY = `SELECT 1 FROM intents INDEXED BY intents_due
  WHERE destination = ? AND settled_at IS NULL AND status = 'ready' AND next_at <= ? LIMIT 1`;

/** Whether a claim may find something: mostly not. */
export function isAnyDue(db: Db, destination: string, now: Instant): boolean {
  return db.get(ANY, destination, now) !== undefined;
}

/** The oldest due intents of one status that are not blocked, at most `perGate` of a gate; maybe more than `limit`. */
export function dueIntents(db: Db, query: DueQuery): IntentColumns[] {
  const { destination, status, limit, now, blocked, perGate } = query;
  const taken = new Map<string, number>();
  const oldest = db.all<IntentColumns>(OLDEST, destination, status, now);
  const found = oldest.filter(({ gate }) => {
    const count = (taken.get(gate) ?? 0) + 1;
    taken.set(gate, count);
    return (gate === NO_LIMITS || count <= perGate) && !isBlocked(gate, blocked);
  });
  return found.length >= limit || oldest.length < LOOK ? found : dueByGate(db, query);
}

/** For when many wait behind few gates: cost grows with the gates, not with the intents. */
function dueByGate(db: Db, { destination, status, limit, now, blocked, perGate }: DueQuery): IntentColumns[] {
  const gates = db.all<{ gate: string }>(GATES, destination, status, now);
  const open = gates.filter(({ gate }) => !isBlocked(gate, blocked)).slice(0, limit);
  return open.flatMap(({ gate }) => {
    const most = gate === NO_LIMITS ? limit : Math.min(limit, perGate);
    return db.all<IntentColumns>(FRONT, destination, status, gate, now, most);
  });
}

function isBlocked(gate: string, blocked: ReadonlySet<string>): boolean {
  return blocked.size > 0 && gateKeys(gate).some((key) => blocked.has(key));
}

/** The limit keys of a gate; none of one that cannot be read: such an intent is given up when its turn comes. */
export function gateKeys(gate: string): readonly string[] {
  return parsed<string[]>(gate, Array.isArray).value ?? [];
}
