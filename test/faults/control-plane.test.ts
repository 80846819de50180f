import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clusterScript } from '../harness/cluster.ts';
import type { KubeObject } from '../harness/kube.ts';
import { createNamespace, until } from '../harness/kube.ts';
import { cronJob } from '../e2e/workloads.ts';
import { serviceAccounts } from './accounts.ts';
import { runCronJob } from './api.ts';
import type { Stage, StageOptions } from './stage.ts';
import { expectReported, FAST_AUDIT, runs, setStage } from './stage.ts';

let stage: Stage;

beforeAll(async () => {
  // What changes before the watches stand again, the audit finds. As in a cluster of users: for a second after its start an API
  // server answers 403 to all but system:masters, and a client-go from 0.32 on ends its watches for good then.
  const accounts: StageOptions['accounts'] = async (_, kubeconfig, dataDir) =>
    serviceAccounts(await createNamespace(kubeconfig, 'accounts'), kubeconfig, dataDir); // that of the runs is removed
  stage = await setStage('control', { env: FAST_AUDIT, accounts });
});
afterAll(() => stage.close());

describe('nothing is lost and nothing is reported twice', () => {
  it('when the API server is restarted', async () => {
    const restart = async (n: number): Promise<void> => {
      if (n === 5) await clusterScript(stage.cluster, 'restart', 'apiserver');
    };
    // Of a Job that is removed before the watches stand again nobody could know the end.
    const started = await runs(stage, 'apiserver', 12, restart, { keep: true });
    await expectReported(stage, started);
    await stage.collector.watching();
  });

  it('when a namespace with 50 running Jobs is deleted: 50 times cancelled, once each', async () => {
    const { kube, vendors } = stage;
    await kube.apply(cronJob({ name: 'many', pod: { run: '600s' }, job: { parallelism: 1 } }));
    const jobs = await Promise.all(
      Array.from({ length: 50 }, (_, n) => runCronJob(stage.api, kube.namespace, 'many', `many-${n}`)),
    );
    const pings = (job: KubeObject): string[] =>
      vendors.cronitor.pings
        .filter(({ query }) => query.series === job.metadata.uid)
        .map(({ query }) => [query.state, query.message].filter((text) => text !== undefined).join(' '));
    await until('50 starts', () => jobs.every((job) => pings(job).length > 0), 120_000);
    await kube.removeNamespace();
    await until('50 ends', () => jobs.every((job) => pings(job).some((ping) => !ping.startsWith('run'))), 240_000);
    // On a busy machine an answer of the vendor may come too late: then, and only then, a ping comes again.
    const metrics = await (await fetch(`${stage.bridge.pageUrl}metrics`)).text();
    const isLost = /deliveries_total\{[^}]*reason="(timeout|answer_lost)"/.test(metrics);
    for (const job of jobs) {
      const reported = isLost ? [...new Set(pings(job))] : pings(job);
      expect([job.metadata.name, ...reported]).toEqual([job.metadata.name, 'run', 'fail cancelled']);
    }
  });
});
