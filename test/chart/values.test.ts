import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readValues, type Value } from '../../scripts/chart/values-file.ts';
import {
  cases,
  type Manifest,
  packageChart,
  refusal,
  render,
  SUBCHARTS,
  subchart,
  type Tree,
  UMBRELLA,
} from './helm.ts';
import { changedLeaf, EXEMPT } from './leaves.ts';

let chart: string;
beforeAll(async () => {
  chart = await packageChart();
});

/** `a.b.c: value` as values; the part of a subchart stands under its name. */
function nested(path: readonly string[], value: unknown): Tree {
  return path.reduceRight<unknown>((below, key) => ({ [key]: below }), value) as Tree;
}

function merged(base: unknown, over: unknown): unknown {
  const isMap = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isMap(base) || !isMap(over)) return over === undefined ? base : over;
  const keys = new Set([...Object.keys(base), ...Object.keys(over)]);
  return Object.fromEntries([...keys].map((key) => [key, merged(base[key], over[key])]));
}

function leaves(values: ReadonlyMap<string, Value>, at: readonly string[]): { path: string[]; value: unknown }[] {
  return [...values].flatMap(([key, value]) =>
    value.children ? leaves(value.children, [...at, key]) : [{ path: [...at, key], value: value.default }],
  );
}

const all = [
  ...leaves(readValues(readFileSync(join(UMBRELLA, 'values.yaml'), 'utf8')), []),
  ...SUBCHARTS.flatMap((name) => leaves(readValues(readFileSync(join(subchart(name), 'values.yaml'), 'utf8')), [name])),
];

const rendered = new Map<string, Promise<string>>();

/** What is rendered, as text, without the tokens, which are random where there is no cluster to keep them. */
function comparable(values: Tree): Promise<string> {
  const key = JSON.stringify(values);
  const text = rendered.get(key) ?? render(chart, values).then((manifests) => JSON.stringify(manifests.map(tokenless)));
  rendered.set(key, text);
  return text;
}

const tokenless = (manifest: Manifest): Tree =>
  manifest.kind === 'Secret' ? { ...manifest, data: Object.keys(manifest['data'] as Tree) } : manifest;

describe('every value of values.yaml', () => {
  it.each(all.map(({ path, value }) => [path.join('.'), path, value] as const))(
    '%s changes what is rendered',
    async (name, path, value) => {
      const { given, base } = changedLeaf(name, value);
      const before = await comparable(base);
      const after = await comparable(merged(base, nested(path, given)) as Tree);
      expect(before === after, 'the render is the same').toBe(EXEMPT.has(name));
    },
  );

  it('has no exemption that is not there', () => {
    const names = new Set(all.map(({ path }) => path.join('.')));
    expect([...EXEMPT.keys()].filter((name) => !names.has(name))).toEqual([]);
  });
});

describe('the schema', () => {
  it.each([
    [{ crontior: {} }, "additional properties 'crontior' not allowed"],
    [{ bridge: { replica: 1 } }, "additional properties 'replica' not allowed"],
    [
      { bridge: { page: { publicUrl: 'bridge.example.com' } } },
      "at '/page/publicUrl': 'bridge.example.com' does not match",
    ],
    [{ collector: { image: { tagg: 'x' } } }, "at '/image': additional properties 'tagg' not allowed"],
    [{ 'kube-state-metrics': { metrics: [] } }, "additional properties 'metrics' not allowed"],
    [
      { cronitor: { default: { existingSecret: 'c', defaultBehavior: 'none' } } },
      "defaultBehavior': value must be one of 'include', 'exclude'",
    ],
    [
      { cronitor: { default: { existingSecret: 'c', labelSelector: { team: 'a' } } } },
      "labelSelector': additional properties 'team' not allowed",
    ],
    [{ github: { default: { existingSecret: 'g' } } }, "missing properties 'org', 'cluster', 'logicalEnvironment'"],
    [{ scope: 'everything' }, "at '/scope': value must be one of 'namespace', 'namespaces', 'cluster'"],
    [{ metrics: { scrape: { intervalSeconds: 5 } } }, "at '/metrics/scrape/intervalSeconds': minimum: got 5, want 15"],
    [
      { metrics: { scrape: { jobs: { bridge: { intervalSeconds: 120 } } } } },
      "intervalSeconds': maximum: got 120, want 60",
    ],
    [
      { metrics: { scrape: { jobs: { shop: { intervalSeconds: 14, selector: { a: 'b' }, port: 1 } } } } },
      'got 14, want 15',
    ],
    [{ metrics: { scrape: { jobs: { shop: { intervall: 30 } } } } }, "additional properties 'intervall' not allowed"],
    [
      { cronitor: { default: { existingSecret: 'c', apiKeyFile: '/x' } } },
      "additional properties 'apiKeyFile' not allowed",
    ],
    [
      { bridge: { config: { stuck: { pending: '5 minutes' } } } },
      "at '/bridge/config/stuck/pending': '5 minutes' does not match",
    ],
    [
      { bridge: { config: { cluster: { name: 'x' } } } },
      "at '/bridge/config/cluster': additional properties 'name' not allowed",
    ],
    [{ bridge: { config: { web: { port: 1 } } } }, "additional properties 'web' not allowed"],
    [{ datadog: { default: {} } }, "additional properties 'datadog' not allowed"],
    [{ scope: null }, "missing property 'scope'"],
    [{ bridge: { resources: null } }, "missing property 'resources'"],
    [{ bridge: { resources: { limits: { memory: null } } } }, "at '/resources/limits': missing property 'memory'"],
    [{ collector: { image: null } }, "missing property 'image'"],
    [{ bridge: { image: { repository: 'registry.example.com/bridge:1.2' } } }, "at '/image/repository': "],
    [{ collector: { image: { repository: 'https://registry.example.com/otelcol' } } }, "at '/image/repository': "],
    [{ bridge: { image: { tag: 'a b' } } }, "at '/image/tag': 'a b' does not match"],
    [{ metrics: { scrape: { sampleLimit: 1e21 } } }, "at '/metrics/scrape/sampleLimit': maximum"],
    [{ otlp: { token: { key: '' } } }, "at '/otlp/token/key': '' does not match"],
    [
      { metrics: { scrape: { jobs: { Postgres_1: { port: 1 } } } } },
      "at '/metrics/scrape/jobs': additional properties 'Postgres_1' not allowed",
    ],
    [{ cronitor: { 'Team A': {} } }, "at '/cronitor': additional properties 'Team A' not allowed"],
    [
      { bridge: { config: { cronitor: { 'Team A': {} } } } },
      "at '/bridge/config': additional properties 'cronitor' not allowed",
    ],
    [
      { backend: { resourceAttributes: { Region: 'eu' } } },
      "at '/backend/resourceAttributes': additional properties 'Region' not allowed",
    ],
    [
      { backend: { headers: { 'x key': { existingSecret: 'a', key: 'b' } } } },
      "at '/backend/headers': additional properties 'x key' not allowed",
    ],
    [
      { 'kube-state-metrics': { collectors: ['jobs', 'storageclasses'] } },
      "at '/collectors/1': value must be one of 'configmaps', 'cronjobs'",
    ],
    [{ 'kube-state-metrics': { collectors: ['job'] } }, "at '/collectors/0': value must be one of"],
    [
      { 'kube-state-metrics': { clusterCollectors: ['pods'] } },
      "at '/clusterCollectors/0': value must be one of 'certificatesigningrequests'",
    ],
    [{ 'kube-state-metrics': { metricAllowlist: ['kube_pod_.{3,40}'] } }, "at '/metricAllowlist/0'"],
    [
      { 'kube-state-metrics': { labelAllowlist: { pod: ['app'] } } },
      "at '/labelAllowlist': additional properties 'pod' not allowed",
    ],
    [{ 'kube-state-metrics': { labelAllowlist: { pods: ['app]=[x'] } } }, "at '/labelAllowlist/pods/0'"],
  ])('refuses %j and says why', async (values, words) => {
    expect(await refusal(chart, values)).toContain(words);
  });

  it('describes every value that has a comment, and closes every mapping of fixed keys', () => {
    const schema = JSON.parse(readFileSync(join(UMBRELLA, 'values.schema.json'), 'utf8')) as Tree;
    expect(JSON.stringify(schema).match(/"description"/g)?.length).toBeGreaterThan(30);
    expect(JSON.stringify(schema).match(/"examples"/g)?.length).toBeGreaterThan(5);
    expect(schema['additionalProperties']).toBe(false);
  });
});

describe('a contradiction', () => {
  const secret = { existingSecret: 'a', key: 'b' };
  const cronitor = (account: Tree): Tree => ({ cronitor: { default: account } });
  const job = (given: Tree): Tree => ({
    backend: { exporter: 'debug' },
    metrics: { scrape: { jobs: { shop: given } } },
  });
  it.each([
    [{ scope: 'namespaces' }, 'scope: namespaces needs the list namespaces, such as [shop, billing]'],
    [{ namespaces: ['shop'] }, 'namespaces is set, but scope is namespace: set scope: namespaces, or empty the list'],
    [{ bridge: { replicas: 2 } }, 'bridge.replicas is 2: one bridge owns the store, so it is 1, or 0 to stop it'],
    [
      cronitor({ apiKey: 'k' }),
      'cronitor.default.apiKey is a secret in values, which Helm stores and shows: make a Secret',
    ],
    [cronitor({ apiKey: 'k', existingSecret: 's' }), 'cronitor.default has apiKey and existingSecret: one of them'],
    [
      cronitor({ existingSecret: 's', namespaces: ['other'] }),
      'cronitor.default: the namespace other is not in scope (ops)',
    ],
    [cronitor({ env: 'x' }), 'cronitor.default needs existingSecret, the name of a Secret with the apiKey'],
    [{ backend: { exporter: 'otlp' } }, 'backend.exporter: otlp needs backend.endpoint'],
    [
      { backend: { exporter: 'prometheusremotewrite', endpoint: 'https://x' } },
      'prometheusremotewrite is not in the image opentelemetry-collector-k8s: set collector.image.repository',
    ],
    [job({ port: 80 }), 'metrics.scrape.jobs.shop needs selector'],
    [job({ selector: { a: 'b' } }), 'metrics.scrape.jobs.shop needs port'],
    [job({ selector: { a: 'b' }, port: 80, namespaces: ['other'] }), 'the namespace other is not in scope (ops)'],
    [
      job({ selector: { a: 'b' }, port: 80, timeoutSeconds: 30 }),
      'timeoutSeconds (30) must be less than intervalSeconds (30)',
    ],
    [
      { backend: { exporter: 'debug' }, metrics: { scrape: { jobs: { kubelet: { enabled: true } } } } },
      'metrics.scrape.jobs.kubelet reads nodes, which needs scope: cluster',
    ],
    [
      { metrics: { scrape: { jobs: { 'annotated-pods': { enabled: true } } } } },
      'metrics.scrape.jobs.annotated-pods is on, but nothing is scraped, because backend.exporter is none: set one',
    ],
    [
      { ...job({ selector: { a: 'b' }, port: 80 }), collector: { enabled: false } },
      'metrics.scrape.jobs.shop is on, but nothing is scraped, because collector.enabled is false',
    ],
    [
      {
        backend: { exporter: 'debug' },
        'kube-state-metrics': { enabled: false },
        metrics: { scrape: { jobs: { collector: { enabled: false }, bridge: null } } },
      },
      'backend.exporter is debug, but no job of metrics.scrape.jobs is on',
    ],
    [
      { backend: { exporter: 'otlp', endpoint: 'otel' } },
      'backend.endpoint is otel: with exporter otlp (gRPC) it is a host with a port, such as otel.example.com:4317',
    ],
    [
      { backend: { exporter: 'otlphttp', endpoint: '10.0.0.1:4318' } },
      'backend.endpoint is 10.0.0.1:4318: with exporter otlphttp it is a URL without user and password, such as https://otel.example.com:4318',
    ],
    [
      { backend: { exporter: 'debug', headers: { 'X-Key': secret, 'x-key': secret } } },
      'the headers of backend have x-key twice',
    ],
    [
      { backend: { exporter: 'debug', resourceAttributes: { 'k8s.cluster.name': 'x' } } },
      'backend.resourceAttributes has k8s.cluster.name, which the chart itself sets: take it out',
    ],
    [
      { generateSecrets: false },
      'make it, and name it in otlp.token.existingSecret\n  kubectl -n ops create secret generic lifecycle-bridge-otlp --from-literal=token=',
    ],
    [{ bridge: { podLabels: { 'app.kubernetes.io/name': 'x' } } }, 'bridge.podLabels has app.kubernetes.io/name'],
    [{ collector: { podLabels: { 'app.kubernetes.io/instance': 'x' } } }, 'collector.podLabels has app.kubernetes.io/'],
    [
      { backend: { exporter: 'debug' }, 'kube-state-metrics': { podLabels: { 'app.kubernetes.io/version': 'x' } } },
      'kube-state-metrics.podLabels has app.kubernetes.io/version',
    ],
    [{ bridge: { enabled: false } }, 'collector.enabled without bridge.enabled has only metrics to carry'],
    [{ bridge: { page: { auth: 'proxy-header' } } }, 'bridge.page.auth: proxy-header needs bridge.page.trustedProxies'],
    [
      { bridge: { page: { auth: 'none' }, ingress: { enabled: true, host: 'x' } } },
      'would show runs, logs and messages to everybody',
    ],
    [{ bridge: { ingress: { enabled: true } } }, 'bridge.ingress.enabled needs bridge.ingress.host'],
    [
      { bridge: { resources: { limits: { memory: '512M' } } } },
      'bridge.resources.limits.memory is 512M: write it in Mi or Gi',
    ],
    [
      { collector: { resources: { limits: { memory: '1e9' } } } },
      'collector.resources.limits.memory is 1e9: write it in Mi or Gi',
    ],
  ])('%j is refused with what to do', async (values, words) => {
    expect(await refusal(chart, values)).toContain(words);
  });

  it('an install without an image of the bridge is refused, with what makes one', async () => {
    const words = await refusal(chart, {}, { bare: true });
    expect(words).toContain('bridge.image.repository is not set, and no image of the bridge is published');
    for (const command of ['docker build', 'docker push', 'kind load docker-image', '--set bridge.image.repository='])
      expect(words).toContain(command);
    expect(await refusal(subchart('bridge'), {}, { bare: true })).toContain('bridge.image.repository is not set');
    const off = { bridge: { enabled: false }, backend: { exporter: 'debug' } };
    expect((await render(chart, off, { bare: true })).length).toBeGreaterThan(0);
  });

  it('a release name that is too long for names of pods is refused', async () => {
    expect(await refusal(chart, {}, { release: 'r'.repeat(33) })).toContain('have at most 32');
  });
});

it.each(cases().map(({ name, values }) => [name, values] as const))('%s is rendered as it is', async (name, values) => {
  // Files of backends are given beside one's own values.
  const bare = !/^examples\/(?:backends|large)\//.test(name);
  expect((await render(chart, values, { bare })).length).toBeGreaterThan(5);
});

it.each(cases().filter(({ values }) => values['generateSecrets'] === false))(
  '$name is rendered alike each time, as Argo CD does',
  async ({ values }) => {
    expect(await render(chart, values)).toEqual(await render(chart, values));
  },
);
