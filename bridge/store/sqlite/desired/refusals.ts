import type { Instant } from '../../../lib/clock.ts';
import type { Delivery } from '../../../sinks/sink.ts';
import type { Refusal } from '../../read.ts';
import type { Db } from '../db/db.ts';
import type { Intents } from '../outbox/intents.ts';
import { KEY_REASONS } from './removals.ts';
import { NOTHING } from '../outbox/awaited-row.ts';
import { shortDetail } from '../db/short-detail.ts';

const REFUSE_ALL = `UPDATE desired SET refused = 1, reason = ?2, detail = ?3, next_at = ?4
  WHERE destination = ?1 AND not_in_sync_since IS NOT NULL AND sending = 0 AND (refused = 0 OR reason IS NOT ?2)
  RETURNING key`;

const RETRY = `UPDATE desired SET refused = 0, attempts = 0, next_at = ?2
  WHERE destination = ?1 AND refused = 1 AND wanted <> ?3 AND reason IN (SELECT value FROM json_each(?4))`;

/** A refusal that is not about the row: every other row not in sync gets it too, and what waits for them goes. */
export function refuseAll(
  db: Db,
  intents: Intents,
  destination: string,
  { reason, detail }: Extract<Delivery, { outcome: 'drop' }>,
  nextAt: Instant,
  now: Instant,
): void {
  const rows = db.all<{ key: string }>(REFUSE_ALL, destination, reason, shortDetail(detail), nextAt);
  for (const { key } of rows) intents.release(destination, key, now);
}

const DUE = `UPDATE intents SET next_at = ?2 WHERE destination = ?1 AND settled_at IS NULL AND next_at > ?2
    AND reason IN (SELECT value FROM json_each(?3))`;

/** The credentials may be others: asks again for every row and intent that was refused for them. */
export function retryRefused(db: Db, intents: Intents, destination: string, now: Instant): void {
  db.run(DUE, destination, now, KEY_REASONS);
  if (db.run(RETRY, destination, now, NOTHING, KEY_REASONS) > 0) intents.awaitRows(destination);
}

const REFUSALS = `SELECT destination, reason, max(detail) AS detail, count(*) AS count FROM desired
  WHERE not_in_sync_since IS NOT NULL AND refused = 1 AND reason IN (SELECT value FROM json_each(?))
    AND destination NOT IN (SELECT destination FROM left_destinations)
  GROUP BY destination, reason ORDER BY destination, reason`;

/** Rows that are refused for the credentials, by destination. */
export function readKeyRefusals(db: Db): Refusal[] {
  return db
    .all<Omit<Refusal, 'detail'> & { detail: string | null }>(REFUSALS, KEY_REASONS)
    .map(({ destination, reason, detail, count }) => ({ destination, reason, count, detail: detail ?? undefined }));
}
