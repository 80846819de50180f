import { chmodSync, statSync } from 'node:fs';

const SUFFIXES = ['', '-wal', '-shm', '.pid', '.lock', '.keys.json', '.last-commit', '.suspect'];
const OTHERS = 0o007;

/**
 * Takes the files of a store away from all users but its own and its group, which Kubernetes gives to those of a volume
 * (fsGroup). A copy that was put there may be readable for everybody. Files of another user are left alone.
 */
export function keepPrivate(path: string): void {
  for (const suffix of SUFFIXES) {
    const file = path + suffix;
    const mode = statSync(file, { throwIfNoEntry: false })?.mode ?? 0;
    if ((mode & OTHERS) === 0) continue;
    try {
      chmodSync(file, mode & 0o7777 & ~OTHERS);
    } catch {
      // On a volume of another user only that one may.
    }
  }
}
