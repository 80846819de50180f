import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** A machine that does other work too is no failure. */
const patient = { expect: { poll: { timeout: 20_000 } } };
/** Real programs on a machine that others use too: a test may fail once, and scripts/test names it as flaky. */
const real = { retry: 1 };
/** A cluster that was given is one for all; else each file has its own, so that files run side by side. */
const isGiven = (process.env['KUBECONFIG_E2E'] ?? process.env['KUBECONFIG'] ?? '') !== '';
const slow = { ...patient, testTimeout: 300_000, hookTimeout: 600_000, pool: 'forks' as const, fileParallelism: false };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          ...patient,
          // Many wait for something: two share one core well.
          maxWorkers: Math.max(2, availableParallelism() - 1),
          testTimeout: 300_000,
          hookTimeout: 300_000,
          include: [
            'bridge/**/*.test.ts',
            'scripts/**/*.test.ts',
            'test/vendors/**/*.test.ts',
            'test/sink-contract/**/*.test.ts',
            'test/toy-sink/**/*.test.ts',
            'test/deployment-records/**/*.test.ts',
          ],
        },
      },
      { test: { name: 'replay', include: ['test/replay/**/*.test.ts'], ...slow } },
      { test: { name: 'simulate', include: ['test/simulate/**/*.test.ts'], ...slow, testTimeout: 600_000 } },
      { test: { name: 'chart', include: ['test/chart/**/*.test.ts'], ...slow, fileParallelism: true, maxWorkers: 2 } },
      { test: { name: 'image', include: ['test/image/**/*.test.ts'], ...slow, ...real } },
      {
        test: {
          name: 'node',
          include: ['test/node/**/*.test.ts'],
          globalSetup: 'test/node/setup.ts',
          ...slow,
          ...real,
          testTimeout: 600_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          ...slow,
          ...real,
          // Most of a test is waiting for the cluster.
          maxConcurrency: 30,
          fileParallelism: !isGiven,
          maxWorkers: 3,
        },
      },
      {
        test: {
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          ...slow,
          ...real,
          testTimeout: 900_000,
          // Most of a scenario is waiting, and each file has a stage of its own.
          fileParallelism: true,
          maxWorkers: process.env['FAULTS'] === 'short' ? 3 : 5, // short, other tests run beside them
        },
      },
    ],
  },
});
