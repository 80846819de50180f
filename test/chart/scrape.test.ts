import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { fileOf, one, packageChart, refusal, render, type Tree } from './helm.ts';

let chart: string;
beforeAll(async () => {
  chart = await packageChart();
});

const SHOP = { selector: { app: 'shop' }, port: 'metrics' };
const debug = (jobs: Tree, more: Tree = {}): Tree => ({
  backend: { exporter: 'debug' },
  metrics: { scrape: { jobs } },
  ...more,
});

async function jobs(values: Tree): Promise<ReadonlyMap<string, Tree>> {
  const config = parse(fileOf(await render(chart, values), 'lb-collector', 'collector.yaml')) as {
    receivers: { prometheus: { config: { scrape_configs: (Tree & { job_name: string })[] } } };
  };
  return new Map(config.receivers.prometheus.config.scrape_configs.map((job) => [job.job_name, job]));
}

describe('a typo in a scrape job is refused before anything is changed, where it stands', () => {
  const AT = 'metrics.scrape.jobs.shop';
  const rule = (given: Tree): Tree => ({ metricRelabel: [{ action: 'keep', source_labels: ['a'] }, given] });
  it.each<readonly [Tree, string]>([
    [{ keep: ['fine', 'pg_(stat'] }, `${AT}.keep[1]: pg_(stat is not a regular expression`],
    [{ drop: ['a{2,1}'] }, `${AT}.drop[0]: a{2,1} is not a regular expression`],
    [{ keep: ['(?!go_).*'] }, 'no lookaround'],
    [rule({ regex: '[a-', action: 'labeldrop' }), `${AT}.metricRelabel[1].regex: [a- is not a regular expression`],
    [{ relabel: [{ regex: '*', target_label: 'a' }] }, `${AT}.relabel[0].regex: * is not a regular expression`],
    [
      rule({ action: 'dropp' }),
      "at '/metrics/scrape/jobs/shop/metricRelabel/1/action': value must be one of 'replace'",
    ],
    [rule({ sourceLabels: ['a'] }), "shop/metricRelabel/1': additional properties 'sourceLabels' not allowed"],
    [rule({ source_labels: 'a', action: 'drop' }), "shop/metricRelabel/1/source_labels': got string, want array"],
    [
      rule({ source_labels: ['a-b'], action: 'drop' }),
      "metricRelabel/1/source_labels/0': 'a-b' does not match pattern",
    ],
    [rule({ target_label: 'a-b' }), "metricRelabel/1/target_label': 'a-b' does not match pattern"],
    [rule({ target_label: 'a', replacement: '$$1' }), `${AT}.metricRelabel[1].replacement: write $1 instead of $$1`],
    [rule({ target_label: 'a', replacement: 'x-$${1}' }), 'write ${1} instead of $${'],
    [rule({ regex: 'a' }), `${AT}.metricRelabel[1]: action replace needs target_label`],
    [rule({ action: 'hashmod', target_label: 'a' }), 'action hashmod needs modulus'],
    [
      rule({ action: 'labeldrop', regex: 'a', target_label: 'b' }),
      'action labeldrop takes no target_label, only regex',
    ],
    [rule({ action: 'lowercase', target_label: 'b', replacement: 'c' }), 'action lowercase takes no replacement'],
    [rule({ action: 'keepequal', target_label: 'b', regex: 'c' }), 'action keepequal takes no regex'],
    [rule({ action: 'lowercase', target_label: '$1' }), 'target_label of action lowercase is one label, without $'],
    [
      rule({ action: 'labelmap', regex: 'a_(.+)', replacement: '-' }),
      'replacement of action labelmap must be the name',
    ],
    [{ selector: { app: 'a b' } }, "at '/metrics/scrape/jobs/shop/selector/app': 'a b' does not match pattern"],
    [{ selector: { 'a b': 'c' } }, "at '/metrics/scrape/jobs/shop/selector': additional properties 'a b' not allowed"],
    [{ port: 70000 }, "at '/metrics/scrape/jobs/shop/port': maximum: got 70,000, want 65,535"],
    [{ port: 'met.rics' }, "at '/metrics/scrape/jobs/shop/port': 'met.rics' does not match pattern"],
    [{ port: '9090' }, "at '/metrics/scrape/jobs/shop/port': '9090' does not match pattern"],
    [{ path: '/metrics?module=x' }, "at '/metrics/scrape/jobs/shop/path'"],
    [{ sampleLimit: -1 }, "at '/metrics/scrape/jobs/shop/sampleLimit': minimum: got -1, want 0"],
    [{ intervalSeconds: '30s' }, "at '/metrics/scrape/jobs/shop/intervalSeconds': got string, want integer"],
    [{ scrapeInterval: 30 }, "at '/metrics/scrape/jobs/shop': additional properties 'scrapeInterval' not allowed"],
  ])('%j', async (given, words) => {
    expect(await refusal(chart, debug({ shop: { ...SHOP, ...given } }))).toContain(words);
  });

  it('and what Prometheus takes is rendered', async () => {
    const rules = [
      {
        source_labels: ['a', '__tmp_b'],
        separator: '@',
        regex: '(.+)@(.+){2,3}$',
        target_label: 'c_$1',
        replacement: '$2-${1}',
      },
      { source_labels: ['code'], regex: 200, target_label: 'fine', replacement: true },
      { action: 'labelmap', regex: '__meta_kubernetes_pod_label_(.+)' },
      { action: 'labelmap', regex: 'a_(.+)', replacement: 'b_${1}_$1' },
      { action: 'hashmod', source_labels: ['a'], modulus: 4, target_label: 'shard' },
      { action: 'dropequal', source_labels: ['a'], target_label: 'b' },
      { action: 'uppercase', source_labels: ['a'], target_label: 'b' },
      { action: 'labeldrop', regex: 'a|b' },
      { regex: '', target_label: 'gone', replacement: '' },
    ];
    const shop = {
      ...SHOP,
      port: 8080,
      path: '/a/b',
      keep: ['pg_(stat|size)_.*$'],
      relabel: rules,
      metricRelabel: rules,
    };
    const job = (await jobs(debug({ shop, null: SHOP }))).get('shop');
    expect(JSON.stringify(job?.['metric_relabel_configs'])).toContain('"replacement":"$$2-$${1}"');
    expect([...(await jobs(debug({ null: SHOP }))).keys()]).toContain('null');
  });
});

describe('the jobs of the chart', () => {
  it('take all of kube-state-metrics in a large cluster, by a number that Prometheus reads', async () => {
    const all = await jobs(debug({ shop: { ...SHOP, sampleLimit: 0, labelLimit: 0 } }));
    expect(all.get('kube-state-metrics')).toMatchObject({ sample_limit: 1_000_000 });
    expect(all.get('collector')).toMatchObject({ sample_limit: 20_000, label_limit: 40 });
    expect(all.get('shop')).toMatchObject({ sample_limit: 0, label_limit: 0 });
    const manifests = await render(chart, debug({}));
    expect(fileOf(manifests, 'lb-collector', 'collector.yaml')).toContain('sample_limit: 1000000\n');
  });

  it('follow the parts of the release', async () => {
    const off = (name: string) => debug({}, { [name]: { enabled: false } });
    expect([...(await jobs(off('kube-state-metrics'))).keys()]).toEqual(['bridge', 'collector']);
    expect([...(await jobs(off('bridge'))).keys()]).toEqual(['collector', 'kube-state-metrics']);
  });

  it('add up what containers use, and not the cgroups above them once more', async () => {
    const values = debug({ cadvisor: { enabled: true } }, { scope: 'cluster' });
    const rules = (await jobs(values)).get('cadvisor')!['metric_relabel_configs'] as readonly Rule[];
    expect(rules[0]?.action).toBe('keep');
    const kept = (labels: Readonly<Record<string, string>>): boolean =>
      rules
        .filter(({ action }) => action === 'drop')
        .every(
          ({ source_labels = [], regex }) =>
            !new RegExp(`^(?:${regex})$`).test(source_labels.map((name) => labels[name] ?? '').join(';')),
        );
    const memory = 'container_memory_working_set_bytes';
    const of = (__name__: string, more: Readonly<Record<string, string>>) => kept({ __name__, ...more });
    expect(of(memory, { id: '/' })).toBe(false);
    expect(of(memory, { id: '/kubepods.slice' })).toBe(false);
    expect(of(memory, { id: '/kubepods/pod1', pod: 'a', namespace: 'b' })).toBe(false);
    expect(of(memory, { id: '/kubepods/pod1/c', pod: 'a', container: 'main' })).toBe(true);
    expect(of('container_network_receive_bytes_total', { id: '/kubepods/pod1', pod: 'a', interface: 'eth0' })).toBe(
      true,
    );
    expect(of('container_network_receive_bytes_total', { id: '/', interface: 'eth0' })).toBe(false);
    expect(rules).toContainEqual({ regex: 'id|name', action: 'labeldrop' });
  });

  it('prove the kubelet by the authority of the API, or by another, where that is wanted', async () => {
    const tls = async (given: Tree): Promise<unknown> => {
      const kubelet = { enabled: true, tls: given };
      return (await jobs(debug({ kubelet }, { scope: 'cluster' }))).get('kubelet')?.['tls_config'];
    };
    expect(await tls({})).toEqual({ insecure_skip_verify: true });
    expect(await tls({ insecureSkipVerify: false })).toEqual({
      ca_file: '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt',
    });
    expect(await tls({ insecureSkipVerify: false, caFile: '/etc/ca/ca.crt' })).toEqual({ ca_file: '/etc/ca/ca.crt' });
    await expect(tls({ caFile: '/etc/ca/ca.crt' })).rejects.toThrow('set insecureSkipVerify: false');
  });
});

interface Rule {
  readonly source_labels?: readonly string[];
  readonly regex?: string;
  readonly action: string;
}

describe('the backend', () => {
  it('is why kube-state-metrics is there: without one nothing of it is rendered', async () => {
    const text = JSON.stringify(await render(chart, { scope: 'cluster' }));
    expect(text).not.toContain('kube-state-metrics');
    expect(JSON.stringify(await render(chart, debug({}, { scope: 'cluster' })))).toContain('kube-state-metrics');
  });

  it('gets each header from a variable that the Collector can name', async () => {
    const header = (key: string) => ({ existingSecret: 'backend', key });
    const headers = { 'X.Scope.OrgID': header('a'), 'x-scope-orgid': header('b'), x_scope_orgid: header('c') };
    const values = { backend: { exporter: 'otlphttp', endpoint: 'https://otel.example.com/otlp', headers } };
    const manifests = await render(chart, values);
    const config = parse(fileOf(manifests, 'lb-collector', 'collector.yaml')) as {
      exporters: { 'otlphttp/backend': { headers: Readonly<Record<string, string>> } };
    };
    const pod = JSON.stringify(one(manifests, 'StatefulSet', 'lb-collector'));
    const variables = Object.entries(config.exporters['otlphttp/backend'].headers).map(([name, value]) => {
      const variable = /^\$\{env:([A-Z_][A-Z0-9_]*)\}\$\{env:NOTHING:-\}$/.exec(value)?.[1] ?? value;
      const { key } = headers[name as keyof typeof headers];
      const from = { name: variable, valueFrom: { secretKeyRef: { key, name: 'backend' } } };
      expect(pod).toContain(JSON.stringify(from.valueFrom.secretKeyRef.key));
      expect(pod).toContain(`"name":"${variable}"`);
      return variable;
    });
    expect(new Set(variables).size).toBe(3);
  });

  it.each([
    ['otlp', 'otel-gateway.observability:4317'],
    ['otlp', 'https://otel.example.com:4317'],
    ['otlp', 'dns:///otel.example.com:4317'],
    ['otlp', '[fd00::1]:4317'],
    ['otlphttp', 'https://otel.example.com'],
    ['otlphttp', 'http://[fd00::1]:4318/otlp'],
  ])('may be %s at %s', async (exporter, endpoint) => {
    expect((await render(chart, { backend: { exporter, endpoint } })).length).toBeGreaterThan(5);
  });

  it('may be any image that is not the one without Prometheus remote write', async () => {
    const backend = { exporter: 'prometheusremotewrite', endpoint: 'https://x/api/v1/write' };
    const collector = { image: { repository: 'mirror.example.com/otelcol-all' } };
    expect((await render(chart, { backend, collector })).length).toBeGreaterThan(5);
  });

  it('has the environment as it was written, with a $ too', async () => {
    const values = { ...debug({}), cluster: { environment: 'pr$d' } };
    expect(fileOf(await render(chart, values), 'lb-collector', 'collector.yaml')).toContain('value: pr$$d\n');
  });

  it('has the attributes that a user wants on every metric', async () => {
    const backend = { exporter: 'debug', resourceAttributes: { 'cloud.region': 'eu-1', tenant: 'a$b' } };
    const text = fileOf(await render(chart, { backend }), 'lb-collector', 'collector.yaml');
    const { processors } = parse(text) as { processors: { 'resource/release': { attributes: Tree[] } } };
    expect(processors['resource/release'].attributes.slice(-2)).toEqual([
      { action: 'upsert', key: 'cloud.region', value: 'eu-1' },
      { action: 'upsert', key: 'tenant', value: 'a$$b' },
    ]);
  });
});
