import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { summaryOf } from './campaign.ts';

const line = (seed: number, result: string): string =>
  `seed ${seed}: 2 days, 1000 runs, 50 rollouts, 100 faults, 40 lives, 12000 reports, 25.0 CPU s, trace 1654dafe926dfa90: ${result}`;

it('names each seed that failed, and each that gave no result', () => {
  const lines = [line(7, 'ok'), '  a line of a story', line(8, '2 FAILURES')];
  const { table, again } = summaryOf(lines, { first: 7, seeds: 3 }, 2);
  expect(table.at(-1)).toBe('| 7 to 9 | 4 | 2000 | 200 | 50 | 12.5 | 288 | 8, 9 |');
  expect(again).toEqual([8, 9].map((seed) => `again: npm run simulate -- --seed ${seed} --days 2`));
});

it('simulates each seed once, in several processes', () => {
  const args = ['test/simulate/main.ts', '--first', '4', '--seeds', '3', '--days', '0.02', '--jobs', '2'];
  const { stdout, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  const seeds = [...stdout.matchAll(/^seed (\d+): .* ok$/gm)].map(([, seed]) => Number(seed));
  expect(seeds.toSorted((a, b) => a - b)).toEqual([4, 5, 6]);
  expect(stdout).toMatch(/^\| 4 to 6 \|.* none \|$/m);
  expect(status).toBe(0);
});
