import type { Reason } from '../../../lib/reasons.ts';
import type { Decision } from '../../store.ts';
import type { Db } from '../db/db.ts';

export interface DecisionColumns {
  readonly transition_id: string;
  readonly destination: string;
  readonly verdict: Decision['verdict'];
  readonly reason: Reason | null;
  readonly detail: string | null;
  readonly at: number;
}

export function toDecision(row: DecisionColumns): Decision {
  return {
    transitionId: row.transition_id,
    destination: row.destination,
    verdict: row.verdict,
    reason: row.reason ?? undefined,
    detail: row.detail ?? undefined,
    at: row.at,
  };
}

/** A decision that waits, or that was taken while no CronJob was known, gives way to the next. */
const DECIDE = `INSERT INTO decisions (transition_id, destination, verdict, reason, detail, at) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (transition_id, destination) DO UPDATE SET verdict = excluded.verdict, reason = excluded.reason,
    detail = excluded.detail, at = excluded.at
  WHERE decisions.verdict = 'waiting' OR decisions.reason IN ('no_cronjob', 'owner_unseen')`;

/** False when a decision that stays was there already. */
export function putDecision(db: Db, { transitionId, destination, verdict, reason, detail, at }: Decision): boolean {
  return db.run(DECIDE, transitionId, destination, verdict, reason ?? null, detail ?? null, at) > 0;
}

export function decisionOf(db: Db, transitionId: string, destination: string): Decision | undefined {
  const sql = 'SELECT * FROM decisions WHERE transition_id = ? AND destination = ?';
  const row = db.get<DecisionColumns>(sql, transitionId, destination);
  return row && toDecision(row);
}
