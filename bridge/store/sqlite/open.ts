import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorText, UserError } from '../../lib/errors.ts';
import type { TransitionKind } from '../../lifecycle/transition.ts';
import type { Clock, Instant } from '../../lib/clock.ts';
import type { ClaimedDesired, ClaimedIntent } from '../../sinks/sink.ts';
import type { LogLimits, LogResult, WantedLog } from '../logs.ts';
import type { ResendRequest, Resent } from '../operations.ts';
import type { DueEvent, FoundProblem, SettledEvent } from '../problems.ts';
import type { ReadStore } from '../read.ts';
import type { UnjudgedChange } from '../unjudged.ts';
import type { Settled, SettledDesired } from '../outbox-store.ts';
import type { Dropped, Recovery, RetentionLimits, StoreState, Store, Timer, Tx } from '../store.ts';
import { Db } from './db/db.ts';
import { Claims } from './desired/claims.ts';
import { DesiredRows } from './desired/desired.ts';
import { keepPrivate } from './file/file-mode.ts';
import { Destinations } from './destinations/destinations.ts';
import { refuseNetworkFileSystem } from './file/file-system.ts';
import { Holds } from './outbox/holds.ts';
import { Intents, waitingSince } from './outbox/intents.ts';
import { isLost, StoreGone } from './file/integrity.ts';
import { lockStore } from './file/lock.ts';
import type { Lock } from './file/lock.ts';
import { refuseOtherSchema, refuseOlderStore } from './schema/migrations.ts';
import { hasHeader, openDatabase } from './recovery/opening.ts';
import { SqliteReader } from './views/reader.ts';
import { lastRecovery, readKeys } from './recovery/recovery.ts';
import { retryRefused } from './desired/refusals.ts';
import { resend } from './outbox/resend.ts';
import { Retention } from './housekeeping/retention.ts';
import { nextDue } from './housekeeping/next-due.ts';
import { Retirements } from './outbox/retirements.ts';
import { markSuspect } from './file/side-files.ts';
import { shiftBack, shiftTimes } from './housekeeping/shift.ts';
import { SideWriter } from './file/side-writer.ts';
import { Sweep } from './housekeeping/sweep.ts';
import { Tombstones } from './housekeeping/tombstones.ts';
import { SqliteTx } from './tx.ts';
import { unreadable, unusable } from './file/unreadable.ts';

/**
 * Opens, and makes if need be, the store in the file `path`, as its only owner. What a crash left in flight is due
 * again. A corrupted store is moved aside and a new one takes its place: see `recovery`. Throws a UserError when the file
 * cannot be used, is on a network file system, is too new, or when another process owns the store.
 */
export function openStore(path: string, clock: Clock): Store {
  try {
    return openOwned(path, clock);
  } catch (error) {
    throw unusable(path, error);
  }
}

function openOwned(path: string, clock: Clock): Store {
  mkdirSync(dirname(path), { recursive: true });
  refuseNetworkFileSystem(dirname(path));
  const lock = lockStore(path);
  try {
    keepPrivate(path);
    try {
      return openLocked(path, lock, clock.now());
    } catch (error) {
      if (!isLost(error)) throw error;
      // Found only after the check; the mark makes the second try begin with a new file.
      markSuspect(path, errorText(error));
      return openLocked(path, lock, clock.now());
    }
  } catch (error) {
    lock.release();
    throw error;
  }
}

function openLocked(path: string, lock: Lock, now: Instant): Store {
  const { db, recovery } = openDatabase(path, now);
  try {
    return new SqliteStore(path, db, lock, now, recovery);
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * Opens a second, read-only connection to a store. The rows of `dryRuns`, destinations that send nothing, count as
 * in sync and say why they are not sent. Throws a UserError when there is no store that it can read.
 */
export function openReader(path: string, dryRuns: readonly string[] = []): ReadStore {
  if (!existsSync(path))
    throw new UserError(`there is no store at ${path}`, 'start the bridge once, or check the path');
  let db: Db | undefined;
  try {
    db = new Db(path, true);
    refuseOtherSchema(db);
    refuseOlderStore(db);
    return new SqliteReader(db, dryRuns);
  } catch (error) {
    db?.close();
    throw unreadable(path, error);
  }
}

class SqliteStore implements Store {
  readonly #db: Db;
  readonly #lock: Lock;
  readonly #holds: Holds;
  readonly #retirements: Retirements;
  readonly #intents: Intents;
  readonly #desired: DesiredRows;
  readonly #retention: Retention;
  readonly #sweep: Sweep;
  readonly #side: SideWriter;
  readonly #path: string;
  readonly #inode: number;
  /** Stays open as long as the connection: to close a file drops all locks of the process on it. */
  readonly #file: number;
  readonly #earliestCutoff: Instant;
  readonly recovery: Recovery | undefined;
  readonly #tx: SqliteTx;
  #unshiftedMs = 0;

  constructor(path: string, db: Db, lock: Lock, now: Instant, made: Recovery | undefined) {
    this.#path = path;
    this.#inode = statSync(path).ino;
    this.#file = openSync(path, 'r');
    this.#db = db;
    this.#side = new SideWriter(
      path,
      () => readKeys(db),
      () => waitingSince(db),
    );
    this.recovery = made ?? lastRecovery(db);
    this.#earliestCutoff = made?.cutoffKnown === false ? now : -Infinity;
    this.#lock = lock;
    shiftBack(db, now);
    this.#holds = new Holds(db, now);
    this.#retirements = new Retirements(db);
    this.#intents = new Intents(db, this.#holds, this.#retirements);
    const claims = new Claims(db, this.#intents, this.#retirements);
    this.#desired = new DesiredRows(db, this.#holds, this.#intents, claims);
    const tombstones = new Tombstones(db);
    this.#retention = new Retention(db, tombstones);
    const onKeys = (): void => this.#side.keysChanged();
    const destinations = new Destinations(db, this.#holds, this.#intents, onKeys);
    this.#sweep = new Sweep(db, this.#holds, this.#intents, this.#retirements, destinations, onKeys);
    this.#tx = new SqliteTx(db, this.#intents, claims, this.#retirements, tombstones, destinations, onKeys);
    db.write(() => {
      this.#intents.recover(now);
      this.#desired.recover(now);
      this.#tx.problems.recover(now);
    });
  }

  transaction<T>(work: (tx: Tx) => T): T {
    this.#tx.begin();
    const result = this.#db.write(() => work(this.#tx));
    this.#tx.committed();
    return result;
  }

  takeTransitions(): TransitionKind[] {
    return this.#tx.done.added.splice(0);
  }

  takeUnreadable(): number {
    const count = this.#db.unreadable;
    this.#db.unreadable = 0;
    return count;
  }

  takeDropped(): Dropped[] {
    return this.#tx.done.dropped.splice(0);
  }

  takeProblems(): FoundProblem[] {
    return this.#tx.done.found.splice(0);
  }

  takeUnjudged(): UnjudgedChange[] {
    return this.#tx.unjudged.done.splice(0);
  }

  dueEvents(limit: number, now: Instant): DueEvent[] {
    return this.#tx.problems.due(limit, now);
  }

  settleEvents(results: readonly SettledEvent[], now: Instant): void {
    this.#db.write(() => results.forEach((result) => this.#tx.problems.settle(result, now)));
  }

  claim(
    destination: string,
    limit: number,
    now: Instant,
    exclude: readonly string[],
    dryRun: boolean,
    perGate = limit,
  ): ClaimedIntent[] {
    return this.#db.write(() => this.#intents.claim(destination, limit, now, exclude, dryRun, perGate));
  }

  settle(results: readonly Settled[], now: Instant): void {
    this.#db.write(() => results.forEach((result) => this.#intents.settle(result, now)));
  }

  claimDesired(destination: string, limit: number, now: Instant, limitKeys: readonly string[] = []): ClaimedDesired[] {
    return this.#db.write(() => this.#desired.claim(destination, limit, now, limitKeys));
  }

  settleDesired(results: readonly SettledDesired[], now: Instant): void {
    this.#db.write(() => results.forEach((result) => this.#desired.settle(result, now)));
  }

  retryRefused(destination: string, limitKeys: readonly string[], now: Instant): void {
    this.#db.write(() => {
      this.#holds.end(destination, limitKeys, now);
      retryRefused(this.#db, this.#intents, destination, now);
    });
  }

  wantedLogs(limit: number, now: Instant, reading: readonly number[]): WantedLog[] {
    return this.#tx.logs.wanted(limit, now, reading);
  }

  settleLogs(results: readonly LogResult[], limits: LogLimits, now: Instant): void {
    this.#db.write(() => results.forEach((result) => this.#tx.logs.settle(result, limits, now)));
  }

  clockSet(ms: number): void {
    this.#holds.shifted(ms);
    this.#side.clockSet(ms);
    this.#unshiftedMs += ms;
    this.#shift();
  }

  /** With a full disk again before anything that judges by ages. */
  #shift(): void {
    if (this.#unshiftedMs === 0) return;
    this.#db.write(() => shiftTimes(this.#db, this.#unshiftedMs));
    this.#unshiftedMs = 0;
  }

  sweep(now: Instant, maxAgeMs: number, supersedeMs: number): void {
    this.#shift();
    this.#db.write(() => this.#sweep.run(now, maxAgeMs, supersedeMs));
  }

  ingested(now: Instant): void {
    this.#side.committed(now);
  }

  retain(now: Instant, limits: RetentionLimits): StoreState {
    if (statSync(this.#path, { throwIfNoEntry: false })?.ino !== this.#inode) {
      throw new StoreGone(`the file ${this.#path} was removed or replaced while it was in use`);
    }
    // All pages may be in memory: no read of the connection would find that what it wrote is lost.
    if (!hasHeader(this.#file)) throw new StoreGone(`the file ${this.#path} was overwritten while it was in use`);
    this.#shift();
    const state = this.#db.write(() => {
      this.#tx.events.expire(now);
      if (limits.logAge !== undefined) this.#tx.logs.expire(now - limits.logAge);
      return this.#retention.step(now, limits);
    });
    return { ...state, sideFiles: this.#side.write(false) };
  }

  nextAt(now: Instant, kinds: readonly Timer['kind'][]): Instant {
    return this.#retention.isBusy ? now : Math.min(nextDue(this.#db, now, kinds), now + this.#side.dueInMs());
  }

  cutoff(destination: string, firstStart: Instant): Instant {
    const at = Math.max(firstStart, this.#earliestCutoff);
    return this.#db.write(() => this.#tx.destinations.cutoff(destination, at));
  }

  resend(request: ResendRequest, by: string, at: Instant): Resent[] {
    return this.#db.write(() => resend(this.#db, this.#intents, request, by, at));
  }

  clusterId(): string {
    return this.#db.write(() => {
      const added = this.#db.run("INSERT OR IGNORE INTO meta VALUES ('cluster_id', ?)", randomUUID());
      if (added > 0) this.#side.keysChanged();
      return this.#db.get<{ value: string }>("SELECT value FROM meta WHERE key = 'cluster_id'")!.value;
    });
  }

  close(): void {
    try {
      this.#side.write(true);
      this.#db.close();
      closeSync(this.#file);
    } finally {
      this.#lock.release();
    }
  }
}
