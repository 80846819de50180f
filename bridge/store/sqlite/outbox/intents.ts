import type { Instant } from '../../../lib/clock.ts';
import type { Reason } from '../../../lib/reasons.ts';
import type { ClaimedIntent, Delivery, Intent } from '../../../sinks/sink.ts';
import type { Settled } from '../../outbox-store.ts';
import { isDecided, isRemoved } from './awaited-row.ts';
import { toClaimed } from './claimed.ts';
import type { Db } from '../db/db.ts';
import { dueIntents } from './due.ts';
import type { IntentColumns } from './due.ts';
import type { Holds } from './holds.ts';
import type { Retirements } from './retirements.ts';
import { shortDetail } from '../db/short-detail.ts';
import { Suspects } from './suspects.ts';

type Retry = Extract<Delivery, { outcome: 'retry' }>;

/** A vendor that fails as a whole is asked again after this, as one that cannot be reached. */
const FAILING_MS = 10_000;

const INSERT = `INSERT INTO intents
  (destination, key, lane, transition_id, payload, limits, gate, waits_for, story, keep, status, created_at, next_at,
    eligible_at, age_from)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12, ?13, ?14)
  ON CONFLICT (destination, key) DO NOTHING`;

const HEAD = `SELECT seq, status, waits_for, gate FROM intents
  WHERE destination = ? AND lane = ? AND settled_at IS NULL ORDER BY seq LIMIT 1`;

/** Few are in flight at a time: without the name SQLite reads all that waits in the lane. */
const IN_FLIGHT = `SELECT 1 FROM intents INDEXED BY intents_sending
  WHERE status = 'sending' AND destination = ? AND lane = ?`;

const AGAIN = `UPDATE intents SET status = 'queued', reason = NULL, detail = NULL, note = NULL, settled_at = NULL,
    attempts = 0, failures = 0, next_at = ?2, eligible_at = NULL, age_from = NULL WHERE seq = ?1`;

/** What waits again for an earlier one of its lane. */
const BEHIND = `UPDATE intents SET status = 'queued', eligible_at = NULL, age_from = NULL
  WHERE destination = ? AND lane = ? AND settled_at IS NULL AND seq > ? AND status IN ('awaiting', 'ready')`;

/** A refused row lets its intents pass; the receipt says so. */
const MARK = `UPDATE intents SET status = 'sending', attempts = attempts + 1, note = (
    SELECT concat_ws(': ', 'row_refused', reason, detail) FROM desired
    WHERE desired.destination = intents.destination AND desired.key = intents.waits_for
      AND refused = 1 AND first_accepted_at IS NULL)
  WHERE seq = ? RETURNING note`;

/** What was decided on the transition: to send it all the same. */
const SENT_REFUSED = `UPDATE decisions SET reason = 'row_refused', at = ?2, detail = (
    SELECT nullif(concat_ws(': ', desired.reason, desired.detail), '') FROM desired
    WHERE desired.destination = intents.destination AND desired.key = intents.waits_for)
  FROM intents WHERE seq = ?1 AND decisions.transition_id = intents.transition_id
    AND decisions.destination = intents.destination AND verdict = 'planned' AND decisions.reason IS NULL`;

/** The last answer of each kind that a try got and that did not settle the intent. */
const ANSWER = `INSERT INTO answers (seq, reason, detail, count, last_at) VALUES (?, ?, ?, 1, ?)
  ON CONFLICT (seq, reason) DO UPDATE SET detail = excluded.detail, count = count + 1, last_at = excluded.last_at`;

/** The outbox rows: order within lanes, holds, tries and receipts. The caller holds the transaction. */
export class Intents {
  readonly #db: Db;
  readonly #holds: Holds;
  readonly #retirements: Retirements;
  readonly #suspects = new Suspects();

  constructor(db: Db, holds: Holds, retirements: Retirements) {
    this.#db = db;
    this.#holds = holds;
    this.#retirements = retirements;
  }

  /** False when the key is known already. */
  enqueue(destination: string, transitionId: string, intent: Intent, at: Instant): boolean {
    const { key, lane, payload, limits, waitsFor = null, story = null, keep = false } = intent;
    const gate = JSON.stringify(limits.map((limit) => limit.key));
    const head = this.#db.get<{ status: string }>(HEAD, destination, lane);
    // Written as the head of its lane at once where it is that: a change of its status costs as much as to write it.
    const place = head === undefined ? this.#headPlace(destination, waitsFor) : 'queued';
    const isReady = place === 'ready';
    const added = this.#db.run(
      INSERT,
      destination,
      key,
      lane,
      transitionId,
      JSON.stringify(payload),
      JSON.stringify(limits),
      gate,
      waitsFor,
      story,
      Number(keep),
      place === 'removed' ? 'queued' : place,
      at,
      isReady ? at : null,
      isReady ? at - this.#holds.elapsedMs(destination, gate, at) : null,
    );
    if (added > 0 && head === undefined) this.#db.work.intents(destination);
    if (added > 0 && (place === 'removed' || head?.status === 'queued')) this.promote(destination, lane, at);
    return added > 0;
  }

  claim(
    destination: string,
    limit: number,
    now: Instant,
    exclude: readonly string[],
    dryRun: boolean,
    perGate: number,
  ): ClaimedIntent[] {
    const blocked = new Set([...exclude, ...this.#holds.active(destination, now)]);
    if (blocked.has(destination) || this.#retirements.current() !== undefined) return [];
    const statuses = dryRun ? ['ready', 'awaiting'] : ['ready'];
    for (;;) {
      const found = statuses.flatMap((status) =>
        dueIntents(this.#db, { destination, status, limit, now, blocked, perGate }),
      );
      const oldest = found.toSorted((a, b) => a.next_at - b.next_at || a.seq - b.seq).slice(0, limit);
      for (const { seq } of oldest) {
        this.#suspects.claimed(seq);
        const marked = this.#db.get<{ note: string | null }>(MARK, seq);
        if (marked?.note) this.#db.run(SENT_REFUSED, seq, now);
      }
      const claimed = oldest.flatMap((row) => this.#claimed(row, now));
      // Who gets none does not ask again: what cannot be sent made way for others.
      if (claimed.length > 0 || oldest.length === 0) return claimed;
    }
  }

  /** Empty for one that cannot be sent: it is given up, and the next of its lane may go. */
  #claimed(row: IntentColumns, now: Instant): ClaimedIntent[] {
    const claimed = toClaimed(this.#db, row);
    if (!('reason' in claimed)) return [claimed];
    this.#finish(row, 'dropped', claimed.reason, shortDetail(claimed.detail), now);
    return [];
  }

  settle({ seq, delivery, delayMs = 0 }: Settled, now: Instant): void {
    const row = this.#db.get<IntentColumns>("SELECT * FROM intents WHERE seq = ? AND status = 'sending'", seq);
    if (row === undefined) return;
    if (delivery.outcome === 'retry') {
      this.#retry(row, delivery, delayMs, now);
      return;
    }
    if (delivery.outcome === 'delivered') this.#suspects.delivered(row);
    const delivered = row.unknown_outcomes > 0 ? 'delivered_again' : 'delivered';
    const reason = delivery.outcome === 'drop' ? delivery.reason : delivered;
    const status = delivery.outcome === 'drop' ? 'dropped' : 'delivered';
    this.#finish(row, status, reason, withNote(row, delivery.detail), now);
  }

  /** Lets go what waited for this desired row. */
  release(destination: string, waitsFor: string, now: Instant): void {
    const sql = "SELECT seq, gate FROM intents WHERE destination = ? AND waits_for = ? AND status = 'awaiting'";
    const rows = this.#db.all<{ seq: number; gate: string }>(sql, destination, waitsFor);
    for (const { seq, gate } of rows) this.#ready(seq, destination, gate, now);
    if (rows.length > 0) this.#db.work.intents(destination);
  }

  /** Makes intents whose row was let go without acceptance, and is neither accepted nor refused now, wait for it again. */
  awaitRows(destination: string): void {
    this.#db.run(
      `UPDATE intents SET status = 'awaiting', eligible_at = NULL, age_from = NULL
       WHERE destination = ?1 AND status = 'ready' AND settled_at IS NULL AND waits_for IN (
         SELECT key FROM desired WHERE destination = ?1 AND first_accepted_at IS NULL AND refused = 0)`,
      destination,
    );
  }

  /** What a crash left in flight is tried again; the vendor may have seen it. */
  recover(now: Instant): void {
    const rows = this.#db.all<{ seq: number; destination: string; lane: string }>(
      `UPDATE intents SET status = iif(eligible_at IS NULL, 'awaiting', 'ready'), reason = 'answer_lost',
         unknown_outcomes = unknown_outcomes + 1, next_at = ? WHERE status = 'sending' RETURNING seq, destination, lane`,
      now,
    );
    for (const { seq, destination, lane } of rows) {
      this.#db.run(ANSWER, seq, 'answer_lost', null, now);
      this.#reorder(destination, lane, now);
    }
  }

  /** Makes the first unsettled intent of a lane its head. */
  promote(destination: string, lane: string, now: Instant): void {
    const head = this.#db.get<{ seq: number; status: string; waits_for: string | null; gate: string }>(
      HEAD,
      destination,
      lane,
    );
    // What was sent before an earlier one became pending again is waited for.
    if (head?.status !== 'queued' || this.#db.get(IN_FLIGHT, destination, lane) !== undefined) return;
    // Also what waits for its row: a dry run does not.
    this.#db.work.intents(destination);
    const place = this.#headPlace(destination, head.waits_for);
    if (place === 'removed') {
      const row = this.#db.get<IntentColumns>('SELECT * FROM intents WHERE seq = ?', head.seq)!;
      this.#finish(row, 'dropped', 'row_removed', null, now);
    } else if (place === 'ready') this.#ready(head.seq, destination, head.gate, now);
    else this.#db.run("UPDATE intents SET status = 'awaiting' WHERE seq = ?", head.seq);
  }

  /** What the first unsettled intent of a lane is; `removed`: the vendor should have nothing of what it waits for. */
  #headPlace(destination: string, waitsFor: string | null): 'ready' | 'awaiting' | 'removed' {
    if (waitsFor === null) return 'ready';
    if (isRemoved(this.#db, destination, waitsFor)) return 'removed';
    return isDecided(this.#db, destination, waitsFor) ? 'ready' : 'awaiting';
  }

  /** After something of a lane became pending again: only the first of the lane may go. */
  #reorder(destination: string, lane: string, now: Instant): void {
    const head = this.#db.get<{ seq: number }>(HEAD, destination, lane);
    if (head === undefined) return;
    this.#db.run(BEHIND, destination, lane, head.seq);
    this.promote(destination, lane, now);
  }

  /** Makes a settled intent pending again: its age and failures start again, what the vendor may have seen stays known. */
  requeue({ seq, destination, lane }: Pick<IntentColumns, 'seq' | 'destination' | 'lane'>, now: Instant): void {
    this.#db.run(AGAIN, seq, now);
    this.#reorder(destination, lane, now);
  }

  #retry(row: IntentColumns, delivery: Retry, delayMs: number, now: Instant): void {
    const { reason, detail, unknown = false, suspect } = delivery;
    const failing = suspect && this.#suspects.failed(row, suspect.key);
    // What the vendor may have done is not sent again every ten seconds.
    const shared = failing === 'all' && !unknown ? suspect : undefined;
    const hold = delivery.hold ?? shared;
    const nextAt = now + (shared === undefined ? delayMs : Math.max(delayMs, FAILING_MS));
    if (hold) this.#holds.set(row.destination, hold.key, nextAt, now);
    this.#db.run(ANSWER, row.seq, reason, shortDetail(detail), now);
    // A hold is not a failure of this intent, and neither is our own stop, nor what befalls every other as well.
    const failed = !hold && reason !== 'shutting_down' && (failing ?? 'alone') === 'alone';
    this.#db.run(
      `UPDATE intents SET status = iif(eligible_at IS NULL, 'awaiting', 'ready'), reason = ?, detail = ?, next_at = ?,
         attempts = attempts - ?, failures = failures + ?, unknown_outcomes = unknown_outcomes + ? WHERE seq = ?`,
      reason,
      withNote(row, detail),
      nextAt,
      Number(hold !== undefined),
      Number(failed),
      Number(unknown),
      row.seq,
    );
    this.#reorder(row.destination, row.lane, now);
  }

  /** Gives an intent up, whatever it waits for; one that is settled stays as it is. */
  drop(row: IntentColumns, reason: Reason, detail: string | null, now: Instant): void {
    this.#finish(row, 'dropped', reason, detail, now);
  }

  #finish(
    row: IntentColumns,
    status: 'delivered' | 'dropped',
    reason: Reason,
    detail: string | null,
    now: Instant,
  ): void {
    const settled = this.#db.run(
      'UPDATE intents SET status = ?, reason = ?, detail = ?, settled_at = ? WHERE seq = ? AND settled_at IS NULL',
      status,
      reason,
      detail,
      now,
      row.seq,
    );
    if (settled === 0) return;
    this.#suspects.settled(row.seq);
    this.#db.run(
      'INSERT INTO receipts (destination, reason, count) VALUES (?, ?, 1) ON CONFLICT (destination, reason) DO UPDATE SET count = count + 1',
      row.destination,
      reason,
    );
    this.promote(row.destination, row.lane, now);
  }

  #ready(seq: number, destination: string, gate: string, now: Instant): void {
    this.#db.run(
      "UPDATE intents SET status = 'ready', eligible_at = ?, age_from = ? WHERE seq = ?",
      now,
      now - this.#holds.elapsedMs(destination, gate, now),
      seq,
    );
  }
}

/** By the index of what waits: in the order of their numbers all that are settled come first. */
const WAITING_SINCE = `SELECT coalesce(transitions.at, created_at) AS at
  FROM intents LEFT JOIN transitions ON id = transition_id
  WHERE intents.seq = (SELECT min(seq) FROM intents INDEXED BY intents_due WHERE settled_at IS NULL)`;

/** When the oldest of what is not settled happened. */
export function waitingSince(db: Db): Instant | undefined {
  return db.get<{ at: number }>(WAITING_SINCE)?.at;
}

function withNote(row: IntentColumns, detail: string | undefined): string | null {
  return shortDetail([detail, row.note].filter(Boolean).join('; '));
}
