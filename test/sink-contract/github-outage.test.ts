import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startVendors } from '../vendors/start-vendors.ts';
import type { Vendors } from '../vendors/start-vendors.ts';
import { githubCase } from './github-case.ts';
import { OutboxBench } from './outbox-bench.ts';

const HOUR = 3_600_000;
const ROWS = Array.from({ length: 30 }, (_, index) => index + 1);

let vendors: Vendors;
let bench: OutboxBench;
beforeEach(async () => {
  vendors = await startVendors();
});
afterEach(() => bench.close());

function start(settings?: object): void {
  bench = new OutboxBench(vendors, (all) => githubCase(all, settings));
  bench.start();
}

/** Lets the clock run for a time. */
async function pass(ms: number): Promise<void> {
  const stepMs = 5_000;
  let left = ms / stepMs;
  await bench.until(() => left-- <= 0, stepMs);
}

const kept = (): unknown[] => ROWS.map((row) => bench.sink.kept(vendors, row));
const wanted = (version: 'A' | 'B'): unknown[] => ROWS.map((row) => bench.sink.desired(row, version).wanted);

describe('two hours in which GitHub forbids everything', () => {
  it.each([
    ['one by one', false],
    ['by jobs', true],
  ])(
    'lose no record and no Deployment, with few requests (%s)',
    async (_, bulkSync) => {
      start({ credential: vendors.key, bulkSync });
      for (const row of ROWS) bench.want(row, 'A');
      await bench.settled(1_000);
      const refusal = { status: 403, body: '{"message":"Resource not accessible by integration"}' };
      vendors.inject({ match: 'POST', times: Infinity, ...refusal });
      const before = vendors.requests.length;
      for (const row of ROWS) bench.want(row, 'B');
      bench.enqueue(1);
      await pass(2 * HOUR);
      expect(kept()).toEqual(wanted('A'));
      // Some a minute.
      expect(vendors.requests.length - before).toBeLessThan(300);
      vendors.heal();
      await bench.settled(5_000);
      expect(kept()).toEqual(wanted('B'));
      // That it goes on is superseded by that it has succeeded.
      expect(vendors.github.releases.deployments.map(({ statuses }) => statuses.at(-1)?.state)).toEqual(['success']);
    },
    120_000,
  );
});

describe('more names at the first start than one job may have', () => {
  // What comes while a job is under way goes alone, some at a time: how many is a matter of time.
  it.each([
    [5_001, 1],
    [10_500, 2],
  ])(
    '%i go by jobs of at most 5,000, one after the other (%i at least), and each record is sent once',
    async (count, jobs) => {
      bench = new OutboxBench(vendors, (all) => githubCase(all, { credential: vendors.key, bulkSync: true }));
      bench.wantAll(
        Array.from({ length: count }, (_, row) => row),
        'A',
      );
      bench.start();
      const { artifacts } = vendors.github;
      await bench.until(() => artifacts.records.size === count, 1_000);
      const sizes = artifacts.jobs.map(({ size }) => size);
      expect(sizes[0]).toBe(5_000);
      expect(Math.max(...sizes)).toBe(5_000);
      expect(sizes.length).toBeGreaterThanOrEqual(jobs);
      expect(artifacts.history).toHaveLength(count);
      // Another job while one is under way would be a conflict.
      expect(vendors.requests.filter(({ status }) => status >= 400)).toEqual([]);
      // Its clock does not run as fast as the bridge's: of the pace it says nothing.
      expect(vendors.github.violations.filter(({ kind }) => kind !== 'rate')).toEqual([]);
    },
    120_000,
  );
});
