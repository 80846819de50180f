import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeObject } from '../harness/kube.ts';
import { until } from '../harness/kube.ts';
import { readMetric } from '../harness/metrics.ts';
import { BRIDGE, COLLECTOR, permit, serviceAccounts, untilMay } from './accounts.ts';
import { ended, gap, logged, trueTimes } from './gap.ts';
import type { Stage, Started } from './stage.ts';
import {
  expectReported,
  FAST_AUDIT,
  makeCronJobs,
  onceEach,
  pingsOf,
  runs,
  setStage,
  SHORT,
  startRun,
} from './stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await setStage('watches', { env: FAST_AUDIT, accounts: serviceAccounts });
});
afterAll(() => stage.close());

const metric = (name: string) => readMetric(`${stage.bridge.pageUrl}metrics`, `lifecycle_bridge_${name} `);
const missedJobs = () => metric('audit_differences_total{kind="Job",difference="missed"}');
const deadWatch = (kind: string) => metric(`watch_dead{kind="${kind}"}`);
describe('nothing is lost and nothing is reported twice', () => {
  it('when etcd is compacted and the watches get 410: runs of the gap are reported with their true times', async () => {
    const before = await runs(stage, 'before', 3);
    await expectReported(stage, before);
    const missed = await missedJobs();
    const ends: KubeObject[] = [];
    const inside = await gap(stage, async () => {
      // Three of each, so that no CronJob removes one of its history.
      const started = [...(await runs(stage, 'gap', 3)), ...(await runs(stage, 'hole', 3))];
      for (const run of started) ends.push(await ended(stage, run));
      return started;
    });
    const after = await runs(stage, 'after', 3);
    await expectReported(stage, [...before, ...inside, ...after]);
    // A Job of the gap that changes once more after it may come by the stream before a LIST has found it missing.
    expect((await missedJobs()) - missed).toBeGreaterThan(0);
    for (const job of ends) {
      const stamps = onceEach(pingsOf(stage, job)).map((ping) => Number(ping.split(' ')[1]));
      expect(stamps).toEqual(trueTimes(job));
    }
  });

  it('when the bridge may not LIST CronJobs: none is gone, its kind is reported, and runs are reported', async () => {
    const { kube, bridge, vendors } = stage;
    const before = await runs(stage, 'forbidden', 2);
    const result = async (kind: string): Promise<string | undefined> => (await bridge.readyz()).lists[kind]?.result;
    await permit(kube, 'bridge', { ...BRIDGE, 'batch/cronjobs': ['get'] });
    await until('CronJobs are not audited', async () => (await result('CronJob')) === 'unaudited');
    expect(await metric('audit_unaudited{kind="CronJob"}')).toBe(1);
    await bridge.kill9();
    await bridge.start();
    await until('CronJobs are not audited', async () => (await result('CronJob')) === 'unaudited');
    const after = await runs(stage, 'unlisted', 2);
    await expectReported(stage, [...before, ...after], { repeats: true });
    await until('Jobs are audited', async () => (await result('Job')) === 'complete');
    await permit(kube, 'bridge', BRIDGE);
    await until('CronJobs are audited again', async () => (await result('CronJob')) === 'complete', 120_000);
    expect(await metric('audit_unaudited{kind="CronJob"}')).toBe(0);
    expect([...vendors.cronitor.monitors.values()].filter(({ paused }) => paused === true)).toEqual([]);
  });

  it.skipIf(SHORT)('when the watch of Jobs alone dies: the bridge says so and the audit brings the runs', async () => {
    const { kube } = stage;
    // The watch itself may go on; what it asks for after a 410 is refused, and it ends for good.
    await permit(kube, 'collector', { ...COLLECTOR, 'batch/jobs': ['get', 'watch'] });
    await untilMay(kube, 'collector', 'list', 'jobs.batch', false);
    const inside = await gap(stage, () => runs(stage, 'dying', 3));
    await until('the watch of Jobs ended', () => logged(stage, /could not retrieve a resourceVersion.*jobs/g) >= 1);
    await permit(kube, 'collector', COLLECTOR);
    const unheard: Started[] = [];
    await makeCronJobs(stage, 'unheard');
    // What is found missing shows that a watch is dead, so there must be something: one run after the other.
    const oneMore = async (): Promise<boolean> => {
      unheard.push(await startRun(stage, 'unheard', unheard.length));
      await expectReported(stage, unheard.slice(-1));
      return (await deadWatch('Job')) === 1;
    };
    await until('the bridge knows', oneMore, 300_000);
    const heard = await runs(stage, 'known', 3);
    await expectReported(stage, [...inside, ...unheard, ...heard]);
    await until('the others live', async () => (await deadWatch('Pod')) + (await deadWatch('CronJob')) === 0);
    expect(await (await fetch(stage.bridge.pageUrl)).text()).toContain('The watch of Jobs is dead');
    await stage.collector.restart();
    const alive = await runs(stage, 'alive', 3);
    await until('the watch of Jobs is alive', async () => (await deadWatch('Job')) === 0);
    await expectReported(stage, [...inside, ...unheard, ...heard, ...alive]);
  });
});
