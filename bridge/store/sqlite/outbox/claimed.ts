import type { Json } from '../../../lib/json.ts';
import type { Reason } from '../../../lib/reasons.ts';
import type { ClaimedIntent, Limit } from '../../../sinks/sink.ts';
import { UNREADABLE_ROW } from '../../quarantine.ts';
import type { Db } from '../db/db.ts';
import type { IntentColumns } from './due.ts';
import { storyOf } from '../runs/stories.ts';
import { parsed } from '../db/unreadable-rows.ts';

/** Why an intent cannot be sent. */
export interface Unsendable {
  readonly reason: Reason;
  readonly detail: string | undefined;
}

/** An intent as its deliverer gets it. */
export function toClaimed(db: Db, row: IntentColumns): ClaimedIntent | Unsendable {
  const { seq, destination, key, lane, waits_for: waitsFor } = row;
  const payload = parsed<Json>(row.payload);
  const limits = parsed<Limit[]>(row.limits, Array.isArray);
  if (payload.value === undefined || limits.value === undefined) {
    db.unreadable++;
    return { reason: UNREADABLE_ROW, detail: payload.error ?? limits.error };
  }
  const story = row.story === null ? undefined : storyOf(db, row.story);
  if (row.story !== null && story === undefined) return { reason: 'run_removed', detail: `run ${row.story}` };
  return {
    seq,
    destination,
    key,
    lane,
    transitionId: row.transition_id,
    payload: payload.value,
    limits: limits.value,
    ...(waitsFor !== null && { waitsFor }),
    ...(story !== undefined && { story }),
    attempt: row.attempts + 1,
  };
}
