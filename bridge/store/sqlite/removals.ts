import { sha256Hex } from '../../lib/ids.ts';
import type { Instant } from '../../lib/clock.ts';
import type { Db } from './db.ts';

/** What a row wants, and its hash, when the vendor should have nothing. */
export const NOTHING = 'null';
export const NOTHING_HASH = sha256Hex(NOTHING);

/** What happened while no bridge ran must have had time to arrive: an object may have been made again. */
const AFTER_START_MS = 3_600_000;
/** So long a row whose removal was accepted is shown, and its late telemetry given up. */
const SHOWN_MS = 30 * 24 * 3_600_000;

/**
 * Never what an object claims, of whatever destination: two may share an account. Nor what the vendor never accepted from
 * us, nor what telemetry still waits for.
 */
const REMOVE = `UPDATE desired SET wanted = ?2, wanted_hash = ?3, attempts = 0, refused = 0, reason = NULL, detail = NULL,
    next_at = ?1, not_in_sync_since = coalesce(not_in_sync_since, ?1), remove_at = NULL
  WHERE remove_at <= ?1 AND retired = 1 AND first_accepted_at IS NOT NULL
    AND key NOT IN (SELECT key FROM claims)
    AND (destination, key) NOT IN (SELECT destination, waits_for FROM intents
      WHERE settled_at IS NULL AND waits_for IS NOT NULL)`;

/** Rows that no object claims any more and whose time has come are wanted as nothing. */
export function removeDue(db: Db, now: Instant): void {
  db.run(REMOVE, now, NOTHING, NOTHING_HASH);
  db.run(
    'DELETE FROM desired WHERE wanted = ?1 AND not_in_sync_since IS NULL AND sending = 0 AND next_at <= ?2',
    NOTHING,
    now - SHOWN_MS,
  );
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
