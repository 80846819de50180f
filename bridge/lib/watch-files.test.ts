import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { watchFiles } from './watch-files.ts';

const NEVER_MS = 86_400_000;

let folder: string;
let looks: number;
let end: () => void;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'watch-files-'));
  [looks, end] = [0, () => undefined];
});
afterEach(() => {
  end();
  vi.useRealTimers();
  rmSync(folder, { recursive: true });
});

const look = (): void => void looks++;

it('looks when kubelet puts another version of a Secret in place, by a symbolic link in its folder', async () => {
  for (const version of ['1', '2']) {
    mkdirSync(join(folder, version));
    writeFileSync(join(folder, version, 'token'), version);
  }
  symlinkSync('1', join(folder, '..data'));
  symlinkSync('..data/token', join(folder, 'token'));
  end = watchFiles([join(folder, 'token')], NEVER_MS, look);
  symlinkSync('2', join(folder, '..data_tmp'));
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
  await expect.poll(() => looks).toBeGreaterThan(0);
});

it('looks seldom while others write in the folder all the time', async () => {
  end = watchFiles([join(folder, 'token')], NEVER_MS, look);
  const began = performance.now();
  const often = setInterval(() => writeFileSync(join(folder, 'other'), ''), 1);
  await expect.poll(() => looks).toBeGreaterThan(2);
  clearInterval(often);
  expect(looks).toBeLessThanOrEqual((performance.now() - began) / 250);
});

it('looks from time to time where changes are not reported', () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  end = watchFiles([join(folder, 'not', 'there')], 5_000, look);
  vi.advanceTimersByTime(60_000);
  expect(looks).toBe(12);
});

it('looks from time to time also where changes are reported, since not all are', () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  end = watchFiles([join(folder, 'token')], 5_000, look);
  vi.advanceTimersByTime(60_000);
  expect(looks).toBe(2);
});
