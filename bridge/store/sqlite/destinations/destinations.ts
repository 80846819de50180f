import type { Instant } from '../../../lib/clock.ts';
import type { LeftDestination } from '../../read.ts';
import type { Transition } from '../../../lifecycle/transition.ts';
import type { DestinationsTx, Returned } from '../../destinations.ts';
import type { Db } from '../db/db.ts';
import type { IntentColumns } from '../outbox/due.ts';
import { giveUp } from '../outbox/giving-up.ts';
import type { Holds } from '../outbox/holds.ts';
import type { Journals } from '../journal/journals.ts';
import type { Intents } from '../outbox/intents.ts';
import { MOVE_ROWS } from '../desired/removals.ts';
import { parsed } from '../db/unreadable-rows.ts';

/** How long what a destination had is kept for its return; the vendor has it still. */
const KEPT_MS = 30 * 24 * 3_600_000;
/** How many deliveries for a destination that does not return are given up at once. */
const PER_SWEEP = 1000;

const LEAVE = `INSERT OR IGNORE INTO left_destinations (destination, left_at) SELECT destination, ?1 FROM (
    SELECT destination FROM cutoffs UNION SELECT destination FROM desired UNION SELECT destination FROM claims
    UNION SELECT destination FROM intents INDEXED BY intents_lane WHERE settled_at IS NULL)
  WHERE destination NOT IN (SELECT value FROM json_each(?2)) RETURNING destination`;

const RETURN = `DELETE FROM left_destinations WHERE destination IN (SELECT value FROM json_each(?))
  RETURNING destination, left_at`;

/** A start and an end may be of the same second: only what was recorded first says which is which. */
const RECORDED = `SELECT seq, transition FROM (
    SELECT seq, recorded_at, run_uid, transition FROM transitions ORDER BY seq DESC LIMIT ?3)
  WHERE recorded_at >= ?2 AND run_uid IS NOT NULL
  UNION SELECT seq, transition FROM transitions WHERE run_uid IS NOT NULL AND id IN (
    SELECT transition_id FROM decisions WHERE destination = ?1 AND verdict = 'waiting')
  ORDER BY seq`;

/**
 * What was decided meanwhile was not decided for a destination that had left. What waits for its namespace, by a timer of
 * its own, is open.
 */
const UNDECIDED = `UPDATE decisions SET verdict = 'dropped', reason = 'destination_removed', at = ?2
  WHERE destination = ?1 AND verdict = 'waiting' AND EXISTS (
    SELECT 1 FROM transitions LEFT JOIN runs ON runs.uid = run_uid
    WHERE transitions.id = transition_id AND waiting_for IS NULL AND NOT EXISTS (
      SELECT 1 FROM timers WHERE timers.id = concat('namespace/',
        iif(json_valid(transition), transition ->> '$.about.namespace', ''), '/', ?1, '/', transitions.id)))`;

const WAITING = `UPDATE decisions SET verdict = 'dropped', reason = 'destination_removed', at = ?2
  WHERE destination = ?1 AND verdict = 'waiting'`;

const UNSETTLED = `SELECT * FROM intents INDEXED BY intents_lane WHERE destination = ? AND settled_at IS NULL ORDER BY lane, seq LIMIT ${PER_SWEEP}`;

const DEAD_CLAIMANTS = `SELECT DISTINCT uid FROM claims WHERE destination = ? AND uid <> ?
  AND NOT EXISTS (SELECT 1 FROM objects WHERE objects.uid = claims.uid AND deleted = 0)`;

/**
 * Destinations that left the configuration. What waits for one is held, since a name may be mistyped and mended, and
 * given up after as long as any delivery may take; its rows are kept a while longer. The caller holds the transaction.
 */
export class Destinations implements DestinationsTx {
  readonly #db: Db;
  readonly #holds: Holds;
  readonly #intents: Intents;
  readonly #journals: Journals;
  readonly #onKeys: () => void;

  constructor(db: Db, holds: Holds, intents: Intents, journals: Journals, onKeys: () => void) {
    this.#db = db;
    this.#holds = holds;
    this.#intents = intents;
    this.#journals = journals;
    this.#onKeys = onKeys;
  }

  configured(names: readonly string[], now: Instant): Returned[] {
    const text = JSON.stringify(names);
    const returned = this.#db.all<{ destination: string; left_at: number }>(RETURN, text);
    for (const { destination } of returned) this.#holds.end(destination, [destination], now);
    for (const { destination } of this.#db.all<{ destination: string }>(LEAVE, now, text)) {
      this.#holds.set(destination, destination, now + KEPT_MS, now);
    }
    return returned.map(({ destination, left_at: leftAt }) => ({ destination, leftAt }));
  }

  /** The first that is set stays. */
  cutoff(destination: string, at: Instant): Instant {
    if (this.#db.run('INSERT OR IGNORE INTO cutoffs (destination, at) VALUES (?, ?)', destination, at) > 0)
      this.#onKeys();
    return this.#db.get<{ at: number }>('SELECT at FROM cutoffs WHERE destination = ?', destination)!.at;
  }

  recordedSince({ destination, leftAt }: Returned, limit: number): Transition[] {
    const rows = this.#db.all<{ transition: string }>(RECORDED, destination, leftAt, limit);
    return rows.flatMap(({ transition }) => parsed<Transition>(transition).value ?? []);
  }

  settleMissed(destination: string, now: Instant): void {
    this.#db.run(UNDECIDED, destination, now);
  }

  deadClaimants(destination: string, own: string): string[] {
    return this.#db.all<{ uid: string }>(DEAD_CLAIMANTS, destination, own).map(({ uid }) => uid);
  }

  keepRemovals(destination: string): void {
    this.#db.run('UPDATE desired SET remove_at = NULL WHERE destination = ? AND remove_at IS NOT NULL', destination);
  }

  /** Gives up what waits for those that left `maxAgeMs` ago, and forgets those that left long ago. */
  sweep(now: Instant, maxAgeMs: number): void {
    const left = this.#db.all<{ destination: string; left_at: number }>('SELECT * FROM left_destinations');
    for (const { destination, left_at: leftAt } of left) {
      if (now - leftAt >= maxAgeMs) this.#giveUp(destination, now);
      if (now - leftAt >= Math.max(KEPT_MS, maxAgeMs)) this.#forget(destination, now);
    }
  }

  #giveUp(destination: string, now: Instant): void {
    giveUp(this.#intents, this.#db.all<IntentColumns>(UNSETTLED, destination), 'destination_removed', now);
    this.#db.run(WAITING, destination, now);
    this.#journals.letGo(destination, now);
  }

  /** A destination of this name is a new one from now on; only its sticky keys and what its rows were stay a while. */
  #forget(destination: string, now: Instant): void {
    if (
      this.#db.get(
        'SELECT 1 FROM intents INDEXED BY intents_lane WHERE destination = ? AND settled_at IS NULL',
        destination,
      )
    )
      return;
    this.#db.run(`${MOVE_ROWS} WHERE destination = ?2`, now, destination);
    for (const table of [
      'desired',
      'claims',
      'holds',
      'cutoffs',
      'receipts',
      'left_destinations',
      'journals',
      'journal_drops',
    ]) {
      this.#db.run(`DELETE FROM ${table} WHERE destination = ?`, destination);
    }
    this.#onKeys();
  }
}

/** With what waits for them. */
export function readLeftDestinations(db: Db): LeftDestination[] {
  return db
    .all<{ destination: string; left_at: number; waiting: number }>(
      `SELECT destination, left_at, (SELECT count(*) FROM intents INDEXED BY intents_lane
         WHERE intents.destination = left_destinations.destination AND settled_at IS NULL) AS waiting
       FROM left_destinations ORDER BY destination`,
    )
    .map(({ destination, left_at: leftAt, waiting }) => ({ destination, leftAt, waiting }));
}
