import type { Instant } from '../../../lib/clock.ts';
import type { ClaimedDesired, Delivery } from '../../../sinks/sink.ts';
import type { SettledDesired } from '../../outbox-store.ts';
import { nextAssertion } from './assertion.ts';
import type { Claims } from './claims.ts';
import type { Db } from '../db/db.ts';
import type { DesiredColumns } from './desired-row.ts';
import { putRow, ROW, wantedOf } from './desired-row.ts';
import type { Holds } from '../outbox/holds.ts';
import type { Intents } from '../outbox/intents.ts';
import { refuseAll } from './refusals.ts';
import { postponeRemovals, SHOWN_MS } from './removals.ts';
import { NOTHING, NOTHING_HASH } from '../outbox/awaited-row.ts';
import { shortDetail } from '../db/short-detail.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

type Drop = Extract<Delivery, { outcome: 'drop' }>;
type Retry = Extract<Delivery, { outcome: 'retry' }>;

/** What was refused comes last: it may cost a search for it. What is retired or removed is not asserted again. */
const IS_DUE = `destination = ?1 AND sending = 0 AND next_at <= ?2
  AND NOT ((retired = 1 OR wanted = ?3) AND not_in_sync_since IS NULL)`;
const CLAIM = `SELECT * FROM desired WHERE ${IS_DUE} ORDER BY refused, next_at, id LIMIT ?4 + 0`;
const DUE = `SELECT 1 FROM desired WHERE ${IS_DUE} LIMIT 1`;

/** The desired-state rows as the outbox converges them. The caller holds the transaction. */
export class DesiredRows {
  readonly #db: Db;
  readonly #holds: Holds;
  readonly #intents: Intents;
  readonly #claims: Claims;

  constructor(db: Db, holds: Holds, intents: Intents, claims: Claims) {
    this.#db = db;
    this.#holds = holds;
    this.#intents = intents;
    this.#claims = claims;
  }

  /** Whether a claim may find something. */
  isDue(destination: string, now: Instant): boolean {
    return this.#db.get(DUE, destination, now, NOTHING) !== undefined;
  }

  claim(destination: string, limit: number, now: Instant, limitKeys: readonly string[]): ClaimedDesired[] {
    if (this.#holds.isHeld(destination, limitKeys, now)) return [];
    for (;;) {
      const rows = this.#db.all<DesiredColumns>(CLAIM, destination, now, NOTHING, limit);
      const claimed = rows.flatMap((row) => this.#claimed(row, now));
      // Who gets none does not ask again: what cannot be read made way for others, or for itself.
      if (claimed.length > 0 || rows.length === 0) return claimed;
    }
  }

  #claimed(row: DesiredColumns, now: Instant): ClaimedDesired[] {
    // Until the request is answered, it is not known what the vendor has.
    this.#db.run(
      `UPDATE desired SET sending = 1, accepted_hash = NULL, attempts = attempts + 1,
         not_in_sync_since = coalesce(not_in_sync_since, ?) WHERE id = ?`,
      now,
      row.id,
    );
    const wanted = wantedOf(this.#db, row);
    if (wanted === undefined) this.#replace(row, now);
    const { destination, key, wanted_hash: wantedHash, attempts } = row;
    return wanted === undefined ? [] : [{ destination, key, wanted, wantedHash, attempt: attempts + 1 }];
  }

  /** A row that cannot be read gives way to what a live object claims, if one does. */
  #replace({ id, destination, key, assert_every_ms: assertEveryMs }: DesiredColumns, now: Instant): void {
    this.#db.run('DELETE FROM desired WHERE id = ?', id);
    const elected = this.#claims.elected({ destination, key });
    if (elected !== undefined) putRow(this.#db, { destination, key }, elected, { assertEveryMs }, now);
    else this.#intents.release(destination, key, now);
  }

  settle({ destination, key, sentHash, delivery, delayMs = 0 }: SettledDesired, now: Instant): void {
    const row = this.#db.get<DesiredColumns>(`${ROW} AND sending = 1`, destination, key);
    if (row === undefined) return;
    const changed = row.wanted_hash !== sentHash;
    if (delivery.outcome === 'delivered') this.#accepted(row, sentHash, changed, delivery.detail, now);
    else if (delivery.outcome === 'drop') this.#refused(row, changed, delivery, now);
    else this.#retry(row, changed, delivery, delayMs, now);
  }

  /** What a crash left in flight has an unknown outcome: it is asserted again. */
  recover(now: Instant): void {
    this.#db.run('UPDATE desired SET sending = 0, next_at = ? WHERE sending = 1', now);
    postponeRemovals(this.#db, now);
  }

  #accepted(row: DesiredColumns, sentHash: string, changed: boolean, detail: string | undefined, now: Instant): void {
    const isRemoved = sentHash === NOTHING_HASH;
    this.#db.run(
      `UPDATE desired SET sending = 0, accepted_hash = ?2, attempts = 0, refused = 0, reason = NULL, detail = ?3,
         next_at = ?4, first_accepted_at = iif(?6, NULL, coalesce(first_accepted_at, ?5)),
         not_in_sync_since = iif(wanted_hash = ?2, NULL, not_in_sync_since) WHERE id = ?1`,
      row.id,
      sentHash,
      shortDetail(detail),
      changed ? now : isRemoved || row.retired === 1 ? now + SHOWN_MS : nextAssertion(row, now),
      now,
      Number(isRemoved),
    );
    if (!isRemoved) this.#intents.release(row.destination, row.key, now);
  }

  #refused(row: DesiredColumns, changed: boolean, delivery: Drop, now: Instant): void {
    const { reason, detail, hold, afterMs } = delivery;
    const againMs = afterMs ?? Math.min(DAY_MS, HOUR_MS * 2 ** Math.min(row.attempts - 1, 10));
    if (hold) this.#holds.set(row.destination, hold.key, now + againMs, now);
    // A refusal of what is no longer wanted says nothing about what is.
    this.#db.run(
      'UPDATE desired SET sending = 0, refused = ?, reason = ?, detail = ?, next_at = ? WHERE id = ?',
      Number(!changed),
      reason,
      shortDetail(detail),
      changed ? now : now + againMs,
      row.id,
    );
    if (!changed) this.#intents.release(row.destination, row.key, now);
    if (hold) refuseAll(this.#db, this.#intents, row.destination, delivery, now + againMs, now);
  }

  #retry(row: DesiredColumns, changed: boolean, delivery: Retry, delayMs: number, now: Instant): void {
    const { reason, detail, hold } = delivery;
    if (hold) this.#holds.set(row.destination, hold.key, now + delayMs, now);
    this.#db.run(
      'UPDATE desired SET sending = 0, reason = ?, detail = ?, next_at = ?, attempts = max(0, attempts - ?) WHERE id = ?',
      reason,
      shortDetail(detail),
      changed ? now : now + delayMs,
      Number(hold !== undefined),
      row.id,
    );
  }
}
