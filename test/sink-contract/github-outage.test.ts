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

/** Lets the clock run for so long. */
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
