import type { Kind } from '../../../kubernetes/observation.ts';
import type { Instant } from '../../../lib/clock.ts';
import type { RetentionLimits, StoreState } from '../../store.ts';
import type { Db } from '../db/db.ts';
import type { EventRows } from '../events/event-rows.ts';
import { objectOf } from '../objects/objects.ts';
import type { Logs } from '../runs/logs.ts';
import { runOf } from '../runs/stored-runs.ts';
import type { PastRollouts } from './past-rollouts.ts';
import { deleteRollouts } from './past-rollouts.ts';
import { deleteObject, deleteRepeated, PARTLY_OWNED, UNSETTLED } from './prune.ts';
import type { Tombstones } from './tombstones.ts';

/** A step ends after this, so that the records that arrive meanwhile hardly wait. */
const STEP_MS = 20;
const PAGE = 200;
/** Names of all tables. */
const ANY = /^/;
const PASS_EVERY_MS = 3_600_000;
/** Who has nothing left to do looks again after this: what it removes by age was kept for hours at least. */
const LOOK_EVERY_MS = 10 * 60_000;

/** What removes its own that is too old. */
interface Kept {
  readonly logs: Logs;
  readonly events: EventRows;
  readonly tombstones: Tombstones;
}

interface Walked {
  readonly id: number;
  readonly uid: string;
  readonly kind: Kind;
  readonly deleted: number;
  readonly over_at: number | null;
  /** 0: what is stored of it, or of its run, cannot be read. */
  readonly sound: number;
}

interface Candidate {
  readonly namespace: string;
  readonly name: string;
  readonly owner_uid: string | null;
  readonly created_at: number | null;
  readonly run: string | null;
  readonly run_key: string | null;
  readonly partly_owned: number;
  /** Whether it may go before its time: no run, or one that has ended and waits for nothing. */
  readonly is_done: number;
}

/** A late record of one of these reports nothing, so that nothing is remembered of them. */
const UNREPORTED: ReadonlySet<Kind> = new Set<Kind>(['ReplicaSet', 'ControllerRevision', 'Namespace', 'Node']);

/** States are not parsed here: one that cannot be read goes like the others. */
const SOUND = `json_valid(state) AND coalesce(
  (SELECT json_valid(run) AND json_valid(memory) FROM runs WHERE runs.uid = objects.uid), TRUE)`;

const CANDIDATE = `SELECT objects.namespace, objects.name, objects.owner_uid,
    iif(json_valid(state), json_extract(state, '$.facts.createdAt'), NULL) AS created_at, runs.uid AS run,
    iif(json_valid(run), json_extract(run, '$.runKey'), NULL) AS run_key, ${PARTLY_OWNED} AS partly_owned,
    runs.uid IS NULL OR waiting_for IS NULL AND iif(json_valid(run), json_extract(run, '$.endedAt') IS NOT NULL, TRUE)
      AS is_done
  FROM objects LEFT JOIN runs ON runs.uid = objects.uid WHERE objects.uid = ?`;

/** Scheduled times without a Job: runs that no object stands for, the oldest first. */
const WITHOUT_JOB = `SELECT uid FROM runs WHERE status = +? AND sort_at <= ? ORDER BY sort_at, uid LIMIT ${PAGE}`;

/**
 * Removes deleted objects with their runs, scheduled times without a Job, and what a living object repeats for ever, by
 * age, and by size when the store is too large. It walks the objects in the order of their first sight, then the
 * transitions, in short steps; what is alive, waits to be sent or has a timer stays.
 */
export class Retention {
  readonly #db: Db;
  readonly #logs: Logs;
  readonly #events: EventRows;
  readonly #tombstones: Tombstones;
  /** Row of the object that was looked at last; undefined between two passes. */
  #cursor: number | undefined;
  /** Number of the transition that was looked at last, once the objects are done. */
  #transition: number | undefined;
  #lastPass: Instant = -Infinity;
  /** What this pass removed. */
  #removed = 0;
  /** A whole pass left the store too large: there is nothing more to remove for now. */
  #exhausted = false;
  #isBusy = false;
  #lookedAt: Instant = -Infinity;
  readonly #writes: () => number;
  #used: { readonly writes: number; readonly bytes: number } | undefined;

  constructor(db: Db, { logs, events, tombstones }: Kept) {
    this.#db = db;
    this.#logs = logs;
    this.#events = events;
    this.#tombstones = tombstones;
    this.#writes = db.writesOf(ANY);
  }

  /** Whether the last step left something to the next one. */
  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** Whether a step may find something; also after a clock that was set back. */
  isDue(now: Instant, limits: RetentionLimits): boolean {
    const isLate = Math.abs(now - this.#lookedAt) >= LOOK_EVERY_MS;
    return this.#isBusy || isLate || this.#events.mayBeMany || this.#isTooLarge(limits);
  }

  state({ maxBytes }: RetentionLimits): Omit<StoreState, 'sideFiles'> {
    return { usedBytes: this.#usedBytes(), maxBytes, exhausted: this.#exhausted };
  }

  /** One bounded step, inside a transaction. */
  step(now: Instant, limits: RetentionLimits): void {
    this.#lookedAt = now;
    const deadline = performance.now() + STEP_MS;
    const before = this.#writes();
    if (limits.logAge !== undefined) this.#logs.expire(now - limits.logAge);
    this.#events.expire(now);
    this.#tombstones.expire(now, limits);
    if (this.#isOver && this.#isPassDue(now, limits)) {
      this.#cursor = 0;
      this.#removed = 0;
    }
    for (const status of ['missed', 'skipped']) this.#withoutJob(status, now, limits, deadline);
    while (this.#cursor !== undefined && performance.now() < deadline) this.#page(now, limits, deadline);
    while (this.#transition !== undefined && performance.now() < deadline) this.#repeated(now, limits);
    this.#isBusy = !this.#isOver || this.#writes() !== before || this.#isPassDue(now, limits);
  }

  /** Not in the middle of a pass. */
  get #isOver(): boolean {
    return this.#cursor === undefined && this.#transition === undefined;
  }

  /** Every hour, also after a clock that was set back; at once when the store is too large. */
  #isPassDue(now: Instant, limits: RetentionLimits): boolean {
    return Math.abs(now - this.#lastPass) >= PASS_EVERY_MS || this.#isTooLarge(limits);
  }

  /** And there may be something to remove. */
  #isTooLarge({ maxBytes }: RetentionLimits): boolean {
    return !this.#exhausted && this.#usedBytes() > maxBytes;
  }

  /** They were judged once and for all, so nothing needs to be remembered of them. */
  #withoutJob(status: string, now: Instant, { age, maxBytes }: RetentionLimits, deadline: number): void {
    const isTooLarge = this.#usedBytes() > maxBytes;
    const rows = this.#db.all<{ uid: string }>(WITHOUT_JOB, status, isTooLarge ? now : now - age);
    for (const { uid } of rows) {
      if (performance.now() >= deadline || (isTooLarge && this.#usedBytes() <= maxBytes)) return;
      if (this.#db.get(UNSETTLED.run, uid) !== undefined) continue;
      if (deleteObject(this.#db, { uid }, deadline)) this.#removed++;
    }
  }

  #page(now: Instant, limits: RetentionLimits, deadline: number): void {
    const rows = this.#db.all<Walked>(
      `SELECT rowid AS id, uid, kind, deleted, over_at, ${SOUND} AS sound
       FROM objects WHERE rowid > ? ORDER BY rowid LIMIT ${PAGE}`,
      this.#cursor!,
    );
    for (const row of rows) {
      if (row.sound === 0) this.#setAside(row.uid);
      const isOver = row.deleted === 1 || row.over_at !== null;
      if (!isOver && this.#rollouts(row, true, now, limits, deadline).isCut) return;
      const gone = isOver && !this.#waits(row.uid) && this.#visit(row, now, limits, deadline);
      if (gone === 'unfinished') return;
      if (gone) this.#removed++;
      this.#cursor = row.id;
      if (performance.now() >= deadline) return;
    }
    if (rows.length === PAGE) return;
    this.#cursor = undefined;
    this.#transition = 0;
  }

  /** What a living object repeats goes by age, too, and by size when there is nothing else. */
  #repeated(now: Instant, { age, maxBytes }: RetentionLimits): void {
    const before = this.#usedBytes() > maxBytes ? now : now - age;
    const { removed, seq } = deleteRepeated(this.#db, this.#transition!, before);
    this.#removed += removed;
    this.#transition = seq;
    if (seq !== undefined) return;
    this.#lastPass = now;
    this.#exhausted = this.#removed === 0 && this.#usedBytes() > maxBytes;
  }

  /** True when the object was removed; `unfinished` when there is more of it than fits into this step. */
  #visit(
    { uid, kind, over_at: overAt }: Walked,
    now: Instant,
    limits: RetentionLimits,
    deadline: number,
  ): boolean | 'unfinished' {
    const row = this.#db.get<Candidate>(CANDIDATE, uid);
    if (row === undefined) return false;
    const isOld = overAt !== null && overAt <= now - limits.age;
    if (!isOld && !(row.is_done === 1 && this.#usedBytes() > limits.maxBytes)) return false;
    if (!this.#mayGo(uid, kind, row)) return false;
    const past = this.#rollouts({ uid, kind }, false, now, limits, deadline);
    if (past.isLeft) return past.isCut && 'unfinished';
    const { namespace, name, run_key: runKey, created_at: createdAt } = row;
    // A late record of a pod is known by its Job if it names it, and by no other owner.
    const owner = kind === 'Pod' && row.run === null && row.partly_owned === 0 ? row.owner_uid : null;
    const isKnown = owner !== null && this.#tombstones.hasJob(owner);
    const tombstone = { uid, kind, namespace, name, runKey: runKey ?? undefined, createdAt: createdAt ?? undefined };
    if (!isKnown && !UNREPORTED.has(kind)) this.#tombstones.put(tombstone, now);
    return deleteObject(this.#db, tombstone, deadline) || 'unfinished';
  }

  /** A pod goes with its Job, a CronJob after its Jobs, and nothing while something of it waits to be sent. */
  #mayGo(uid: string, kind: Kind, { owner_uid: owner, run }: Candidate): boolean {
    const has = (sql: string, key: string): boolean => this.#db.get(sql, key) !== undefined;
    if (kind === 'CronJob' && has('SELECT 1 FROM objects WHERE owner_uid = ? LIMIT 1', uid)) return false;
    if (kind === 'Pod' && run === null && owner !== null && has('SELECT 1 FROM runs WHERE uid = ?', owner))
      return false;
    return !has(kind === 'Pod' ? UNSETTLED.pod : UNSETTLED.run, uid);
  }

  #rollouts(
    { uid, kind }: Pick<Walked, 'uid' | 'kind'>,
    lives: boolean,
    now: Instant,
    { age, maxBytes }: RetentionLimits,
    deadline: number,
  ): PastRollouts {
    const before = this.#usedBytes() > maxBytes ? now : now - age;
    const past = deleteRollouts(this.#db, { uid, kind, lives }, before, deadline);
    if (lives) this.#removed += past.removed;
    return past;
  }

  /** To read them is to put them into quarantine; the audit fetches a living object again. */
  #setAside(uid: string): void {
    objectOf(this.#db, uid);
    runOf(this.#db, uid);
  }

  #waits(uid: string): boolean {
    return this.#db.get('SELECT 1 FROM timers WHERE uid = ? LIMIT 1', uid) !== undefined;
  }

  #usedBytes(): number {
    const writes = this.#writes();
    if (this.#used?.writes !== writes) this.#used = { writes, bytes: usedBytes(this.#db) };
    return this.#used.bytes;
  }
}

/** Pages in use; free ones are used again before the file grows. */
export function usedBytes(db: Db): number {
  const pragma = (name: string) => Object.values(db.get<Record<string, number>>(`PRAGMA ${name}`)!)[0]!;
  return (pragma('page_count') - pragma('freelist_count')) * pragma('page_size');
}
