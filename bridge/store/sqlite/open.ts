import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock, Instant } from '../../lib/clock.ts';
import { errorText, UserError } from '../../lib/errors.ts';
import type { ReadStore } from '../read.ts';
import type { Recovery, Store } from '../store.ts';
import { Db } from './db/db.ts';
import { isLost } from './db/trouble.ts';
import { keepPrivate } from './file/file-mode.ts';
import { refuseNetworkFileSystem } from './file/file-system.ts';
import { lockStore } from './file/lock.ts';
import type { Lock } from './file/lock.ts';
import { markSuspect } from './file/recovery-files.ts';
import { SideWriter } from './file/side-writer.ts';
import { StoreFile } from './file/store-file.ts';
import { unreadable, unusable } from './file/unreadable.ts';
import { shiftBack } from './housekeeping/shift.ts';
import { waitingSince } from './outbox/intents.ts';
import { outboxStore } from './outbox-store.ts';
import { resend } from './outbox/resend.ts';
import { createParts } from './parts.ts';
import type { Parts } from './parts.ts';
import { openDatabase } from './recovery/opening.ts';
import { lastRecovery, readKeys } from './recovery/recovery.ts';
import { refuseOlderStore, refuseOtherSchema } from './schema/migrations.ts';
import { upkeep } from './upkeep.ts';
import { readStore } from './views/reader.ts';

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
    return storeOf(path, db, lock, now, recovery);
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
    return readStore(db, dryRuns);
  } catch (error) {
    db?.close();
    throw unreadable(path, error);
  }
}

/** `made` when this opening made the store in place of another. */
function storeOf(path: string, db: Db, lock: Lock, now: Instant, made: Recovery | undefined): Store {
  const file = new StoreFile(path);
  const keys = (): ReturnType<typeof readKeys> => readKeys(db);
  const side = new SideWriter(path, keys, () => waitingSince(db));
  shiftBack(db, now);
  const parts = createParts(db, now, () => side.keysChanged());
  const { tx, news, intents, destinations } = parts;
  recover(db, parts, now);
  const earliestCutoff = made?.cutoffKnown === false ? now : -Infinity;
  return {
    ...outboxStore(db, parts),
    ...upkeep(db, parts, side, file),
    transaction: (work) => tx.run(work),
    takeWork: () => db.work.take(),
    suspect: (why) => markSuspect(path, why),
    recovery: made ?? lastRecovery(db),
    take: (what) => news.take(what),
    takeUnreadable: () => db.takeUnreadable(),
    cutoff: (destination, firstStart) =>
      db.write(() => destinations.cutoff(destination, Math.max(firstStart, earliestCutoff))),
    resend: (request, by, at) => db.write(() => resend(db, intents, request, by, at)),
    clusterId: () => db.write(() => clusterId(db, side)),
    close() {
      try {
        side.write(true);
        db.close();
        file.close();
      } finally {
        lock.release();
      }
    },
  };
}

/** What a crash left in flight is due again. */
function recover(db: Db, { intents, desired, journals, tx }: Parts, now: Instant): void {
  db.write(() => {
    intents.recover(now);
    desired.recover(now);
    journals.recover(now);
    tx.problems.recover(now);
  });
}

function clusterId(db: Db, side: SideWriter): string {
  const added = db.run("INSERT OR IGNORE INTO meta (key, value) VALUES ('cluster_id', ?)", randomUUID());
  if (added > 0) side.keysChanged();
  return db.get<{ value: string }>("SELECT value FROM meta WHERE key = 'cluster_id'")!.value;
}
