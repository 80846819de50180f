import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { Releases } from '../../bridge/lib/releases.ts';
import { startCluster, type Cluster } from '../harness/cluster.ts';
import { startCollector, type Collector, type CollectorOptions } from '../harness/collector.ts';
import { createNamespace, until, type Kube } from '../harness/kube.ts';
import { startReceiver, type Arrived, type Receiver } from '../harness/receiver.ts';

const SECRET = 'hunter2-never-leaves';
const RUN = { 'lifecycle-bridge.test/run': '200ms' };
const releases = new Releases();
let cluster: Cluster;
let kube: Kube;
let dataDir: string;
let receiver: Receiver;
let options: CollectorOptions;
let collector: Collector;

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'e2e-collector-'));
  releases.add(() => rmSync(dataDir, { recursive: true, force: true }));
  cluster = await startCluster(`collector-${process.pid}`);
  releases.add(() => cluster.stop());
  receiver = await startReceiver();
  releases.add(() => receiver.stop());
  const { kubeconfig } = cluster;
  options = { kubeconfig, bridgeEndpoint: receiver.endpoint, dataDir, clusterName: 'test-cluster' };
  collector = await startCollector(options);
  releases.add(() => collector.stop());
});
afterAll(() => releases.release());
beforeEach(async () => {
  kube = await createNamespace(cluster.kubeconfig, 'collector');
});
afterEach(() => kube.removeNamespace());

test('pods, jobs, cronjobs and events arrive in watch shape with the cluster name', async () => {
  await kube.apply(cronJob('nightly'));
  await kube.runCronJob('nightly', 'nightly-1');
  await kube.wait('job/nightly-1', 'condition=Complete');
  await kube.delete('job/nightly-1');

  const arrived = async (resource: string, type: string): Promise<Arrived> =>
    until(`${type} of ${resource}`, () => ours().find((r) => r.resource === resource && r.type === type));
  await arrived('cronjobs', 'ADDED');
  await arrived('jobs', 'ADDED');
  await arrived('pods', 'ADDED');
  await arrived('pods', 'DELETED');
  const job = await arrived('jobs', 'DELETED');
  const event = await arrived('events', 'ADDED');

  expect(job.object).toMatchObject({ apiVersion: 'batch/v1', kind: 'Job', status: { succeeded: 1 } });
  expect(event.object).toMatchObject({ apiVersion: 'events.k8s.io/v1', kind: 'Event' });
  expect(new Set(receiver.records().map((r) => r.cluster))).toEqual(new Set(['test-cluster']));
});

test('objects of cluster scope arrive', async () => {
  const arrived = (type: string): Promise<Arrived> =>
    until(`${type} of the namespace of this test`, () =>
      receiver.records().find((r) => r.resource === 'namespaces' && r.name === kube.namespace && r.type === type),
    );
  await arrived('ADDED');
  await kube.kubectl(['label', 'namespace', kube.namespace, 'touched=yes']);
  expect(await arrived('MODIFIED')).toMatchObject({ object: { kind: 'Namespace' } });
});

test('no env value, managedFields or last-applied annotation leaves the Collector', async () => {
  await kube.apply(cronJob('nightly'), pod('bare'), workload('Deployment', 'web'), workload('StatefulSet', 'db'));
  await kube.runCronJob('nightly', 'nightly-1');
  await kube.wait('pod/bare', 'condition=Ready');
  await kube.kubectl(['debug', 'bare', '--image=x', '-c=debugger', '--attach=false', `--env=TOKEN=${SECRET}`]);
  await kube.wait('job/nightly-1', 'condition=Complete');
  const kinds = ['cronjobs', 'jobs', 'pods', 'deployments', 'replicasets', 'statefulsets', 'controllerrevisions'];
  await until('all kinds', () => kinds.every((kind) => ours().some((r) => r.resource === kind)));
  await until('the ephemeral container', () => ours().some((r) => text(r).includes('ephemeralContainers')));

  const stored = text(await kube.list('pods,jobs,cronjobs,deployments,replicasets,statefulsets,controllerrevisions'));
  expect(stored).toContain(SECRET);
  const left = ['app-9', SECRET, 'managedFields', 'last-applied-configuration'].filter((word) =>
    receiver.text().includes(word),
  );
  expect(left).toEqual(['app-9']);
  expect(readFileSync(collector.logFile, 'utf8')).not.toMatch(/"level":"(warn|error)"/);
});

test('with WATCH_NAMESPACES only these namespaces are watched, and nothing of cluster scope', async () => {
  const other = await createNamespace(cluster.kubeconfig, 'collector-other');
  const scoped = await startReceiver();
  releases.add(() => scoped.stop());
  const scope = { namespaces: [kube.namespace], bridgeEndpoint: scoped.endpoint, dataDir: join(dataDir, 'scoped') };
  const second = await startCollector({ ...options, ...scope });
  try {
    await other.apply(cronJob('elsewhere'));
    await kube.apply(cronJob('here'));
    await other.removeNamespace();
    await until('the watched CronJob', () => scoped.records().some(({ name }) => name === 'here'));
    expect(new Set(scoped.records().map(({ namespace }) => namespace))).toEqual(new Set([kube.namespace]));
  } finally {
    await second.stop();
  }
});

test('its own metrics are served where the reader says', async () => {
  const answer = await fetch(collector.metricsUrl);
  expect(await answer.text()).toContain('otelcol_exporter_queue_capacity');
});

function ours(): readonly Arrived[] {
  return receiver.records().filter((r) => r.namespace === kube.namespace);
}

function text(value: unknown): string {
  return JSON.stringify(value);
}

function podSpec(containers: number): object {
  const env = [{ name: 'TOKEN', value: SECRET }];
  const list = (prefix: string, count: number): object[] =>
    Array.from({ length: count }, (_, i) => ({ name: `${prefix}-${i}`, image: 'example/app:1', env }));
  return { containers: list('app', containers), initContainers: list('init', 2) };
}

function cronJob(name: string): object {
  const template = { metadata: { annotations: RUN }, spec: { ...podSpec(10), restartPolicy: 'Never' } };
  const spec = { schedule: '0 0 1 1 *', suspend: true, jobTemplate: { spec: { template } } };
  return { apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name }, spec };
}

function pod(name: string): object {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: podSpec(10) };
}

function workload(kind: 'Deployment' | 'StatefulSet', name: string): object {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: podSpec(10) };
  const spec = { replicas: 1, selector: { matchLabels: labels }, template };
  return { apiVersion: 'apps/v1', kind, metadata: { name }, spec };
}
