import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A disk of its own that a test can fill. */
export interface SmallDisk {
  readonly folder: string;
  /** Takes what room there is, also for a write-ahead log. */
  fill(): void;
  free(): void;
  remove(): void;
}

/** Mounts one of `mebibytes`; undefined without the right to (root). */
export function mountSmallDisk(mebibytes: number): SmallDisk | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'disk-full-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    rmSync(folder, { recursive: true });
    return undefined;
  }
  let fills = 0;
  return {
    folder,
    fill() {
      for (let size = 1 << 20; size >= 512; size >>= 1) {
        for (let full = false; !full;) full = !written(join(folder, `fill-${++fills}`), size);
      }
    },
    free() {
      for (; fills > 0; fills--) rmSync(join(folder, `fill-${fills}`), { force: true });
    },
    remove() {
      execFileSync('umount', ['-l', folder]);
      rmSync(folder, { recursive: true });
    },
  };
}

function written(file: string, size: number): boolean {
  try {
    writeFileSync(file, Buffer.alloc(size));
    return true;
  } catch {
    return false;
  }
}
