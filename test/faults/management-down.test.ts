import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../harness/kube.ts';
import type { Stage, Started } from './stage.ts';
import { expectReported, makeCronJobs, setStage, SHORT, startRun } from './stage.ts';

const DOWN_MS = 600_000;
const RUNS = 30;

let stage: Stage;

beforeAll(async () => {
  stage = await setStage('management');
});
afterAll(() => stage.close());

const pinged = ({ job }: Started): boolean =>
  stage.vendors.cronitor.pings.some(({ query }) => query.series === job.metadata.uid);

// Short, the simulation and e2e/cronitor (18) show it.
describe.skipIf(SHORT)('while the management API is down for ten minutes and telemetry is up', () => {
  it('no monitor is made by a ping: new runs wait for their monitor, known ones go on; then all arrive in order', async () => {
    const { vendors, kube } = stage;
    await makeCronJobs(stage, 'known');
    const known = [await startRun(stage, 'known', 0)];
    await expectReported(stage, known);
    await until('both monitors stand', () => vendors.cronitor.monitors.size === 2);
    // Half a service: some requests are answered, some connections end.
    vendors.inject({ match: 'PUT /api/monitors', times: 1, reset: true });
    vendors.inject({ match: 'PUT /api/monitors', times: Infinity, status: 503 });
    const end = Date.now() + DOWN_MS;
    await makeCronJobs(stage, 'new');
    const fresh: Started[] = [];
    for (let n = 1; n <= RUNS; n++) {
      fresh.push(await startRun(stage, 'new', n));
      known.push(await startRun(stage, 'known', n));
      await pause(Math.max(0, (end - Date.now()) / (RUNS - n + 2)));
    }
    await kube.delete('cronjob/new-bad', '--cascade=orphan');
    await expectReported(stage, known);
    await pause(Math.max(0, end - Date.now()));
    expect(vendors.cronitor.monitors.size).toBe(2);
    expect(fresh.filter(pinged)).toEqual([]);
    vendors.heal();
    await expectReported(stage, fresh);
    await until('the monitor of the deleted CronJob is paused', () =>
      [...vendors.cronitor.monitors.values()].some(({ name, paused }) => name?.endsWith('/new-bad') && paused === true),
    );
    expect(vendors.cronitor.autoCreated).toEqual([]);
  });
});
