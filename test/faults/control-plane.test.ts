import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clusterScript } from '../e2e/harness/cluster.ts';
import { until } from '../e2e/harness/kube.ts';
import { cronJob } from '../e2e/workloads.ts';
import type { Stage } from './stage.ts';
import { expectTold, runs, setStage } from './stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await setStage('control');
});
afterAll(() => stage.close());

describe('nothing is lost and nothing is told twice', () => {
  it('when the API server is restarted', async () => {
    const started = await runs(stage, 'apiserver', 12, async (n) => {
      if (n === 5) await clusterScript(stage.cluster, 'restart', 'apiserver');
    });
    await expectTold(stage, started);
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
