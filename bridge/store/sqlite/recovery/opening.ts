import { closeSync, existsSync, openSync } from 'node:fs';
import type { Instant } from '../../../lib/clock.ts';
import { errorText } from '../../../lib/errors.ts';
import type { Recovery } from '../../store.ts';
import { Db } from '../db/db.ts';
import { isLost } from '../db/trouble.ts';
import { findCorruption, hasHeader, needsCheck, sizeOf } from '../file/integrity.ts';
import { migrate } from '../schema/migrations.ts';
import { rebuild } from './recovery.ts';
import { finishRestore } from './restore.ts';
import { clearSuspect, markSuspect, moveAside, readRecoveryFiles, readSuspect } from '../file/recovery-files.ts';

/** The cache is bounded (32 MiB) and so is what the WAL keeps on disk (64 MiB): neither grows with the cluster. */
const PRAGMAS = `PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -32768;
  PRAGMA journal_size_limit = 67108864; PRAGMA temp_store = MEMORY`;

export interface Opened {
  readonly db: Db;
  /** Set when a new store had to be made in place of one that was lost. */
  readonly recovery: Recovery | undefined;
}

/** Opens a store or makes one. One that is corrupted is moved aside first. The caller holds the lock. */
export function openDatabase(path: string, now: Instant): Opened {
  const suspect = readSuspect(path);
  const opened = suspect ?? (sizeOf(path) > 0 ? openSound(path, now) : undefined);
  if (opened instanceof Db) {
    return { db: opened, recovery: opened.write(() => finishRestore(opened, readRecoveryFiles(path), now)) };
  }
  if (readRecoveryFiles(path).keys === undefined) {
    if (opened === undefined) return { db: create(path, now), recovery: undefined };
    if (suspect === undefined && !isDatabase(path))
      throw new Error('it is not an SQLite database, and no store was here');
  }
  return remake(path, opened, now);
}

/** Whether the file begins as every SQLite database does: another file, named by mistake, is left alone. */
function isDatabase(path: string): boolean {
  const file = openSync(path, 'r');
  const answer = hasHeader(file);
  closeSync(file);
  return answer;
}

/** The database, or what is wrong with its file. */
function openSound(path: string, now: Instant): Db | string {
  const check = needsCheck(path);
  let db: Db | undefined;
  try {
    db = new Db(path, false);
    db.exec(PRAGMAS);
    const problem = check ? findCorruption(db) : undefined;
    if (problem === undefined) {
      migrate(db, now);
      return db;
    }
    db.close();
    return problem;
  } catch (error) {
    db?.close();
    if (isLost(error)) return errorText(error);
    throw error;
  }
}

function create(path: string, now: Instant): Db {
  const db = new Db(path, false);
  db.exec(PRAGMAS);
  migrate(db, now);
  return db;
}

/** The mark stays until the new store is complete: a crash in between begins again. */
function remake(path: string, corrupt: string | undefined, now: Instant): Opened {
  const reason = corrupt ?? 'the file is missing';
  markSuspect(path, reason);
  const movedTo = existsSync(path) ? moveAside(path, 'corrupt', now) : undefined;
  const db = create(path, now);
  const cause = corrupt === undefined || movedTo === undefined ? 'missing' : 'corrupt';
  const recovery = db.write(() => rebuild(db, readRecoveryFiles(path), { cause, reason, movedTo }, now));
  clearSuspect(path);
  return { db, recovery };
}
