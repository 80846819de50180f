import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

/** In a process of its own: it replaces the clock, the timers and the chance of its process. */
function simulate(...args: string[]): string {
  return spawnSync(process.execPath, ['test/simulate/main.ts', ...args], { encoding: 'utf8' }).stdout;
}

/** The digest of each seed's trace. */
const digests = (output: string): string[] => output.match(/trace [0-9a-f]{16}/g) ?? [];

/** They take a minute and a half of a computer that does nothing else. */
const DAYS_MS = 30 * 60_000;

it(
  'keeps every promise in six days of faults',
  () => {
    expect(simulate('--seeds', '12', '--days', '0.5')).toContain('6 days without a failure');
  },
  DAYS_MS,
);

it('gives the same trace for the same seed, and another one for another', () => {
  const [first, again, other] = ['4', '4', '5'].map((seed) => simulate('--seed', seed, '--days', '0.05'));
  expect(digests(first!)).toHaveLength(1);
  expect(digests(again!)).toEqual(digests(first!));
  expect(digests(other!)).not.toEqual(digests(first!));
});
