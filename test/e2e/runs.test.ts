import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Releases } from '../../bridge/lib/releases.ts';
import type { Vendors } from '../vendors/start-vendors.ts';
import { startVendors } from '../vendors/start-vendors.ts';
import type { Bridge } from '../harness/bridge.ts';
import { startBridge } from '../harness/bridge.ts';
import { startCluster } from '../harness/cluster.ts';
import type { Collector } from '../harness/collector.ts';
import { startCollector } from '../harness/collector.ts';
import type { Kube, KubeObject } from '../harness/kube.ts';
import { createNamespace, until } from '../harness/kube.ts';
import { isListed, isSettled } from '../harness/readyz.ts';
import { cronJob } from './workloads.ts';

const releases = new Releases();
let vendors: Vendors;
let bridge: Bridge;
let collector: Collector;
let kube: Kube;

beforeAll(async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'e2e-runs-'));
  releases.add(() => rmSync(dataDir, { recursive: true }));
  const cluster = await startCluster('e2e-runs');
  releases.add(() => cluster.stop());
  const { kubeconfig } = cluster;
  kube = await createNamespace(kubeconfig, 'runs');
  releases.add(() => kube.removeNamespace());
  const namespaces = [kube.namespace];
  vendors = await startVendors();
  releases.add(() => vendors.close());
  bridge = await startBridge({ vendorsUrl: vendors.url, vendorKey: vendors.key, dataDir, kubeconfig, namespaces });
  releases.add(async () => void (await bridge.stop()));
  collector = await startCollector({
    kubeconfig,
    namespaces,
    bridgeEndpoint: bridge.endpoint,
    bridgePageUrl: bridge.pageUrl,
    clusterName: 'e2e',
    dataDir: join(dataDir, 'collector'),
  });
  releases.add(() => collector.stop());
});

afterAll(() => releases.release());

/** The pings of one run, in the order of their arrival. */
function pingsOf(job: KubeObject): { state: string; stamp: number; message: string | undefined; monitor: string }[] {
  return vendors.cronitor.pings
    .filter(({ query }) => query.series === job.metadata.uid)
    .map(({ query, monitor }) => ({ state: query.state, stamp: Number(query.stamp), message: query.message, monitor }));
}

/** Starts a run of the CronJob by hand and returns its Job. */
const startRun = (name: string, run = `${name}-run`): Promise<KubeObject> => kube.runCronJob(name, run);

async function ended(job: KubeObject, timeoutMs = 90_000): Promise<void> {
  await until(`two pings of ${job.metadata.name}`, () => pingsOf(job).length >= 2, timeoutMs);
}

const seconds = (time: unknown): number => Date.parse(String(time)) / 1000;

/** Nothing is waiting, and every LIST since the last start is through. */
async function settled(): Promise<void> {
  await until('the outbox is empty and every LIST is complete', async () => {
    const ready = await bridge.readyz();
    return isListed(ready) && isSettled(ready);
  });
}

describe('runs of a real control plane reach Cronitor through a real Collector', () => {
  const endings = [
    { name: 'succeeds', pod: { run: '1s' }, states: ['run', 'complete'] },
    {
      name: 'fails',
      pod: { run: '1s', exit: '3' },
      job: { backoffLimit: 2 },
      states: ['run', 'fail'],
      message: /exited with 3.*BackoffLimitExceeded/,
    },
    { name: 'parallel', pod: { run: '2s' }, job: { parallelism: 3, completions: 3 }, states: ['run', 'complete'] },
    {
      name: 'too-long',
      pod: { run: '600s' },
      job: { activeDeadlineSeconds: 3 },
      states: ['run', 'fail'],
      message: /DeadlineExceeded/,
    },
  ];

  it.concurrent.each(endings)(
    'a CronJob that $name: one monitor, one run, one end',
    async ({ name, pod, job, states, message }) => {
      await kube.apply(cronJob({ name, pod, ...(job !== undefined && { job }) }));
      const run = await startRun(name);
      await ended(run);
      const { status } = await kube.get(`job/${name}-run`);
      const owner = await kube.get(`cronjob/${name}`);
      const pings = pingsOf(run);
      expect(pings.map(({ state }) => state)).toEqual(states);
      expect(pings.map(({ monitor }) => monitor)).toEqual([owner.metadata.uid, owner.metadata.uid]);
      expect(pings[0]!.stamp).toBe(seconds(status?.['startTime']));
      const conditions = status?.['conditions'] as { type: string; lastTransitionTime: string }[];
      const failedAt = conditions.find(({ type }) => type === 'Failed')?.lastTransitionTime;
      expect(pings[1]!.stamp).toBe(seconds(status?.['completionTime'] ?? failedAt));
      expect(pings[1]!.message ?? '').toMatch(message ?? /^$/);
      expect(vendors.cronitor.monitors.get(owner.metadata.uid)?.name).toBe(`${kube.namespace}/${name}`);
    },
  );

  it('a Job deleted while active: one run, one fail that says cancelled', async () => {
    await kube.apply(cronJob({ name: 'deleted', pod: { run: '600s' } }));
    const run = await startRun('deleted');
    await until('its run', () => pingsOf(run).length >= 1);
    await kube.delete('job/deleted-run');
    await ended(run);
    expect(pingsOf(run).map(({ state, message }) => [state, message])).toEqual([
      ['run', undefined],
      ['fail', 'cancelled'],
    ]);
  });

  it('a run that the schedule made, under its own series', async () => {
    await kube.apply(cronJob({ name: 'every-minute', schedule: '* * * * *', pod: { run: '1s' } }));
    const owner = await kube.get('cronjob/every-minute');
    const pings = () => vendors.cronitor.pings.filter(({ monitor }) => monitor === owner.metadata.uid);
    await until('a scheduled run', () => pings().length >= 2, 100_000);
    await kube.kubectl(['patch', 'cronjob/every-minute', '-p', '{"spec":{"suspend":true}}']);
    await until('its monitor is paused', () => vendors.cronitor.monitors.get(owner.metadata.uid)?.paused === true);
    expect(pings()[0]!.query.series).toBe(pings()[1]!.query.series);
    expect(
      pings()
        .slice(0, 2)
        .map(({ query }) => query.state),
    ).toEqual(['run', 'complete']);
  });
});

describe('afterwards', () => {
  it('a restart with nothing happening sends nothing', async () => {
    await settled();
    const count = vendors.requests.length;
    expect(await bridge.stop()).toBe(0);
    await bridge.start();
    await settled();
    expect(vendors.requests.slice(count)).toEqual([]);
  });

  it('never made the vendor create a monitor, broke no rule and reported nothing twice', () => {
    expect(vendors.cronitor.autoCreated).toEqual([]);
    expect(vendors.cronitor.violations).toEqual([]);
    const reported = vendors.cronitor.pings.map(({ query }) => `${query.series} ${query.state}`);
    expect(reported.toSorted()).toEqual([...new Set(reported)].toSorted());
  });
});
