import type { Instant } from '../../../lib/clock.ts';
import type { ResendRequest, Resent } from '../../operations.ts';
import type { Db } from '../db/db.ts';
import type { IntentColumns } from './due.ts';
import type { Intents } from './intents.ts';

type Row = IntentColumns & { readonly status: string; readonly settled_at: number | null };

const FIND = `SELECT * FROM intents WHERE (seq = ?1 OR transition_id = ?2
    OR transition_id IN (SELECT id FROM transitions WHERE run_uid = ?2))
  AND (?3 IS NULL OR destination = ?3) ORDER BY seq`;

/** Makes settled intents pending again, under the same key. The caller holds the transaction. */
export function resend(db: Db, intents: Intents, request: ResendRequest, by: string, at: Instant): Resent[] {
  const { subject, destination, force, configured } = request;
  const seq = /^\d{1,15}$/.test(subject) ? Number(subject) : null;
  const rows = db.all<Row>(FIND, seq, subject, destination ?? null);
  return rows.map((row) => {
    const isConfigured = configured?.includes(row.destination) ?? true;
    const result = isConfigured ? again(row, force) : 'destination_removed';
    if (result === 'resent') requeue(db, intents, row, by, at);
    const { seq, destination, transition_id: transitionId, reason } = row;
    return { seq, destination, transitionId, result, was: row.settled_at === null ? undefined : (reason ?? undefined) };
  });
}

function again({ status }: Row, force: boolean): Resent['result'] {
  if (status === 'dropped') return 'resent';
  if (status === 'delivered') return force ? 'resent' : 'delivered';
  return 'pending';
}

function requeue(db: Db, intents: Intents, row: Row, by: string, at: Instant): void {
  const { seq, status, reason, detail, settled_at: settledAt } = row;
  db.run(
    `INSERT INTO resends (seq, at, by, was_status, was_reason, was_detail, was_settled_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    seq,
    at,
    by,
    status,
    reason,
    detail,
    settledAt,
  );
  intents.requeue(row, at);
}
