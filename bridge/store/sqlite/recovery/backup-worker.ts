import { closeSync, fsyncSync, openSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { errorText } from '../../../lib/errors.ts';
import type { BackupJob, BackupMessage } from './backup.ts';
import { Db } from '../db/db.ts';
import { findCorruption } from '../file/integrity.ts';
import { BACKUP_AT } from './restore.ts';

const { path, target, at } = workerData as BackupJob;

function post(message: BackupMessage): void {
  parentPort?.postMessage(message);
}

/** One read transaction: what is committed meanwhile is not in the copy, and waits for nothing. */
function copy(): void {
  const source = new Db(path, true);
  try {
    const { bytes } = source.get<{ bytes: number }>(
      `SELECT (page_count - freelist_count) * page_size AS bytes
       FROM pragma_page_count, pragma_freelist_count, pragma_page_size`,
    )!;
    post({ total: bytes });
    source.run('VACUUM INTO ?', target);
  } finally {
    source.close();
  }
}

/** Marks the copy as one, so that the bridge knows when it was brought back, and reads it once. */
function seal(): void {
  const db = new Db(target, false);
  try {
    db.run('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)', BACKUP_AT, at);
    const problem = findCorruption(db);
    if (problem !== undefined) throw new Error(problem);
  } finally {
    db.close();
  }
  const handle = openSync(target, 'r+');
  fsyncSync(handle);
  closeSync(handle);
}

try {
  copy();
  seal();
  post({ done: true });
} catch (error) {
  post({ error: errorText(error) });
}
