import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clusterScript } from '../e2e/harness/cluster.ts';
import { until } from '../e2e/harness/kube.ts';
import { cronJob } from '../e2e/workloads.ts';
import type { Stage, Started } from './stage.ts';
import { CLUSTER, makeCronJobs, random, SEED, setStage, startRun, expectTold } from './stage.ts';

let stage: Stage;

beforeAll(async () => {
  console.log(`seed ${SEED}`);
  stage = await setStage();
});
afterAll(() => stage.close());

/** Starts runs one after the other while `disturb` does its work between them. */
async function runs(name: string, count: number, disturb: (n: number) => Promise<void>): Promise<Started[]> {
  await makeCronJobs(stage, name);
  const started: Started[] = [];
  for (let n = 0; n < count; n++) {
    started.push(await startRun(stage, name, n));
    await disturb(n);
  }
  return started;
}

describe('nothing is lost and nothing is told twice', () => {
  it('when the bridge is killed at random points of 60 runs', async () => {
    const next = random(SEED);
    const started = await runs('kill-bridge', 60, async () => {
      if (next() > 0.15) return;
      await pause(next() * 500);
      await stage.bridge.kill9();
      await pause(next() * 1_000);
      await stage.bridge.start();
    });
    await expectTold(stage, started, { repeats: true });
  });

  it('when the Collector is killed at random points', async () => {
    const next = random(SEED + 1);
    const started = await runs('kill-collector', 20, async () => {
      if (next() < 0.15) await stage.collector.restart();
    });
    await expectTold(stage, started);
  });

  it('when both are killed', async () => {
    const started = await runs('kill-both', 10, async (n) => {
      if (n !== 5) return;
      await Promise.all([stage.bridge.kill9(), stage.collector.kill9()]);
      await Promise.all([stage.bridge.start(), stage.collector.restart()]);
    });
    await expectTold(stage, started, { repeats: true });
  });

  it('when the API server is restarted', async () => {
    const started = await runs('apiserver', 12, async (n) => {
      if (n === 5) await clusterScript(CLUSTER, 'restart', 'apiserver');
    });
    await expectTold(stage, started);
  });

  it('when two Collectors send at once', async () => {
    const second = await stage.secondCollector();
    const started = await runs('two', 12, async () => undefined);
    await expectTold(stage, started);
    await second.stop();
  });

  it('when the vendor is down, then says 429, then loses answers', async () => {
    stage.vendors.inject({ match: '/ping/', times: 20, status: 503 });
    stage.vendors.inject({ match: '/ping/', times: 5, status: 429, retryAfter: 2 });
    stage.vendors.inject({ match: '/ping/', times: 5, resetAfterProcessing: true });
    const started = await runs('vendor', 12, async () => undefined);
    await expectTold(stage, started, { repeats: true });
  });

  it('when a namespace with 50 running Jobs is deleted: 50 times cancelled, once each', async () => {
    const { kube, vendors } = stage;
    await kube.apply(cronJob({ name: 'many', pod: { run: '600s' }, job: { parallelism: 1 } }));
    const jobs = await Promise.all(
      Array.from({ length: 50 }, async (_, n) => {
        await kube.runCronJob('many', `many-${n}`);
        return kube.get(`job/many-${n}`);
      }),
    );
    const uids = new Set(jobs.map(({ metadata }) => metadata.uid));
    const pings = (): { state: string; message: string | undefined }[] =>
      vendors.cronitor.pings
        .filter(({ query }) => uids.has(query.series ?? ''))
        .map(({ query }) => ({ state: query.state, message: query.message }));
    await until('50 starts', () => pings().length === 50, 60_000);
    await kube.removeNamespace();
    await until('50 ends', () => pings().length >= 100, 120_000);
    const ends = pings().filter(({ state }) => state === 'fail');
    expect(ends.map(({ message }) => message)).toEqual(Array.from({ length: 50 }, () => 'cancelled'));
    expect(pings()).toHaveLength(100);
  });
});
