import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startCluster, type Cluster } from '../harness/cluster.ts';
import { startCollector, type Collector, type CollectorOptions } from '../harness/collector.ts';
import { createNamespace, until, type Kube } from '../harness/kube.ts';
import { startReceiver, type Arrived, type Receiver } from '../harness/receiver.ts';

const SECRET = 'hunter2-never-leaves';
const RUN = { 'lifecycle-bridge.test/run': '200ms' };
let cluster: Cluster;
let kube: Kube;
let dataDir: string;
let receiver: Receiver;
let options: CollectorOptions;
let collector: Collector;

beforeAll(async () => {
  cluster = await startCluster('e2e-collector');
});
afterAll(async () => {
  await cluster.stop();
});
beforeEach(async () => {
  kube = await createNamespace(cluster.kubeconfig, 'collector');
  dataDir = mkdtempSync(join(tmpdir(), 'e2e-collector-'));
  receiver = await startReceiver();
  const { kubeconfig } = cluster;
  const bridgeEndpoint = receiver.endpoint;
  options = { kubeconfig, bridgeEndpoint, dataDir, clusterName: 'test-cluster' };
  collector = await startCollector(options);
});
afterEach(async () => {
  await collector.stop();
  receiver.stop();
  await kube.removeNamespace();
  rmSync(dataDir, { recursive: true, force: true });
});

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
  const arrived = await until('the namespace of this test', async () => {
    await kube.kubectl(['label', 'namespace', kube.namespace, `touched=${Date.now()}`, '--overwrite']);
    return receiver.records().find((r) => r.resource === 'namespaces' && r.name === kube.namespace);
  });
  expect(arrived).toMatchObject({ type: 'MODIFIED', object: { kind: 'Namespace' } });
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
  await collector.stop();
  // What the first has not sent yet stays in its queue.
  collector = await startCollector({ ...options, dataDir: join(dataDir, 'scoped'), namespaces: [kube.namespace] });
  const before = receiver.records().length;
  await other.apply(cronJob('elsewhere'));
  await kube.apply(cronJob('here'));
  await other.removeNamespace();
  await until('the watched CronJob', () => ours().some((r) => r.name === 'here'));
  expect(
    new Set(
      receiver
        .records()
        .slice(before)
        .map((r) => r.namespace),
    ),
  ).toEqual(new Set([kube.namespace]));
});

test('its own metrics are served where the reader says', async () => {
  const answer = await fetch(collector.metricsUrl);
  expect(await answer.text()).toContain('otelcol_exporter_queue_capacity');
});

test('a receiver that answers UNAVAILABLE and later OK gets everything', async () => {
  receiver.refuse();
  await runs(20);
  await until('the Collector has tried', () => receiver.refused() > 0);
  receiver.accept();
  await expect.poll(arrivedRuns, { timeout: 60_000 }).toEqual({ jobsAdded: 20, podsAdded: 20, jobsComplete: 20 });
});

test('a Collector killed with SIGKILL while the receiver is away delivers what it had queued', async () => {
  receiver.refuse();
  await runs(20);
  // The watch of a kind is in order: what came before the marker is on disk when the marker is.
  await kube.apply(job('marker', { suspend: true }));
  await until('the queue on disk has all', () => queued().includes('marker'));
  await collector.kill9();
  await collector.restart();
  receiver.accept();
  await expect.poll(arrivedRuns, { timeout: 60_000 }).toEqual({ jobsAdded: 20, podsAdded: 20, jobsComplete: 20 });
});

/** Runs Jobs to their end at the API server. */
async function runs(count: number): Promise<void> {
  await kube.apply(...Array.from({ length: count }, (_, i) => job(`run-${i}`)));
  await kube.kubectl(['wait', 'job', '--all', '--for=condition=Complete', '--timeout=60s'], { timeoutMs: 65_000 });
}

/** How many objects of `runs` have arrived; the order in which they do is not that of the watch. */
function arrivedRuns(): object {
  const runs = ours().filter((r) => r.name.startsWith('run-'));
  const count = (records: readonly Arrived[]): number => new Set(records.map((r) => r.name)).size;
  const added = runs.filter((r) => r.type === 'ADDED');
  return {
    jobsAdded: count(added.filter((r) => r.resource === 'jobs')),
    podsAdded: count(added.filter((r) => r.resource === 'pods')),
    jobsComplete: count(runs.filter((r) => r.resource === 'jobs' && text(r.object).includes('"Complete"'))),
  };
}

/** All bytes of the queue on disk. */
function queued(): string {
  const folder = join(dataDir, 'queue');
  return readdirSync(folder)
    .map((file) => readFileSync(join(folder, file), 'latin1'))
    .join('');
}

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

function job(name: string, spec: object = {}): object {
  const template = { metadata: { annotations: RUN }, spec: { ...podSpec(1), restartPolicy: 'Never' } };
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name }, spec: { template, ...spec } };
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
