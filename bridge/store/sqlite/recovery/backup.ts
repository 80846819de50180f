import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Instant } from '../../../lib/clock.ts';
import { linkNew } from '../../../lib/durable-files.ts';
import { UserError } from '../../../lib/errors.ts';
import { sizeOf } from '../file/integrity.ts';

const LOOK_EVERY_MS = 500;

export interface BackupJob {
  readonly path: string;
  readonly target: string;
  readonly at: Instant;
}

/** What the thread reports: first the bytes to be copied, then that it is done. */
export type BackupMessage = { readonly total: number } | { readonly error: string } | { readonly done: true };

/**
 * Copies the store at `path` to the new file `target`, consistent as of one moment, checked, and without free pages. A
 * running bridge goes on: it is read as by any other process. Returns the bytes of the copy; throws a UserError when
 * there is no store or when the file exists.
 */
export async function backupStore(
  path: string,
  target: string,
  at: Instant,
  onProgress: (bytes: number, total: number) => void,
): Promise<number> {
  if (!existsSync(path)) throw new UserError(`there is no store at ${path}`, 'check the path, or give --store PATH');
  refuseExisting(target);
  mkdirSync(dirname(target), { recursive: true });
  const partial = `${target}.${process.pid}.partial`;
  rmSync(partial, { force: true });
  try {
    await copy({ path, target: partial, at }, (total) => onProgress(Math.min(sizeOf(partial), total), total));
    const bytes = statSync(partial).size;
    if (!linkNew(partial, target)) refuseExisting(target);
    return bytes;
  } finally {
    rmSync(partial, { force: true });
  }
}

function refuseExisting(target: string): void {
  if (existsSync(target))
    throw new UserError(`${target} exists already`, 'give the name of a new file: a backup replaces nothing');
}

/** In a thread, since the copy is one statement that gives no signs of life itself. */
async function copy(job: BackupJob, look: (total: number) => void): Promise<void> {
  const worker = new Worker(new URL('./backup-worker.ts', import.meta.url), { workerData: job });
  const { promise, resolve: done, reject } = Promise.withResolvers<void>();
  let timer: NodeJS.Timeout | undefined;
  worker.on('message', (message: BackupMessage) => {
    if ('total' in message) timer = setInterval(() => look(message.total), LOOK_EVERY_MS);
    else if ('done' in message) done();
    else reject(new UserError(`the backup failed: ${message.error}`, 'look at the error, and at the free space'));
  });
  worker.on('error', reject);
  worker.on('exit', () => reject(new Error('the backup ended early')));
  try {
    await promise;
  } finally {
    clearInterval(timer);
    await worker.terminate();
  }
}
