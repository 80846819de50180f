import type { Json } from '../../../lib/json.ts';
import type { ClaimedIntent, Limit } from '../../../sinks/sink.ts';
import type { Db } from '../db/db.ts';
import type { IntentColumns } from './due.ts';
import { keptLogsOf } from '../runs/log-rows.ts';
import { parsed } from '../db/unreadable-rows.ts';

/** An intent as its deliverer gets it, or why its row cannot be read. */
export function toClaimed(
  db: Db,
  row: IntentColumns,
): { readonly claimed?: ClaimedIntent; readonly error?: string | undefined } {
  const { seq, destination, key, lane, waits_for: waitsFor, logs_of: logsOf } = row;
  const payload = parsed<Json>(row.payload);
  const limits = parsed<Limit[]>(row.limits, Array.isArray);
  if (payload.value === undefined || limits.value === undefined) return { error: payload.error ?? limits.error };
  const claimed = {
    seq,
    destination,
    key,
    lane,
    transitionId: row.transition_id,
    payload: payload.value,
    limits: limits.value,
    ...(waitsFor === null ? {} : { waitsFor }),
    ...(logsOf === null ? {} : { logsOf, logs: keptLogsOf(db, logsOf) }),
    attempt: row.attempts + 1,
  };
  return { claimed };
}
