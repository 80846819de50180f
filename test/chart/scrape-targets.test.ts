import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../harness/cluster.ts';
import { createNamespace, type Kube, until } from '../harness/kube.ts';
import { accountKubeconfig } from './account.ts';
import { type Manifest, OLD_COLLECTOR, packageChart, render, type Tree } from './helm.ts';
import { type MetricsSink, startMetricsSink } from './metrics-sink.ts';
import { podsOf } from './pods.ts';
import { type Program, startCollector } from './programs.ts';

const TLS = join(import.meta.dirname, '../fixtures/tls');
const tlsFile = (name: string): string => readFileSync(join(TLS, name), 'utf8');
const work = mkdtempSync(join(tmpdir(), 'chart-targets-'));
const servers: Server[] = [];
let cluster: Cluster;
let ops: Kube;
let foreign: Kube;
let sink: MetricsSink;
let collector: Program;

/** What the Secrets of the user hold. */
const SECRETS: Record<string, Record<string, string>> = {
  'exporter-tls': {
    'ca.crt': tlsFile('ca.pem'),
    'tls.crt': tlsFile('client.pem'),
    'tls.key': tlsFile('client.key'),
  },
  exporter: { user: 'scraper', password: 'first' },
  api: { token: 'the-token' },
};
const basic = (password: string): string => `Basic ${Buffer.from(`scraper:${password}`).toString('base64')}`;
let password = 'first';

/** Answers what `page` gives for a request, or 401; returns host:port. */
async function target(page: (request: IncomingMessage) => string | undefined, options?: Tree): Promise<string> {
  const answer: RequestListener = (request, response) => {
    const text = page(request);
    if (text === undefined) response.writeHead(401).end();
    else response.setHeader('content-type', 'text/plain; version=0.0.4').end(text);
  };
  const server = options === undefined ? createServer(answer) : createTlsServer(options, answer);
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A target that believes who has a certificate of its authority and the password, and answers in what form it was asked for. */
const guarded = (): Promise<string> =>
  target(
    ({ socket, headers, url = '' }) =>
      (socket as TLSSocket).authorized && headers.authorization === basic(password)
        ? `guarded_info{format="${new URLSearchParams(url.split('?')[1]).get('format')}",pod="theirs"} 1\n`
        : undefined,
    { cert: tlsFile('server-1.pem'), key: tlsFile('server-1.key'), ca: tlsFile('ca.pem'), requestCert: true },
  );

/** What it probed, as a blackbox exporter says it. */
const prober = (): Promise<string> =>
  target(({ url = '' }) => {
    const { pathname, searchParams } = new URL(url, 'http://x');
    return `probe_success{path="${pathname}",module="${searchParams.get('module')}",of="${searchParams.get('target')}"} 1\n`;
  });

async function jobs(): Promise<Tree> {
  const withToken = await target(({ headers }) =>
    headers.authorization === 'Bearer the-token' ? 'api_up 1\n' : undefined,
  );
  const shop = await target(() => 'shop_orders 42\n');
  const fixed = { target_label: '__address__', replacement: shop };
  return {
    guarded: {
      targets: [(await guarded()).replace('127.0.0.1', 'localhost')],
      labels: { site: 'fra', pod: 'ours' },
      scheme: 'https',
      tls: { existingSecret: 'exporter-tls', caKey: 'ca.crt', certKey: 'tls.crt', keyKey: 'tls.key' },
      basicAuth: { existingSecret: 'exporter', usernameKey: 'user' },
      params: { format: ['short'] },
      honorLabels: true,
      targetLimit: 5,
      bodySizeLimit: '1MB',
      labelNameLengthLimit: 100,
      labelValueLengthLimit: 1000,
    },
    api: { targets: [withToken], authorization: { existingSecret: 'api', key: 'token' } },
    website: { targets: ['https://shop.example.com/a?b=c'], prober: await prober(), module: 'http_2xx' },
    // The pods of this cluster are not real: what is found is scraped here.
    services: {
      role: 'endpointslice',
      selector: { 'app.kubernetes.io/name': 'shop' },
      port: 'metrics',
      relabel: [
        { source_labels: ['__meta_kubernetes_service_name'], target_label: 'service' },
        { source_labels: ['__address__'], target_label: 'address' },
        fixed,
      ],
    },
  };
}

beforeAll(async () => {
  cluster = await startCluster('chart-targets');
  ops = await createNamespace(cluster.kubeconfig, 'ops');
  foreign = await createNamespace(cluster.kubeconfig, 'foreign');
  sink = await startMetricsSink('');
  const raw = await target(() => 'raw_up 1\n');
  const extra = { job_name: 'raw', scrape_interval: '15s', static_configs: [{ targets: [raw] }] };
  const values = {
    backend: { exporter: 'otlphttp', endpoint: `http://${sink.address}` },
    collector: { config: { exporters: { 'otlphttp/backend': { encoding: 'json', compression: 'none' } } } },
    metrics: { scrape: { intervalSeconds: 15, jobs: await jobs(), extraScrapeConfigs: [extra] } },
  };
  const manifests = await render(await packageChart(), values, { namespace: ops.namespace, args: OLD_COLLECTOR });
  await ops.apply(...manifests.filter(({ kind }) => kind.includes('Role') || kind === 'ServiceAccount'));
  for (const kube of [ops, foreign]) await kube.apply(...shopIn(kube.namespace));
  await ops.wait('pod/shop-0', 'condition=Ready');
  const kubeconfig = await accountKubeconfig(ops, cluster.kubeconfig, 'lb-collector', work);
  mount(manifests);
  collector = await startCollector({ manifests, kubeconfig, folder: work, env: { BRIDGE_ENDPOINT: '127.0.0.1:9' } });
});
afterAll(async () => {
  await collector?.stop();
  for (const server of servers) server.close().closeAllConnections();
  sink?.close();
  await ops?.removeNamespace();
  await foreign?.removeNamespace();
  await cluster?.stop();
  rmSync(work, { recursive: true, force: true });
});

/** The files that the kubelet makes of the Secrets, as the pod asks for them. */
function mount(manifests: readonly Manifest[]): void {
  const pod = podsOf(manifests).find(({ owner }) => owner === 'StatefulSet/lb-collector');
  const volume = pod?.spec.volumes?.find(({ name }) => name === 'scrape') as
    | { projected: { sources: { secret: { name: string; items: { key: string; path: string }[] } }[] } }
    | undefined;
  for (const { secret } of volume?.projected.sources ?? [])
    for (const { key, path } of secret.items) {
      const file = join(work, 'scrape', path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, SECRETS[secret.name]![key]!);
    }
}

/** A pod with two ports behind a Service with the label, which has both IP families, and behind one without. */
function shopIn(namespace: string): Tree[] {
  const ports = [
    { name: 'web', containerPort: 80 },
    { name: 'telemetry', containerPort: 9090 },
  ];
  const service = (name: string, labels: Tree): Tree => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, labels },
    spec: {
      selector: { app: 'shop' },
      ports: [
        { name: 'metrics', port: 8080, targetPort: 'telemetry' },
        { name: 'web', port: 80, targetPort: 'web' },
      ],
    },
  });
  const template = {
    metadata: { labels: { app: 'shop' } },
    spec: { containers: [{ name: 'web', image: 'web:1', ports }] },
  };
  return [
    service('shop', { 'app.kubernetes.io/name': 'shop' }),
    service('other', { 'app.kubernetes.io/name': 'shop-other' }),
    {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'shop' },
      spec: { serviceName: 'shop', selector: { matchLabels: { app: 'shop' } }, template },
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        name: 'shop-second-family',
        labels: { 'kubernetes.io/service-name': 'shop', 'endpointslice.kubernetes.io/managed-by': 'test' },
      },
      addressType: 'IPv6',
      endpoints: [{ addresses: ['fd00::1'], targetRef: { kind: 'Pod', name: 'shop-0', namespace } }],
      ports: [{ name: 'metrics', port: 9090 }],
    },
  ];
}

const of = (name: string, job: string) =>
  sink.samples().filter((sample) => sample.name === name && sample.resource['service.name'] === job);
const arrived = (name: string, job: string) => until(`${name} of ${job} arrives`, () => of(name, job).at(-1), 90_000);

it('a target over TLS gets the certificate, the user and the parameters of the job, and its own labels count', async () => {
  expect((await arrived('guarded_info', 'guarded')).attributes).toEqual({
    site: 'fra',
    format: 'short',
    pod: 'theirs',
  });
});

it('a target gets the bearer token of the job', async () => {
  expect((await arrived('api_up', 'api')).value).toBe(1);
});

it('a prober is asked about each target by its module, and the sample names the target', async () => {
  const { attributes, resource } = await arrived('probe_success', 'website');
  expect(attributes).toEqual({ path: '/probe', module: 'http_2xx', of: 'https://shop.example.com/a?b=c' });
  expect(resource['service.instance.id']).toBe('https://shop.example.com/a?b=c');
});

it('a job in Prometheus’ own words is taken as it is', async () => {
  expect((await arrived('raw_up', 'raw')).value).toBe(1);
});

it('a pod behind a Service is scraped once, at the port of the Service, with what it is, in scope only', async () => {
  const sample = await arrived('shop_orders', 'services');
  const addresses = of('up', 'services').map(({ attributes }) => attributes['address']);
  expect(addresses).toEqual(addresses.map(() => expect.stringMatching(/^[0-9.]+:9090$/)));
  expect(sample.attributes).toEqual({ service: 'shop', address: addresses[0] });
  expect(sample.resource).toMatchObject({
    'k8s.namespace.name': ops.namespace,
    'k8s.pod.name': 'shop-0',
    'k8s.container.name': 'web',
    'k8s.statefulset.name': 'shop',
  });
  const ups = of('up', 'services').map(({ resource }) => JSON.stringify(resource));
  expect(new Set(ups).size).toBe(1);
  expect(collector.log()).not.toMatch(/forbidden/);
});

it('the Collector has the metrics of its queues that the dashboard asks for', async () => {
  const page = await (await fetch(`http://127.0.0.1:${collector.port}/metrics`)).text();
  for (const name of ['otelcol_exporter_queue_size', 'otelcol_exporter_queue_capacity'])
    expect(page).toMatch(new RegExp(`^${name}\\{[^}]*exporter="otlp/bridge"`, 'm'));
});

it('a password that changes is read again, without a restart', async () => {
  await arrived('guarded_info', 'guarded');
  const refused = (): number => of('up', 'guarded').filter(({ value }) => value === 0).length;
  const before = refused();
  password = 'second';
  await until('the old password is refused', () => refused() > before, 90_000);
  writeFileSync(join(work, 'scrape/guarded/password'), password);
  const seen = of('guarded_info', 'guarded').length;
  await until('the new one is taken', () => of('guarded_info', 'guarded').length > seen, 90_000);
  expect(collector.log()).not.toContain('panic');
});
