import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
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
import { cronJob } from './workloads.ts';

const FAST = { LIFECYCLE_BRIDGE__CLUSTER__AUDIT__INTERVAL: '2s', LIFECYCLE_BRIDGE__CLUSTER__AUDIT__GRACE: '4s' };
const releases = new Releases();
let kubeconfig: string;
let dataDir: string;
let vendors: Vendors;
let bridge: Bridge;
let collector: Collector;
let kube: Kube;

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'e2e-audit-'));
  releases.add(() => rmSync(dataDir, { recursive: true }));
  const cluster = await startCluster(`audit-${process.pid}`);
  releases.add(() => cluster.stop());
  kubeconfig = cluster.kubeconfig;
  kube = await createNamespace(kubeconfig, 'audit');
  releases.add(() => kube.removeNamespace());
  vendors = await startVendors();
  releases.add(() => vendors.close());
  bridge = await startBridge({
    vendorsUrl: vendors.url,
    vendorKey: vendors.key,
    dataDir,
    kubeconfig,
    namespaces: [kube.namespace],
    env: FAST,
  });
  releases.add(async () => void (await bridge.stop()));
  collector = await startCollector({
    kubeconfig,
    namespaces: [kube.namespace],
    bridgeEndpoint: bridge.endpoint,
    bridgePageUrl: bridge.pageUrl,
    clusterName: 'e2e',
    dataDir: join(dataDir, 'collector'),
  });
  releases.add(() => collector.stop());
});

afterAll(() => releases.release());

const statesOf = (job: KubeObject): string[] =>
  vendors.cronitor.pings.filter(({ query }) => query.series === job.metadata.uid).map(({ query }) => query.state);

const gone = (target: string) => kube.wait(target, 'delete', 60_000);

/** A run of a new CronJob, long enough to be known before it ends; its Job is removed five seconds after its end. */
async function startRun(name: string, run = '10s'): Promise<KubeObject> {
  await kube.apply(cronJob({ name, pod: { run }, job: { ttlSecondsAfterFinished: 5 } }));
  const job = await kube.runCronJob(name, `${name}-run`);
  await until('its run is reported', () => statesOf(job).length >= 1);
  await bridge.settled();
  return job;
}

const runStatus = async ({ metadata }: KubeObject): Promise<string> => {
  const detail = (await (await fetch(`${bridge.pageUrl}api/runs/${metadata.uid}`)).json()) as {
    run: { status: string };
  };
  return detail.run.status;
};

describe('what happens while the bridge is away', () => {
  it('a Job that ends and is removed is reported from the queue of the Collector, never as cancelled', async () => {
    const job = await startRun('queued');
    await bridge.kill9();
    await gone('job/queued-run');
    await bridge.start();
    await until('its end is reported', () => statesOf(job).length >= 2);
    expect(statesOf(job)).toEqual(['run', 'complete']);
  });

  it('and the Collector too: the status of the CronJob proves that its run succeeded', async () => {
    const job = await startRun('lost');
    await Promise.all([bridge.kill9(), collector.kill9()]);
    await gone('job/lost-run');
    rmSync(join(dataDir, 'collector', 'queue'), { recursive: true });
    await bridge.start();
    await collector.restart();
    await until('its end is reported', () => statesOf(job).length >= 2, 60_000);
    expect(statesOf(job)).toEqual(['run', 'complete']);
    expect(await runStatus(job)).toBe('succeeded');
  });

  it('and the Collector too: a Job of which nothing shows the end is unknown, and announced nowhere', async () => {
    const job = await startRun('erased', '600s');
    await Promise.all([bridge.kill9(), collector.kill9()]);
    await kube.delete('job/erased-run');
    await gone('job/erased-run');
    rmSync(join(dataDir, 'collector', 'queue'), { recursive: true });
    await bridge.start();
    await collector.restart();
    await until('it is unknown', async () => (await runStatus(job)) === 'unknown', 60_000);
    expect(statesOf(job)).toEqual(['run']);
  });

  it('and the Collector too: the monitor of a CronJob that was deleted is paused', async () => {
    const { uid } = (await kube.get('cronjob/queued')).metadata;
    expect(vendors.cronitor.monitors.get(uid)?.paused).not.toBe(true);
    await Promise.all([bridge.kill9(), collector.kill9()]);
    await kube.delete('cronjob/queued');
    await gone('cronjob/queued');
    rmSync(join(dataDir, 'collector', 'queue'), { recursive: true });
    await bridge.start();
    await collector.restart();
    await until('it is paused', () => vendors.cronitor.monitors.get(uid)?.paused === true, 60_000);
  });

  it('broke no rule of the vendor and reported nothing twice', () => {
    expect(vendors.cronitor.autoCreated).toEqual([]);
    expect(vendors.cronitor.violations).toEqual([]);
    const reported = vendors.cronitor.pings.map(({ query }) => `${query.series} ${query.state}`);
    expect(reported.toSorted()).toEqual([...new Set(reported)].toSorted());
  });
});

describe('without the permission to LIST Jobs', () => {
  const rules = (batch: readonly string[]) => [
    { apiGroups: ['batch'], resources: batch, verbs: ['get', 'list'] },
    { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] },
  ];
  const role = (batch: readonly string[]) => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'bridge' },
    rules: rules(batch),
  });

  /** A kubeconfig of a new service account that has the role. */
  async function accountConfig(): Promise<string> {
    await kube.kubectl(['create', 'serviceaccount', 'bridge']);
    await kube.kubectl([
      'create',
      'rolebinding',
      'bridge',
      '--role=bridge',
      `--serviceaccount=${kube.namespace}:bridge`,
    ]);
    const token = (await kube.kubectl(['create', 'token', 'bridge'])).trim();
    const config = parse(readFileSync(kubeconfig, 'utf8')) as { users: { name: string }[]; contexts: object[] };
    const path = join(dataDir, 'account.kubeconfig');
    writeFileSync(
      path,
      JSON.stringify({ ...config, users: config.users.map(({ name }) => ({ name, user: { token } })) }),
    );
    return path;
  }

  it('nothing is gone, the others are audited, and Jobs again once it is given back', async () => {
    await kube.apply(role(['cronjobs', 'jobs']));
    await kube.apply(cronJob({ name: 'guarded', pod: { run: '600s' } }));
    const job = await kube.runCronJob('guarded', 'guarded-run');
    const account = await startBridge({
      vendorsUrl: vendors.url,
      vendorKey: vendors.key,
      dataDir: join(dataDir, 'account'),
      kubeconfig: await accountConfig(),
      namespaces: [kube.namespace],
      env: FAST,
    });
    releases.add(async () => void (await account.stop()));
    const result = async () => (await account.readyz()).lists['Job']?.result;
    await until('Jobs are audited', async () => (await result()) === 'complete');
    await kube.apply(role(['cronjobs']));
    await until('Jobs are not audited', async () => (await result()) === 'unaudited');
    expect((await account.readyz()).lists['CronJob']?.result).toBe('complete');
    expect(await (await fetch(account.pageUrl)).text()).toContain('Jobs are not audited');
    expect(await (await fetch(`${account.pageUrl}metrics`)).text()).toMatch(/audit_unaudited\{kind="Job"\} 1\n/);
    await kube.apply(role(['cronjobs', 'jobs']));
    await until('Jobs are audited again', async () => (await result()) === 'complete', 90_000);
    const { run } = (await (await fetch(`${account.pageUrl}api/runs/${job.metadata.uid}`)).json()) as {
      run: { status: string; deleted: boolean };
    };
    expect(run).toMatchObject({ status: 'running', deleted: false });
  });
});
