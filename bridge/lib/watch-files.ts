import type { FSWatcher } from 'node:fs';
import { watch } from 'node:fs';
import { dirname } from 'node:path';
import { Alarm } from './alarm.ts';

/** Several files are written one after the other, and others in the same folder may be written all the time. */
const GATHER_MS = 250;
/** How many times less often a file is looked at where the file system reports changes. */
const RARER = 6;

/**
 * Calls `look` when files may have changed: when something happens in their folders, as a mounted Secret changes by a
 * symbolic link there, and every `everyMs` where the file system reports nothing. Returns how to end it.
 */
export function watchFiles(files: readonly string[], everyMs: number, look: () => void): () => void {
  const watchers: FSWatcher[] = [];
  const poll = (ms: number): NodeJS.Timeout => setInterval(look, ms).unref();
  const alarm = new Alarm(look);
  const close = (): void => {
    clearInterval(timer);
    watchers.splice(0).forEach((watcher) => watcher.close());
  };
  const often = (): void => {
    close();
    timer = poll(everyMs);
  };
  let timer = poll(everyMs * RARER);
  try {
    for (const folder of new Set(files.map((file) => dirname(file)))) {
      const watcher = watch(folder, { persistent: false }, () => alarm.within(GATHER_MS));
      watchers.push(watcher);
      // The folder itself went, or the kernel has no watches left.
      watcher.once('error', often);
    }
  } catch {
    often();
  }
  return () => (close(), alarm.stop());
}
