import { closeSync, copyFileSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Instant } from '../../../lib/clock.ts';
import { iso } from '../../../lib/clock.ts';
import { syncFolder } from '../../../lib/durable-files.ts';
import { errorText, UserError } from '../../../lib/errors.ts';
import type { Recovery } from '../../store.ts';
import { Db } from '../db/db.ts';
import { refuseNetworkFileSystem } from '../file/file-system.ts';
import { findCorruption } from '../file/integrity.ts';
import { lockStore } from '../file/lock.ts';
import { refuseOtherSchema } from '../schema/migrations.ts';
import { putKeys, remember } from './recovery.ts';
import { clearSuspect, moveAside } from '../file/recovery-files.ts';
import { countEntries } from '../journal/journal-entries.ts';
import { NOTHING } from '../outbox/awaited-row.ts';
import type { RecoveryFiles } from '../file/recovery-files.ts';

/** What waited to be exported may have been exported since. */
const RESTORED = `INSERT INTO receipts (destination, reason, count) VALUES (?, 'restored', ?)
  ON CONFLICT (destination, reason) DO UPDATE SET count = count + excluded.count`;
const PASS_ALL = `UPDATE journals SET in_flight = 0, sending_to = NULL, most = NULL, cursor = max(cursor,
  coalesce((SELECT max(seq) FROM transitions), 0), coalesce((SELECT max(seq) FROM events), 0))`;

/** Key of `meta` that only a backup has, until the bridge was started on it. */
export const BACKUP_AT = 'backup_at';

export interface Restored {
  readonly backupAt: Instant;
  /** Where the store that was there is kept. */
  readonly movedTo: string | undefined;
}

/**
 * Puts the backup `source` in the place of the store at `path`, which is moved aside. The next start of the bridge does
 * the rest. Throws a UserError when a bridge runs on that store or when the file is not a sound backup.
 */
export function restoreStore(path: string, source: string, now: Instant): Restored {
  const backupAt = readBackup(source);
  mkdirSync(dirname(path), { recursive: true });
  refuseNetworkFileSystem(dirname(path));
  const lock = lockStore(path);
  const copy = `${path}.restoring`;
  try {
    copyFileSync(source, copy);
    const handle = openSync(copy, 'r+');
    fsyncSync(handle);
    closeSync(handle);
    // A write-ahead log that stayed behind would be played into the copy: it goes with its own file.
    const movedTo = existsSync(path) || existsSync(`${path}-wal`) ? moveAside(path, 'replaced', now) : undefined;
    renameSync(copy, path);
    syncFolder(dirname(path));
    clearSuspect(path);
    return { backupAt, movedTo };
  } finally {
    rmSync(copy, { force: true });
    lock.release();
  }
}

function readBackup(source: string): Instant {
  const next = 'give a file that "lifecycle-bridge backup" made';
  if (!existsSync(source)) throw new UserError(`there is no file ${source}`, next);
  let db: Db | undefined;
  try {
    db = new Db(source, true);
    const row = db.get<{ value: number }>('SELECT value FROM meta WHERE key = ?', BACKUP_AT);
    const problem = row === undefined ? 'it is a store, but no backup' : findCorruption(db);
    if (row === undefined || problem !== undefined) throw new UserError(`${source} cannot be used: ${problem}`, next);
    refuseOtherSchema(db);
    return row.value;
  } catch (error) {
    throw error instanceof UserError ? error : new UserError(`${source} cannot be used: ${errorText(error)}`, next);
  } finally {
    db?.close();
  }
}

/**
 * The first start on a backup, inside a transaction: what happened between the backup and now was reported by the store that
 * is gone. So the cut-offs move to its last commit, or to now when that is not known; what waited to be sent is
 * dropped; and every desired row is asserted again. Undefined when this is not a backup.
 */
export function finishRestore(db: Db, { keys, lastCommit }: RecoveryFiles, now: Instant): Recovery | undefined {
  const row = db.get<{ value: number }>('SELECT value FROM meta WHERE key = ?', BACKUP_AT);
  if (row === undefined) return undefined;
  const cutoff = lastCommit ?? now;
  if (keys !== undefined) putKeys(db, keys, cutoff);
  db.run('UPDATE cutoffs SET at = max(at, ?)', cutoff);
  db.run(
    `INSERT INTO receipts (destination, reason, count) SELECT destination, 'restored', count(*) FROM intents WHERE settled_at IS NULL
     GROUP BY destination ON CONFLICT (destination, reason) DO UPDATE SET count = count + excluded.count`,
  );
  db.run("UPDATE intents SET status = 'dropped', reason = 'restored', settled_at = ? WHERE settled_at IS NULL", now);
  for (const { destination, cursor } of db.all<{ destination: string; cursor: number }>('SELECT * FROM journals')) {
    db.run(RESTORED, destination, countEntries(db, cursor, Number.MAX_SAFE_INTEGER));
  }
  db.run(PASS_ALL);
  db.run(
    `UPDATE desired SET accepted_hash = NULL, sending = 0, next_at = ?1,
       not_in_sync_since = coalesce(not_in_sync_since, ?1) WHERE wanted <> ?2`,
    now,
    NOTHING,
  );
  db.run('DELETE FROM meta WHERE key = ?', BACKUP_AT);
  const reason = `made at ${iso(row.value)}`;
  const cutoffKnown = lastCommit !== undefined;
  return remember(db, { cause: 'restored', reason, movedTo: undefined, at: now, cutoff, cutoffKnown });
}
