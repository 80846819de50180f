import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

/** In a process of its own: it replaces the clock, the timers and the chance of its process. */
function simulate(...args: string[]): string {
  return spawnSync(process.execPath, ['test/simulate/main.ts', ...args], { encoding: 'utf8' }).stdout;
}

/** The digest of each seed's trace. */
const digests = (output: string): string[] => output.match(/trace [0-9a-f]{16}/g) ?? [];

it('keeps every promise in three quarters of a day of faults', () => {
  expect(simulate('--seeds', '3', '--days', '0.25')).toContain('0.75 days without a failure');
});

it('gives the same trace for the same seed, and another one for another', () => {
  const [first, again, other] = ['4', '4', '5'].map((seed) => simulate('--seed', seed, '--days', '0.05'));
  expect(digests(first!)).toHaveLength(1);
  expect(digests(again!)).toEqual(digests(first!));
  expect(digests(other!)).not.toEqual(digests(first!));
});
