import type { Instant } from '../../../lib/clock.ts';
import type { Reason } from '../../../lib/reasons.ts';
import type { Db } from '../db/db.ts';
import { NOTHING, NOTHING_HASH } from '../outbox/awaited-row.ts';

/** Refusals that are about the credentials, not about what was sent. */
export const KEY_REASONS = JSON.stringify(['unauthorized', 'forbidden', 'limited_key'] satisfies Reason[]);

/** What happened while no bridge ran must have had time to arrive: an object may have been made again. */
const AFTER_START_MS = 3_600_000;
/** How long a row that is over is shown, and its late telemetry given up. */
export const SHOWN_MS = 30 * 24 * 3_600_000;
/** How long after that its wanted state is remembered: together as long as an unused sticky key is kept. */
const FORMER_MS = 150 * 24 * 3_600_000;

/** Without the name of the index SQLite may read the settled ones too. */
const AWAITED = `(destination, key) IN (SELECT destination, waits_for FROM intents INDEXED BY intents_lane
    WHERE settled_at IS NULL AND waits_for IS NOT NULL)`;

/**
 * Never what an object claims, of whatever destination: two may share an account. One that left the configuration longer
 * ago than its telemetry waits does not count. Nor what the vendor never accepted from us, nor what telemetry waits for.
 */
const REMOVE = `UPDATE desired SET wanted = ?2, wanted_hash = ?3, attempts = 0, refused = 0, reason = NULL, detail = NULL,
    next_at = ?1, not_in_sync_since = coalesce(not_in_sync_since, ?1), remove_at = NULL
  WHERE remove_at <= ?1 AND retired = 1 AND first_accepted_at IS NOT NULL
    AND destination NOT IN (SELECT destination FROM left_destinations)
    AND key NOT IN (SELECT key FROM claims
      WHERE destination NOT IN (SELECT destination FROM left_destinations WHERE left_at <= ?4))
    AND NOT ${AWAITED} RETURNING destination`;

/** Rows that no object claims any more and whose time has come are wanted as nothing. */
export function removeDue(db: Db, maxAgeMs: number, now: Instant): void {
  const removed = db.all<{ destination: string }>(REMOVE, now, NOTHING, NOTHING_HASH, now - maxAgeMs);
  for (const { destination } of removed) db.work.desired(destination);
}

/** Copies rows, to be deleted, to where what they wanted is remembered. */
export const MOVE_ROWS =
  'INSERT OR REPLACE INTO former_rows (destination, key, wanted, at) SELECT destination, key, wanted, ?1 FROM desired';

/**
 * What no object claims: accepted as retired or removed (then `next_at` is the end of its time), never accepted, or refused
 * for good; not for the credentials, since others may come, and not while it waits to be removed.
 */
const OVER = `(retired = 1 OR wanted = '${NOTHING}') AND sending = 0 AND coalesce(remove_at, 0) <= ?2 AND (
    (not_in_sync_since IS NULL AND next_at <= ?1)
    OR (not_in_sync_since <= ?2 AND (first_accepted_at IS NULL OR (refused = 1 AND reason NOT IN (
      SELECT value FROM json_each(?3))))))
  AND destination NOT IN (SELECT destination FROM left_destinations) AND NOT ${AWAITED}`;

/** Forgets rows that are over. What one wanted is remembered: the vendor may have it as we left it, e.g. paused. */
export function forgetRows(db: Db, now: Instant): void {
  const params = [now, now - SHOWN_MS, KEY_REASONS] as const;
  db.run(`${MOVE_ROWS} WHERE wanted <> '${NOTHING}' AND ${OVER}`, ...params);
  db.run(`DELETE FROM desired WHERE ${OVER}`, ...params);
  db.run('DELETE FROM former_rows WHERE at <= ?', now - FORMER_MS);
}

/** At a start: no removal before the news of the time without a bridge. */
export function postponeRemovals(db: Db, now: Instant): void {
  const earliest = now + AFTER_START_MS;
  db.run('UPDATE desired SET remove_at = max(remove_at, ?) WHERE remove_at IS NOT NULL', earliest);
  db.run(
    'UPDATE desired SET next_at = max(next_at, ?) WHERE wanted = ? AND not_in_sync_since IS NOT NULL',
    earliest,
    NOTHING,
  );
}
