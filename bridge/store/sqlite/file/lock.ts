import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { UserError } from '../../../lib/errors.ts';

export interface Lock {
  release(): void;
}

/**
 * Makes this process the only owner of the store at `path`, until `release` or its death. The lock is SQLite's lock on
 * a side database, held by the operating system: a killed holder leaves none behind. Nothing else may open that file
 * in this process, since closing it would drop the lock; hence a second file for the pid. Throws a UserError that
 * names the holder.
 */
export function lockStore(path: string): Lock {
  const pidFile = `${path}.pid`;
  const side = new DatabaseSync(`${path}.lock`, { timeout: 0 });
  try {
    side.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    side.close();
    if (!isBusy(error)) throw error;
    throw new UserError(
      `the store ${path} is in use by process ${readPid(pidFile)}`,
      'stop that process first: one bridge owns a store at a time',
    );
  }
  try {
    writeFileSync(pidFile, `${process.pid}\n`);
  } catch (error) {
    side.close();
    throw error;
  }
  return {
    release() {
      rmSync(pidFile, { force: true });
      side.close();
    },
  };
}

function readPid(pidFile: string): string {
  try {
    return readFileSync(pidFile, 'utf8').trim() || 'unknown';
  } catch {
    return 'unknown';
  }
}

const SQLITE_BUSY = 5;

export function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
}
