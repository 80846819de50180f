import type { Instant } from '../../../lib/clock.ts';
import type { Reason } from '../../../lib/reasons.ts';
import type { Delivery, JournalEntry } from '../../../sinks/sink.ts';
import type { ClaimedJournal, SettledJournal } from '../../journal.ts';
import type { Db } from '../db/db.ts';
import { shortDetail } from '../db/short-detail.ts';
import type { Holds } from '../outbox/holds.ts';
import type { Retirements } from '../outbox/retirements.ts';
import type { ReadEntry } from './journal-entries.ts';
import { beforeAwaited } from './awaited-run.ts';
import { countEntries, readEntries } from './journal-entries.ts';

const LAST = Number.MAX_SAFE_INTEGER;
const GATE = '[]';
const MAX_DROPS = 1_000;
/** How soon it is looked again whether the run of the next entry came. */
const AWAITED_MS = 500;

interface JournalColumns {
  readonly destination: string;
  /** All up to it are settled. */
  readonly cursor: number;
  /** Where the batch ends that is sent, or was tried last. */
  readonly sending_to: number | null;
  readonly in_flight: number;
  /** Most entries of the next batch, while one that was refused is halved. */
  readonly most: number | null;
  readonly attempts: number;
  readonly unknown_outcomes: number;
  readonly next_at: Instant;
  /** Up to this one all could be exported since `age_from`, time behind holds not counted. */
  readonly age_seq: number;
  readonly age_from: Instant;
}

/** What was recorded before the cut-off is behind it. */
const BEGIN = `INSERT INTO journals (destination, cursor, next_at, age_seq, age_from)
  SELECT ?1, coalesce((SELECT seq FROM transitions
    WHERE recorded_at < coalesce((SELECT at FROM cutoffs WHERE destination = ?1), ?2) ORDER BY seq DESC LIMIT 1), 0), ?2, 0, ?2`;

const DUE = `SELECT in_flight = 0 AND next_at <= ?2 AND (sending_to IS NOT NULL
    OR EXISTS (SELECT 1 FROM transitions WHERE seq > cursor) OR EXISTS (SELECT 1 FROM events WHERE seq > cursor)) AS due
  FROM journals WHERE destination = ?1`;

const RECEIPT = `INSERT INTO receipts (destination, reason, count) VALUES (?, ?, ?)
  ON CONFLICT (destination, reason) DO UPDATE SET count = count + excluded.count`;

const SAME_DROP = `UPDATE journal_drops SET to_seq = ?4, count = count + ?5, at = ?6
  WHERE id = (SELECT max(id) FROM journal_drops WHERE destination = ?1) AND reason = ?2 AND detail IS ?3`;

/** How far each destination has followed what was committed. The caller holds the transaction. */
export class Journals {
  readonly #db: Db;
  readonly #holds: Holds;
  readonly #retirements: Retirements;
  /** Up to then the store that this one replaces reported everything. */
  readonly #reportedUpTo: Instant;

  constructor(db: Db, holds: Holds, retirements: Retirements, reportedUpTo: Instant = -Infinity) {
    this.#db = db;
    this.#holds = holds;
    this.#retirements = retirements;
    this.#reportedUpTo = reportedUpTo;
  }

  /** Whether a claim may find something, or begins. */
  isDue(destination: string, now: Instant): boolean {
    return this.#db.get<{ due: number }>(DUE, destination, now)?.due !== 0;
  }

  claim(destination: string, limit: number, now: Instant, limitKeys: readonly string[]): ClaimedJournal | undefined {
    if (this.#retirements.current() !== undefined) return undefined;
    const row = this.#row(destination) ?? this.#begin(destination, now);
    if (row.in_flight === 1 || row.next_at > now || this.#holds.isHeld(destination, limitKeys, now)) return undefined;
    const most = Math.min(limit, row.most ?? limit);
    const all = readEntries(this.#db, row.cursor, row.sending_to ?? LAST, most, this.#cutoff(destination));
    if (all.length === 0) return this.#withoutEntries(row);
    // What was sent once is sent again as it was.
    const read = row.sending_to === null ? beforeAwaited(this.#db, all, now) : all;
    if (read.length === 0) return { destination, upTo: row.cursor, entries: [], attempt: 1, againMs: AWAITED_MS };
    const [first] = read;
    if (first !== undefined && 'passed' in first) {
      const upTo = this.#pass(destination, read, first.passed, now);
      return { destination, upTo, entries: [], attempt: 1 };
    }
    const end = read.findIndex((one) => 'passed' in one);
    const entries = read.slice(0, end === -1 ? undefined : end).flatMap((one) => ('entry' in one ? [one.entry] : []));
    return this.#send(row, entries);
  }

  /** What was to be sent again was pruned meanwhile: then it goes on behind it. */
  #withoutEntries({ destination, sending_to: upTo }: JournalColumns): ClaimedJournal | undefined {
    if (upTo === null) return undefined;
    this.#moveTo(destination, upTo);
    return { destination, upTo, entries: [], attempt: 1 };
  }

  #send({ destination, attempts }: JournalColumns, entries: readonly JournalEntry[]): ClaimedJournal {
    const upTo = entries.at(-1)!.seq;
    const sql = 'UPDATE journals SET in_flight = 1, sending_to = ?, attempts = attempts + 1 WHERE destination = ?';
    this.#db.run(sql, upTo, destination);
    return { destination, upTo, entries, attempt: attempts + 1 };
  }

  /** Goes behind the first ones, which are passed for the same reason. */
  #pass(destination: string, read: readonly ReadEntry[], reason: Reason, now: Instant): number {
    const end = read.findIndex((one) => !('passed' in one) || one.passed !== reason);
    const passed = read.slice(0, end === -1 ? undefined : end);
    const upTo = passed.at(-1)!.seq;
    this.#drop(destination, { from: passed[0]!.seq, upTo, count: passed.length }, reason, undefined, now);
    this.#moveTo(destination, upTo);
    return upTo;
  }

  settle({ destination, upTo, entries, delivery, delayMs = 0 }: SettledJournal, now: Instant): void {
    const row = this.#row(destination);
    if (row?.in_flight !== 1 || row.sending_to !== upTo) return;
    const { outcome } = delivery;
    if (outcome === 'delivered') return this.#taken(row, upTo, entries, now);
    if (outcome === 'retry' || delivery.hold !== undefined) return this.#retry(destination, delivery, delayMs, now);
    const { reason, detail, refused } = delivery;
    if (refused === undefined && entries > 1 && reason !== 'dry_run')
      return this.#halve(destination, entries, delivery, now);
    const count = Math.min(refused ?? entries, entries);
    this.#drop(destination, { from: row.cursor + 1, upTo, count }, reason, detail, now);
    if (count < entries) this.#taken(row, upTo, entries - count, now);
    else this.#moveTo(destination, upTo);
  }

  #taken({ destination, unknown_outcomes }: JournalColumns, upTo: number, count: number, now: Instant): void {
    this.#db.run(RECEIPT, destination, unknown_outcomes > 0 ? 'delivered_again' : 'delivered', count);
    this.#moveTo(destination, upTo, now);
  }

  #retry(
    destination: string,
    delivery: Exclude<Delivery, { outcome: 'delivered' }>,
    delayMs: number,
    now: Instant,
  ): void {
    const { reason, detail, hold } = delivery;
    const waitMs = delivery.outcome === 'retry' ? delayMs : (delivery.afterMs ?? delayMs);
    if (hold) this.#holds.set(destination, hold.key, now + waitMs, now);
    // A hold is not a fault of this batch, and neither is our own stop.
    const isFault = !hold && reason !== 'shutting_down';
    const unknown = delivery.outcome === 'retry' && delivery.unknown === true;
    const sql = `UPDATE journals SET in_flight = 0, reason = ?, detail = ?, next_at = ?, attempts = attempts - ?,
      unknown_outcomes = unknown_outcomes + ? WHERE destination = ?`;
    const counts = [Number(!isFault), Number(unknown)] as const;
    this.#db.run(sql, reason, shortDetail(detail), now + waitMs, ...counts, destination);
  }

  #halve(destination: string, entries: number, { reason, detail }: { reason: Reason; detail?: string }, now: Instant) {
    const sql = `UPDATE journals SET in_flight = 0, sending_to = NULL, most = ?, reason = ?, detail = ?, next_at = ?,
      attempts = 0 WHERE destination = ?`;
    this.#db.run(sql, Math.floor(entries / 2), reason, shortDetail(detail), now, destination);
  }

  /** All up to it are settled; `now` when they were exported. */
  #moveTo(destination: string, cursor: number, now?: Instant): void {
    const sql = `UPDATE journals SET cursor = ?, in_flight = 0, sending_to = NULL, most = NULL, attempts = 0,
      unknown_outcomes = 0, reason = NULL, detail = NULL, exported_at = coalesce(?, exported_at) WHERE destination = ?`;
    this.#db.run(sql, cursor, now ?? null, destination);
  }

  /** Counts what is not exported, and lists it: what follows each other for one reason in one row. */
  #drop(
    destination: string,
    { from, upTo, count }: { readonly from: number; readonly upTo: number; readonly count: number },
    reason: Reason,
    detail: string | undefined,
    now: Instant,
  ): void {
    if (count === 0) return;
    this.#db.run(RECEIPT, destination, reason, count);
    const short = shortDetail(detail);
    if (this.#db.run(SAME_DROP, destination, reason, short, upTo, count, now) > 0) return;
    const sql = `INSERT INTO journal_drops (destination, reason, detail, from_seq, to_seq, count, at)
      VALUES (?, ?, ?, ?, ?, ?, ?)`;
    this.#db.run(sql, destination, reason, short, from, upTo, count, now);
    this.#db.run('DELETE FROM journal_drops WHERE id <= (SELECT max(id) FROM journal_drops) - ?', MAX_DROPS);
  }

  /** What a crash left in flight is sent again; the vendor may have seen it. */
  recover(now: Instant): void {
    const sql = `UPDATE journals SET in_flight = 0, unknown_outcomes = unknown_outcomes + 1, reason = 'answer_lost',
      next_at = ? WHERE in_flight = 1`;
    this.#db.run(sql, now);
  }

  /** Gives up everything that was committed so far and is not being sent, for one reason. */
  giveUp(destination: string, reason: Reason, now: Instant, upTo = this.#last()): void {
    const row = this.#row(destination);
    if (row === undefined || row.in_flight === 1 || row.cursor >= upTo) return;
    const count = countEntries(this.#db, row.cursor, upTo);
    this.#drop(destination, { from: row.cursor + 1, upTo, count }, reason, undefined, now);
    this.#moveTo(destination, upTo);
  }

  giveUpAll(reason: Reason, now: Instant): void {
    for (const { destination } of this.#rows()) this.giveUp(destination, reason, now);
  }

  /** A destination follows no more: nothing is kept for it. */
  letGo(destination: string, now: Instant): void {
    this.giveUp(destination, 'destination_removed', now);
    this.#db.run('DELETE FROM journals WHERE destination = ? AND in_flight = 0', destination);
  }

  /**
   * Gives up what could not be exported for `maxAgeMs`, time behind holds not counted: looked at in steps, so that it may
   * take twice as long. `followers`: the configured destinations that follow; others that are configured are let go.
   */
  sweep(now: Instant, maxAgeMs: number, followers: readonly string[] | undefined): void {
    if (this.#retirements.current() !== undefined) this.giveUpAll('retired', now);
    const left = this.#db.all<{ destination: string }>('SELECT destination FROM left_destinations');
    const hasLeft = new Set(left.map(({ destination }) => destination));
    for (const row of this.#rows()) {
      const { destination } = row;
      if (hasLeft.has(destination) || row.in_flight === 1) continue;
      if (followers !== undefined && !followers.includes(destination)) this.letGo(destination, now);
      else this.#expire(row, now, maxAgeMs);
    }
  }

  #expire(
    { destination, cursor, age_seq: upTo, age_from: from }: JournalColumns,
    now: Instant,
    maxAgeMs: number,
  ): void {
    const age = now - this.#holds.elapsedMs(destination, GATE, now);
    if (cursor < upTo && age - from < maxAgeMs) return;
    if (cursor < upTo) this.giveUp(destination, 'expired', now, upTo);
    this.#db.run('UPDATE journals SET age_seq = ?, age_from = ? WHERE destination = ?', this.#last(), age, destination);
  }

  /** Events up to this time are removed for their number: those that were not exported are counted as dropped. */
  overrun(at: Instant, limit: number, now: Instant): void {
    for (const { destination, cursor } of this.#rows()) {
      const sql = `SELECT min(seq) AS first, max(seq) AS last, count(*) AS count FROM (
        SELECT seq FROM events WHERE at <= ? ORDER BY at LIMIT ?) WHERE seq > ?`;
      const { first, last, count } = this.#db.get<{ first: number; last: number; count: number }>(
        sql,
        at,
        limit,
        cursor,
      )!;
      if (count > 0) this.#drop(destination, { from: first, upTo: last, count }, 'journal_overrun', undefined, now);
    }
  }

  #begin(destination: string, now: Instant): JournalColumns {
    this.#db.run(BEGIN, destination, now);
    return this.#row(destination)!;
  }

  #row(destination: string): JournalColumns | undefined {
    return this.#db.get<JournalColumns>('SELECT * FROM journals WHERE destination = ?', destination);
  }

  #rows(): JournalColumns[] {
    return this.#db.all<JournalColumns>('SELECT * FROM journals ORDER BY destination');
  }

  #cutoff(destination: string): Instant {
    const at = this.#db.get<{ at: number }>('SELECT at FROM cutoffs WHERE destination = ?', destination)?.at;
    return Math.max(at ?? -Infinity, this.#reportedUpTo);
  }

  /** The number of the newest entry. */
  #last(): number {
    const sql = `SELECT max(coalesce((SELECT max(seq) FROM transitions), 0), coalesce((SELECT max(seq) FROM events), 0))
      AS seq`;
    return this.#db.get<{ seq: number }>(sql)!.seq;
  }
}
