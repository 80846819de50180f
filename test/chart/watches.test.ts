import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { KINDS } from '../../bridge/kubernetes/kinds.ts';
import { type Cluster, startCluster } from '../harness/cluster.ts';
import { createNamespace, type Kube, until } from '../harness/kube.ts';
import { type Receiver, startReceiver } from '../harness/receiver.ts';
import { accountKubeconfig } from './account.ts';
import { OLD_COLLECTOR, packageChart, render, type Tree } from './helm.ts';
import { type Program, startCollector } from './programs.ts';

let cluster: Cluster;
let chart: string;
let ops: Kube;
let shop: Kube;
let receiver: Receiver;
let collector: Program | undefined;
const work = mkdtempSync(join(tmpdir(), 'chart-watches-'));

beforeAll(async () => {
  [cluster, chart, receiver] = await Promise.all([startCluster('chart-watches'), packageChart(), startReceiver()]);
  ops = await createNamespace(cluster.kubeconfig, 'ops');
  shop = await createNamespace(cluster.kubeconfig, 'shop');
});
afterEach(() => collector?.stop());
afterAll(async () => {
  await ops?.removeNamespace();
  await shop?.removeNamespace();
  receiver?.stop();
  await cluster?.stop();
  rmSync(work, { recursive: true, force: true });
});

const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'web:1' }] } };
const workload = (kind: string): Tree => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name: kind.toLowerCase() },
  spec: { selector: { matchLabels: { app: 'web' } }, template, ...(kind === 'StatefulSet' && { serviceName: 'web' }) },
});
const cronJob = {
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: { name: 'report' },
  spec: {
    schedule: '0 0 1 1 *',
    jobTemplate: { spec: { template: { spec: { ...template.spec, restartPolicy: 'Never' } } } },
  },
};

const resources = (namespaced: boolean): string[] =>
  Object.values(KINDS).flatMap((kind) => (kind.namespaced === namespaced ? [kind.resource] : []));
const watching = (of: readonly string[]): Tree =>
  Object.fromEntries(Object.entries(KINDS).map(([kind, { resource }]) => [kind, of.includes(resource)]));

it.each([
  ['of one namespace', () => ({ scope: 'namespaces', namespaces: [shop.namespace] }), resources(true)],
  ['of the cluster', () => ({ scope: 'cluster' }), [...resources(true), ...resources(false)]],
] as const)(
  'the Collector sends each kind that is watched, with the permissions that the chart gives: %s',
  async (name, scope, wanted) => {
    const before = receiver.records().length;
    const values = { ...scope(), watch: watching(wanted) };
    const manifests = await render(chart, values, { namespace: ops.namespace, args: OLD_COLLECTOR });
    const access = manifests.filter(({ kind }) => kind.includes('Role') || kind === 'ServiceAccount');
    for (const kube of [ops, shop]) {
      const inIt = access.filter(({ metadata }) => (metadata.namespace ?? ops.namespace) === kube.namespace);
      await kube.apply(...inIt, cronJob, ...['Deployment', 'StatefulSet', 'DaemonSet'].map(workload));
    }
    const kubeconfig = await accountKubeconfig(ops, cluster.kubeconfig, 'lb-collector', work);
    const folder = join(work, name.replaceAll(' ', '-'));
    collector = await startCollector({ manifests, kubeconfig, folder, env: { BRIDGE_ENDPOINT: receiver.endpoint } });
    await shop.runCronJob('report', `run-${before}`);
    const arrived = () => receiver.records().slice(before);
    // Its health says nothing of its watches: objects change until each kind has come.
    await until(
      'each kind has come',
      async () => {
        const touched = [`touched=${Date.now()}`, '--overwrite', '--all'];
        await shop.kubectl(['label', resources(true).join(','), ...touched]);
        if (values.scope === 'cluster') await shop.kubectl(['label', 'nodes,namespaces', ...touched]);
        return new Set(arrived().map(({ resource }) => resource)).size >= wanted.length;
      },
      120_000,
    );
    expect(new Set(arrived().map(({ resource }) => resource))).toEqual(new Set(wanted));
    const elsewhere = arrived().filter(({ namespace }) => namespace !== shop.namespace);
    expect(values.scope === 'cluster' || elsewhere.length === 0).toBe(true);
    expect(arrived().filter(({ resource, type }) => resource === 'events' && type === 'DELETED')).toEqual([]);
    expect(collector.log()).not.toMatch(/forbidden|"level":"(warn|error)"/);
  },
);
