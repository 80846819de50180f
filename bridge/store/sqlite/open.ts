import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorText, UserError } from '../../lib/errors.ts';
import type { Clock, Instant } from '../../lib/clock.ts';
import type { ClaimedDesired, ClaimedIntent } from '../../sinks/sink.ts';
import type { ResendRequest, Resent } from '../operations.ts';
import type { ReadStore } from '../read.ts';
import type { Settled, SettledDesired, Store, Tx } from '../store.ts';
import { Db } from './db.ts';
import { DesiredRows } from './desired.ts';
import { refuseNetworkFileSystem } from './file-system.ts';
import { Holds } from './holds.ts';
import { Intents } from './intents.ts';
import { lockStore } from './lock.ts';
import type { Lock } from './lock.ts';
import { migrate, refuseNewerStore, refuseOlderStore } from './migrations.ts';
import { SqliteReader } from './reader.ts';
import { resend } from './resend.ts';
import { Retirements } from './retirements.ts';
import { SqliteTx } from './tx.ts';

/** The cache is bounded (32 MiB) and so is what the WAL keeps on disk (64 MiB): neither grows with the cluster. */
const PRAGMAS = `PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -32768;
  PRAGMA journal_size_limit = 67108864; PRAGMA temp_store = MEMORY`;

/**
 * Opens, and makes if need be, the store in the file `path`, as its only owner. What a crash left in flight is due
 * again. Throws a UserError when the file cannot be used, is on a network file system, is too new, or when another
 * process owns the store.
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
  let db: Db | undefined;
  try {
    db = new Db(path, false);
    db.exec(PRAGMAS);
    migrate(db, clock.now());
    return new SqliteStore(db, lock, clock.now());
  } catch (error) {
    db?.close();
    lock.release();
    throw error;
  }
}

/**
 * Opens a second, read-only connection to a store. The monitors of `dryRuns`, destinations that send nothing, count as
 * in sync and say why they are not sent. Throws a UserError when there is no store that it can read.
 */
export function openReader(path: string, dryRuns: readonly string[] = []): ReadStore {
  if (!existsSync(path))
    throw new UserError(`there is no store at ${path}`, 'start the bridge once, or check the path');
  let db: Db | undefined;
  try {
    db = new Db(path, true);
    refuseNewerStore(db);
    refuseOlderStore(db);
    return new SqliteReader(db, dryRuns);
  } catch (error) {
    db?.close();
    throw unusable(path, error);
  }
}

function unusable(path: string, error: unknown): UserError {
  if (error instanceof UserError) return error;
  return new UserError(
    `the store ${path} cannot be opened: ${errorText(error)}`,
    'Set store.path to the file of a bridge, or to a new one, in a folder on a local disk that this user may write.',
  );
}

class SqliteStore implements Store {
  readonly #db: Db;
  readonly #lock: Lock;
  readonly #holds: Holds;
  readonly #retirements: Retirements;
  readonly #intents: Intents;
  readonly #desired: DesiredRows;
  readonly #tx: SqliteTx;

  constructor(db: Db, lock: Lock, now: Instant) {
    this.#db = db;
    this.#lock = lock;
    this.#holds = new Holds(db, now);
    this.#retirements = new Retirements(db);
    this.#intents = new Intents(db, this.#holds, this.#retirements);
    this.#desired = new DesiredRows(db, this.#holds, this.#intents, this.#retirements);
    this.#tx = new SqliteTx(db, this.#intents, this.#desired, this.#retirements);
    db.write(() => {
      this.#intents.recover(now);
      this.#desired.recover(now);
    });
  }

  transaction<T>(work: (tx: Tx) => T): T {
    return this.#db.write(() => work(this.#tx));
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

  sweep(now: Instant, maxAgeMs: number, supersedeMs: number): void {
    this.#db.write(() => {
      this.#holds.alive(now);
      if (this.#retirements.current() !== undefined) this.#intents.retire(now);
      this.#intents.expire(now, maxAgeMs);
      this.#intents.supersede(now, supersedeMs);
    });
  }

  cutoff(destination: string, firstStart: Instant): Instant {
    return this.#db.write(() => {
      this.#db.run('INSERT OR IGNORE INTO cutoffs VALUES (?, ?)', destination, firstStart);
      return this.#db.get<{ at: number }>('SELECT at FROM cutoffs WHERE destination = ?', destination)!.at;
    });
  }

  resend(request: ResendRequest, by: string, at: Instant): Resent[] {
    return this.#db.write(() => resend(this.#db, this.#intents, request, by, at));
  }

  clusterId(): string {
    return this.#db.write(() => {
      this.#db.run("INSERT OR IGNORE INTO meta VALUES ('cluster_id', ?)", randomUUID());
      return this.#db.get<{ value: string }>("SELECT value FROM meta WHERE key = 'cluster_id'")!.value;
    });
  }

  close(): void {
    this.#db.close();
    this.#lock.release();
  }
}
