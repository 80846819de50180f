import type { Kind } from '../../kubernetes/observation.ts';
import type { Json } from '../../lib/json.ts';
import type { Reason } from '../../lib/reasons.ts';
import type { Answer, DeliveryView, DesiredView, PrunedView, Resend } from '../read.ts';
import type { Decision, ObjectRow } from '../store.ts';
import { UNREADABLE_ROW } from '../store.ts';
import { parsed } from './unreadable-rows.ts';

/** Columns as SQLite gives them, and what they mean outside. JSON was written by this bridge: it is not checked again. */

export interface ObjectColumns {
  readonly uid: string;
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
  readonly owner_uid: string | null;
  readonly version: string;
  readonly deleted: number;
  readonly over_at: number | null;
  readonly facts_schema: number;
  readonly state: string;
}

export function toObject(row: ObjectColumns, state: object): ObjectRow {
  const { uid, kind, namespace, name, version } = row;
  return {
    uid,
    kind,
    namespace,
    name,
    version,
    ownerUid: row.owner_uid ?? undefined,
    deleted: row.deleted === 1,
    overAt: row.over_at ?? undefined,
    factsSchema: row.facts_schema,
    state,
  };
}

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

/** JSON that is only shown: what cannot be read is shown as such. */
function readable(text: string): Json {
  const { value, error } = parsed<Json>(text);
  return error === undefined ? (value ?? null) : { [UNREADABLE_ROW]: error };
}

function withoutNulls<T>(text: string): T[] {
  return JSON.parse(text, (_key, value: unknown) => value ?? undefined) as T[];
}

export interface DesiredViewColumns {
  readonly id: number;
  readonly destination: string;
  readonly key: string;
  readonly wanted: string;
  readonly not_in_sync_since: number | null;
  readonly first_accepted_at: number | null;
  readonly attempts: number;
  readonly reason: Reason | null;
  readonly detail: string | null;
  readonly remove_at: number | null;
  readonly cron_jobs: string;
  readonly has_left: number;
}

export function toDesiredView(row: DesiredViewColumns): DesiredView {
  const { destination, key, attempts } = row;
  return {
    destination,
    key,
    attempts,
    wanted: readable(row.wanted),
    inSync: row.not_in_sync_since === null,
    notInSyncSince: row.not_in_sync_since ?? undefined,
    firstAcceptedAt: row.first_accepted_at ?? undefined,
    reason: row.has_left === 1 ? 'destination_removed' : (row.reason ?? undefined),
    detail: row.detail ?? undefined,
    removeAt: row.remove_at ?? undefined,
    cronJobs: JSON.parse(row.cron_jobs) as string[],
  };
}

export interface TombstoneColumns {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly pruned_at: number;
  readonly announced: string;
}

export function toPruned({ kind, namespace, name, pruned_at: prunedAt, announced }: TombstoneColumns): PrunedView {
  return {
    kind,
    namespace,
    name,
    prunedAt,
    announced: parsed<PrunedView['announced']>(announced, Array.isArray).value ?? [],
  };
}

/** Text of an answer as it is stored: a vendor may send a page where a line is expected. */
export function shortDetail(detail: string | null | undefined): string | null {
  if (detail === null || detail === undefined || detail === '') return null;
  return detail.length <= 1000 ? detail : `${detail.slice(0, 999)}…`;
}
