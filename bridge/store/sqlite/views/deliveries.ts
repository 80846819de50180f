import type { Reason } from '../../../lib/reasons.ts';
import type { Answer, DeliveryView, Resend } from '../../delivery-view.ts';
import type { OutboxReads, Page, ReceiptCount } from '../../read.ts';
import { page, readCursor } from '../db/cursor.ts';
import type { Db } from '../db/db.ts';
import { readDepth } from './depth.ts';
import { readable } from './readable.ts';

interface DeliveryColumns {
  readonly seq: number;
  readonly destination: string;
  readonly transition_id: string;
  readonly run_uid: string | null;
  readonly lane: string;
  readonly payload: string;
  readonly status: 'queued' | 'awaiting' | 'ready' | 'sending' | 'delivered' | 'dropped';
  readonly reason: Reason | null;
  readonly detail: string | null;
  readonly attempts: number;
  readonly unknown_outcomes: number;
  readonly created_at: number;
  readonly next_at: number;
  readonly settled_at: number | null;
  readonly answers: string;
  readonly resends: string;
  readonly has_left: number;
}

const DELIVERY = `SELECT intents.*, transitions.run_uid, (
    SELECT json_group_array(json_object('reason', reason, 'detail', detail, 'count', count, 'lastAt', last_at)
      ORDER BY last_at) FROM answers WHERE answers.seq = intents.seq) AS answers, (
    SELECT json_group_array(json_object('at', at, 'by', by, 'wasStatus', was_status, 'wasReason', was_reason,
      'wasDetail', was_detail, 'wasSettledAt', was_settled_at) ORDER BY id)
    FROM resends WHERE resends.seq = intents.seq) AS resends,
    intents.destination IN (SELECT destination FROM left_destinations) AS has_left
  FROM intents
  LEFT JOIN transitions ON transitions.id = intents.transition_id`;

const STATUS = {
  pending: " AND status IN ('queued', 'awaiting', 'ready') AND settled_at IS NULL",
  sending: " AND status = 'sending'",
  delivered: " AND status = 'delivered'",
  dropped: " AND status = 'dropped'",
};

/** `dryRuns`: destinations that send nothing. */
export function outboxReads(db: Db, dryRuns: ReadonlySet<string>): OutboxReads {
  return {
    deliveries: (query) => listDeliveries(db, query),
    depth: () => readDepth(db, dryRuns),
    receiptCounts: () =>
      db
        .all<ReceiptCount>('SELECT destination, reason, count FROM receipts ORDER BY destination, reason')
        .map((row) => ({ ...row })),
  };
}

function listDeliveries(db: Db, query: Parameters<OutboxReads['deliveries']>[0]): Page<DeliveryView> {
  const [seq] = readCursor(query.cursor, [Number.MAX_SAFE_INTEGER] as const);
  const where = query.status === undefined ? '' : STATUS[query.status];
  const rows = db.all<DeliveryColumns>(
    `${DELIVERY} WHERE intents.seq < ?${where}${query.destination === undefined ? '' : ' AND destination = ?'}
     ORDER BY intents.seq DESC LIMIT ?`,
    seq,
    ...(query.destination === undefined ? [] : [query.destination]),
    query.limit + 1,
  );
  return page(rows, query, toDelivery, (row) => [row.seq]);
}

/** Of one run, the first first. */
export function deliveriesOf(db: Db, runUid: string): DeliveryView[] {
  return db.all<DeliveryColumns>(`${DELIVERY} WHERE run_uid = ? ORDER BY intents.seq`, runUid).map(toDelivery);
}

function toDelivery(row: DeliveryColumns): DeliveryView {
  const { seq, destination, lane, status, attempts } = row;
  const pending = status === 'queued' || status === 'awaiting' || status === 'ready';
  const awaited = status === 'awaiting' ? 'awaiting_row' : undefined;
  const waitsFor = pending && row.has_left === 1 ? 'destination_removed' : awaited;
  return {
    seq,
    destination,
    lane,
    attempts,
    transitionId: row.transition_id,
    runUid: row.run_uid ?? undefined,
    payload: readable(row.payload),
    status: pending ? 'pending' : status,
    reason: waitsFor ?? row.reason ?? undefined,
    detail: row.detail ?? undefined,
    unknownOutcomes: row.unknown_outcomes,
    createdAt: row.created_at,
    nextAt: status === 'ready' ? row.next_at : undefined,
    settledAt: row.settled_at ?? undefined,
    answers: withoutNulls<Answer>(row.answers),
    resends: withoutNulls<Resend>(row.resends),
  };
}

function withoutNulls<T>(text: string): T[] {
  return JSON.parse(text, (_key, value: unknown) => value ?? undefined) as T[];
}
