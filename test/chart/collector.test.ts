import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, startCluster, tool } from '../harness/cluster.ts';
import { createNamespace, type Kube, until } from '../harness/kube.ts';
import { accountKubeconfig } from './account.ts';
import { cases, fileOf, type Manifest, OLD_COLLECTOR, packageChart, render, subchart, type Tree } from './helm.ts';
import { type MetricsSink, startMetricsSink } from './metrics-sink.ts';
import { type Program, startCollector, startKubeStateMetrics, validateOnNewer } from './programs.ts';

let cluster: Cluster;
let chart: string;
let ops: Kube;
let foreign: Kube;
const work = mkdtempSync(join(tmpdir(), 'chart-collector-'));
const running: Program[] = [];
const sinks: MetricsSink[] = [];

beforeAll(async () => {
  [cluster, chart] = await Promise.all([startCluster('chart-collector'), packageChart()]);
  ops = await createNamespace(cluster.kubeconfig, 'ops');
  foreign = await createNamespace(cluster.kubeconfig, 'foreign');
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((program) => program.stop()));
  for (const sink of sinks.splice(0)) sink.close();
});
afterAll(async () => {
  await ops?.removeNamespace();
  await foreign?.removeNamespace();
  await cluster?.stop();
  rmSync(work, { recursive: true, force: true });
});

const withCollector = cases().filter(({ values }) => (values['collector'] as Tree | undefined)?.['enabled'] !== false);

it.each(withCollector.map(({ name, values }) => [name, values] as const))(
  'the Collector starts with the configuration of %s and is healthy',
  async (name, values) => {
    const manifests = await render(chart, values, { namespace: ops.namespace, args: OLD_COLLECTOR });
    const folder = join(work, name.replaceAll('/', '-'));
    const { kubeconfig } = cluster;
    const collector = await startCollector({ manifests, kubeconfig, folder, env: { BRIDGE_ENDPOINT: '127.0.0.1:9' } });
    running.push(collector);
    expect((await fetch(`http://127.0.0.1:${collector.port}/metrics`)).status).toBe(200);
    expect(collector.log()).not.toMatch(/forbidden|"level":"(error|fatal|panic)"/);
  },
);

/** Remote write brings too much to be built. */
const withoutRemoteWrite = withCollector.filter(
  ({ values }) => (values['backend'] as Tree | undefined)?.['exporter'] !== 'prometheusremotewrite',
);

it.each(withoutRemoteWrite.map(({ name, values }) => [name, values] as const))(
  'a newer Collector takes the configuration of %s, with batches in the queue',
  async (name, values) => {
    const folder = join(work, `newer-${name.replaceAll('/', '-')}`);
    const manifests = await render(chart, values, { args: ['--set', 'collector.image.tag=0.140.1'] });
    expect(fileOf(manifests, 'lb-collector', 'collector.yaml')).toContain('block_on_overflow: true');
    expect(await validateOnNewer(manifests, folder)).toBe('');
  },
);

it('the Collector starts without the umbrella chart, and without any value', async () => {
  const manifests = await render(subchart('collector'), {}, { namespace: ops.namespace });
  const { kubeconfig } = cluster;
  const collector = await startCollector({ manifests, kubeconfig, folder: join(work, 'alone') });
  running.push(collector);
  expect((await fetch(`http://127.0.0.1:${collector.port}/metrics`)).status).toBe(200);
});

describe('in the namespace of the release, with the permissions that the chart gives', () => {
  const PAGE = 'http_requests_total{code="200"} 7\nhttp_seconds_bucket{le="1"} 3\ngo_threads 5\nshop_orders 42\n';
  const PORTS = [
    { name: 'metrics', containerPort: 8080 },
    { name: 'http', containerPort: 80 },
  ];
  const accounts = (manifests: readonly Manifest[]) =>
    manifests.filter(({ kind }) => kind.includes('Role') || kind === 'ServiceAccount');
  const statefulSet = (name: string) => ({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name },
    spec: {
      serviceName: name,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: {
          labels: { app: name, team: 'blue-one' },
          annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9090' },
        },
        spec: { containers: [{ name: 'web', image: 'web:1', ports: PORTS }] },
      },
    },
  });

  it('each sample says where it was taken, and no pod of another namespace is scraped', async () => {
    const sink = await startMetricsSink(PAGE);
    sinks.push(sink);
    const values = {
      cluster: { name: 'production', environment: 'staging' },
      backend: {
        exporter: 'otlphttp',
        endpoint: `http://${sink.address}`,
        headers: { 'x-key': { existingSecret: 'a', key: 'b' } },
      },
      collector: { config: { exporters: { 'otlphttp/backend': { encoding: 'json', compression: 'none' } } } },
      metrics: {
        scrape: {
          intervalSeconds: 15,
          jobs: {
            'annotated-pods': { enabled: true },
            shop: {
              selector: { app: 'shop' },
              port: 'metrics',
              keep: ['http_.*', 'shop_.*'],
              drop: ['http_.*_bucket'],
              relabel: [
                {
                  source_labels: ['__meta_kubernetes_pod_label_team'],
                  regex: '(.+)-(.+)',
                  replacement: '${2}-$1',
                  target_label: 'team',
                },
                // The pods of this cluster are not real: what is found is scraped here.
                { target_label: '__address__', replacement: sink.address },
              ],
            },
          },
        },
      },
    };
    const manifests = await render(chart, values, { namespace: ops.namespace, args: OLD_COLLECTOR });
    await ops.apply(...accounts(manifests), statefulSet('shop'));
    await foreign.apply(statefulSet('shop'));
    await ops.wait('pod/shop-0', 'condition=Ready');
    await foreign.wait('pod/shop-0', 'condition=Ready');
    const { uid } = (await ops.get('pod/shop-0')).metadata;
    const folder = join(work, 'scrape');
    const kubeconfig = await accountKubeconfig(ops, cluster.kubeconfig, 'lb-collector', work);
    const env = { BRIDGE_ENDPOINT: '127.0.0.1:9', BACKEND_X_KEY: 'the key' };
    running.push(await startCollector({ manifests, kubeconfig, folder, env }));

    const find = (name: string) =>
      sink.samples().find((sample) => sample.name === name && sample.resource['service.name'] === 'shop');
    const orders = await until('the sample arrives', () => find('shop_orders'), 60_000);
    expect(orders.value).toBe(42);
    expect(orders.attributes).toEqual({ team: 'one-blue' });
    expect(orders.resource).toMatchObject({
      'k8s.cluster.name': 'production',
      'deployment.environment.name': 'staging',
      'helm.release.name': 'lb',
      'helm.release.namespace': ops.namespace,
      'k8s.namespace.name': ops.namespace,
      'k8s.pod.name': 'shop-0',
      'k8s.pod.uid': uid,
      'k8s.statefulset.name': 'shop',
      'k8s.container.name': 'web',
    });
    expect(orders.resource['k8s.node.name']).toMatch(/^fake/);
    const ups = sink.samples().filter(({ name, resource }) => name === 'up' && resource['service.name'] === 'shop');
    expect(ups.map(({ value }) => value)).toContain(1); // a first scrape may have been too slow
    expect(find('http_requests_total')?.attributes).toEqual({ code: '200', team: 'one-blue' });
    expect([find('go_threads'), find('http_seconds_bucket')]).toEqual([undefined, undefined]);
    expect(sink.headers()['x-key']).toBe('the key');
    const seen = new Set(sink.samples().map(({ resource }) => resource['k8s.namespace.name']));
    expect([...seen].filter((namespace) => namespace !== undefined)).toEqual([ops.namespace]);
    const everywhere = [
      'k8s.cluster.name',
      'helm.release.name',
      'helm.release.namespace',
      'deployment.environment.name',
    ];
    expect(sink.samples().filter(({ resource }) => everywhere.some((key) => resource[key] === undefined))).toEqual([]);

    const annotated = () =>
      sink.samples().filter(({ name, resource }) => name === 'up' && resource['service.name'] === 'annotated-pods');
    await until('the annotated pod is tried', () => annotated().length > 0, 60_000);
    // One target of a pod with two ports, at the annotated port; nobody answers there.
    const ip = await ops.kubectl(['get', 'pod/shop-0', '-o', 'jsonpath={.status.podIP}']);
    expect(new Set(annotated().map(({ resource }) => resource['service.instance.id']))).toEqual(
      new Set([`${ip}:9090`]),
    );
    expect(annotated()[0]?.resource).toMatchObject({ 'k8s.pod.name': 'shop-0', 'k8s.namespace.name': ops.namespace });
    expect(running[0]?.log()).not.toMatch(/forbidden/);
  });

  it('kube-state-metrics shows this namespace only, and is forbidden nothing', async () => {
    const manifests = await render(
      chart,
      { backend: { exporter: 'debug' }, 'kube-state-metrics': { labelAllowlist: { pods: ['app'] } } },
      { namespace: ops.namespace },
    );
    await ops.apply(...accounts(manifests), statefulSet('shop'));
    await foreign.apply(statefulSet('shop'));
    await ops.wait('pod/shop-0', 'condition=Ready');
    await foreign.wait('pod/shop-0', 'condition=Ready');
    const kubeconfig = await accountKubeconfig(ops, cluster.kubeconfig, 'lb-kube-state-metrics', work);
    const program = await startKubeStateMetrics({ manifests, kubeconfig, folder: join(work, 'ksm') });
    running.push(program);
    const text = await until('the pod is shown', async () => {
      const body = await (await fetch(`http://127.0.0.1:${program.port}/metrics`)).text();
      return /kube_pod_status_phase\{[^}]*pod="shop-0"[^}]*phase="Running"[^}]*\} 1/.test(body) && body;
    });
    expect(text).toMatch(/kube_pod_labels\{[^}]*label_app="shop"/);
    expect(text).toMatch(/kube_statefulset_replicas\{/);
    expect(text).not.toContain(foreign.namespace);
    expect(text).not.toMatch(/kube_pod_info|kube_secret|kube_configmap/);
    expect(program.log()).not.toMatch(/forbidden|Failed to/i);
  });
});

it('kube-state-metrics knows each kind that the values may name, may read it, and has metrics of it under the name that the chart gives them', async () => {
  const kinds = Object.entries(
    parse(readFileSync(join(subchart('kube-state-metrics'), 'files/kinds.yaml'), 'utf8')) as Readonly<
      Record<string, { readonly metrics: string; readonly cluster?: true; readonly noLabels?: true }>
    >,
  );
  const labelled = kinds.filter(([, { noLabels }]) => !noLabels);
  const values = {
    scope: 'cluster',
    backend: { exporter: 'debug' },
    'kube-state-metrics': {
      collectors: kinds.flatMap(([name, { cluster: isCluster }]) => (isCluster ? [] : [name])),
      clusterCollectors: kinds.flatMap(([name, { cluster: isCluster }]) => (isCluster ? [name] : [])),
      metricAllowlist: ['kube_.*_created'],
      labelAllowlist: Object.fromEntries(labelled.map(([name]) => [name, ['app']])),
    },
  };
  const manifests = await render(chart, values, { namespace: ops.namespace, release: 'lb' });
  const access = manifests.filter(
    ({ kind, metadata }) => /Role|Account/.test(kind) && /state-metrics/.test(metadata.name),
  );
  await ops.apply(...access);
  const kubeconfig = await accountKubeconfig(ops, cluster.kubeconfig, 'lb-kube-state-metrics', work);
  const program = await startKubeStateMetrics({ manifests, kubeconfig, folder: join(work, 'ksm-all') });
  running.push(program);
  const lists = async (): Promise<string> => (await fetch(`http://127.0.0.1:${program.telemetry}/metrics`)).text();
  const listed = async (result: string): Promise<number> =>
    [...(await lists()).matchAll(new RegExp(`^kube_state_metrics_list_total\\{[^}]*result="${result}"`, 'gm'))].length;
  await expect.poll(() => listed('success')).toBe(kinds.length);
  expect(await listed('error')).toBe(0);
  const names = readFileSync(await tool('kube-state-metrics'));
  expect(kinds.filter(([, { metrics }]) => !names.includes(`${metrics}_`))).toEqual([]);
  expect(labelled.filter(([, { metrics }]) => !names.includes(`${metrics}_labels`))).toEqual([]);
  expect(program.log()).not.toMatch(/forbidden|Failed to/i);
  await ops.kubectl(['delete', '-f', '-'], {
    input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: access }),
  });
});

describe('the rendered configuration', () => {
  const jobsOf = (manifests: readonly Manifest[]): readonly Tree[] => {
    const config = parse(fileOf(manifests, 'lb-collector', 'collector.yaml')) as {
      receivers: { prometheus?: { config: { scrape_configs: Tree[] } } };
    };
    return config.receivers.prometheus?.config.scrape_configs ?? [];
  };

  it.each(withCollector.map(({ name, values }) => [name, values] as const))(
    'of %s scrapes every 15 to 60 s, with bounds, and nothing twice',
    async (_, values) => {
      const jobs = jobsOf(await render(chart, values));
      for (const job of jobs) {
        const seconds = (key: string): number => Number.parseInt(String(job[key]), 10);
        expect(seconds('scrape_interval')).toBeGreaterThanOrEqual(15);
        expect(seconds('scrape_interval')).toBeLessThanOrEqual(60);
        expect(seconds('scrape_timeout')).toBeLessThan(seconds('scrape_interval'));
        expect(job['sample_limit']).toBeGreaterThan(0); // 0 would be none
        expect(job['label_limit']).toBeGreaterThan(0);
      }
      const sources = jobs.map((job) =>
        JSON.stringify([job['static_configs'], job['kubernetes_sd_configs'], job['metrics_path']]),
      );
      expect(new Set(sources).size).toBe(sources.length);
    },
  );

  it('has every $ of a user doubled, so that the Collector makes one of it', async () => {
    const { values } = cases().find(({ name }) => name === 'ci/cluster-values.yaml')!;
    const text = fileOf(await render(chart, values), 'lb-collector', 'collector.yaml');
    expect(text).toContain('replacement: $$2-$$1');
    expect(text).not.toMatch(/(?<!\$)\$[0-9]/);
  });

  it('puts no limit and no batch behind the watches, whatever else it carries', async () => {
    for (const { values } of withCollector) {
      const text = fileOf(await render(chart, values), 'lb-collector', 'collector.yaml');
      const { service } = parse(text) as { service: { pipelines: Record<string, { processors: string[] }> } };
      for (const [name, { processors }] of Object.entries(service.pipelines))
        expect(processors.some((each) => /memory_limiter|batch/.test(each))).toBe(name === 'metrics');
    }
  });
});
