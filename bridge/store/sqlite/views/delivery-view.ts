import type { Reason } from '../../../lib/reasons.ts';
import type { Answer, DeliveryView, Resend } from '../../read.ts';
import { readable } from './readable.ts';

export interface DeliveryColumns {
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

export function toDelivery(row: DeliveryColumns): DeliveryView {
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
