import type { Instant } from '../../../lib/clock.ts';
import type { Reason } from '../../../lib/reasons.ts';
import type { Db } from '../db/db.ts';
import type { IntentColumns } from './due.ts';
import type { Holds } from './holds.ts';
import type { Intents } from './intents.ts';
import { shortDetail } from '../db/short-detail.ts';

/** Why intents are given up without an answer. The caller holds the transaction. */

/** What could have been sent for more than `maxAgeMs`, time behind holds not counted, is `expired`. */
export function expire(db: Db, intents: Intents, holds: Holds, maxAgeMs: number, now: Instant): void {
  const gates = db.all<{ destination: string; gate: string }>(
    "SELECT DISTINCT destination, gate FROM intents WHERE status = 'ready' AND age_from < ?",
    now - maxAgeMs,
  );
  for (const { destination, gate } of gates) {
    const before = now - holds.elapsedMs(destination, gate, now) - maxAgeMs;
    const rows = db.all<IntentColumns>(
      "SELECT * FROM intents WHERE status = 'ready' AND destination = ? AND gate = ? AND age_from < ? ORDER BY seq",
      destination,
      gate,
      before,
    );
    for (const row of rows) intents.drop(row, 'expired', lastFailure(row), now);
  }
}

/** What alone fails while a later one of its lane waits for `supersedeMs` is `superseded`, if its sink allows that. */
export function supersede(db: Db, intents: Intents, holds: Holds, supersedeMs: number, now: Instant): void {
  const rows = db.all<IntentColumns>(
    `SELECT * FROM intents AS head WHERE status = 'ready' AND failures > 0 AND keep = 0 AND eligible_at <= ?1 AND EXISTS (
       SELECT 1 FROM intents AS later WHERE later.destination = head.destination AND later.lane = head.lane
         AND later.settled_at IS NULL AND later.seq > head.seq AND later.created_at <= ?1)
     ORDER BY seq`,
    now - supersedeMs,
  );
  for (const row of rows) {
    if (holds.lastEnd(row.destination, row.gate) > now - supersedeMs) continue;
    intents.drop(row, 'superseded', lastFailure(row), now);
  }
}

/** What waits for a row that is gone, since no object wants it any more, does not wait for ever. */
export function expireOrphans(db: Db, intents: Intents, maxAgeMs: number, now: Instant): void {
  const rows = db.all<IntentColumns>(
    `SELECT * FROM intents INDEXED BY intents_awaiting WHERE status = 'awaiting' AND next_at <= ? AND NOT EXISTS (SELECT 1 FROM desired
       WHERE desired.destination = intents.destination AND desired.key = intents.waits_for) ORDER BY seq`,
    now - maxAgeMs,
  );
  for (const row of rows) intents.drop(row, 'expired', 'awaiting_row', now);
}

/** Gives up what is not in flight: the bridge is retired. */
export function giveUpAll(db: Db, intents: Intents, now: Instant): void {
  giveUp(
    intents,
    db.all<IntentColumns>("SELECT * FROM intents WHERE settled_at IS NULL AND status <> 'sending' ORDER BY seq"),
    'retired',
    now,
  );
}

export function giveUp(intents: Intents, rows: readonly IntentColumns[], reason: Reason, now: Instant): void {
  for (const row of rows) intents.drop(row, reason, lastFailure(row), now);
}

function lastFailure(row: IntentColumns): string | null {
  return shortDetail([row.reason, row.detail].filter(Boolean).join(': '));
}
