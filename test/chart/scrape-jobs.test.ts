import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { fileOf, one, packageChart, refusal, render, type Tree } from './helm.ts';
import { podsOf } from './pods.ts';

let chart: string;
beforeAll(async () => {
  chart = await packageChart();
});

const AT = 'metrics.scrape.jobs.shop';
const SHOP = { selector: { app: 'shop' }, port: 'metrics' };
const LONG = 'the-metrics-of-a-service';
const VM = { targets: ['10.0.0.7:9100'] };
const PROBE = { targets: ['https://shop.example.com'], prober: 'blackbox:9115' };
const IN_OPS = { namespaces: { names: ['ops'] } };
const debug = (jobs: Tree, more: Tree = {}): Tree => ({
  backend: { exporter: 'debug' },
  metrics: { scrape: { jobs, ...more } },
});

async function job(name: string, values: Tree): Promise<Tree> {
  const config = parse(fileOf(await render(chart, values), 'lb-collector', 'collector.yaml')) as {
    receivers: { prometheus: { config: { scrape_configs: (Tree & { job_name: string })[] } } };
  };
  return config.receivers.prometheus.config.scrape_configs.find(({ job_name }) => job_name === name)!;
}

describe('what a job says of its targets is what Prometheus is given', () => {
  const folder = '/etc/otelcol/scrape/shop';
  const https = { ...SHOP, scheme: 'https' };
  it.each<readonly [Tree, Tree]>([
    [SHOP, { scheme: undefined, tls_config: undefined, basic_auth: undefined }],
    [{ ...SHOP, scheme: 'http' }, { scheme: 'http' }],
    [https, { scheme: 'https', tls_config: undefined }],
    [{ ...https, tls: { caFile: '/ca/ca.crt' } }, { tls_config: { ca_file: '/ca/ca.crt' } }],
    [{ ...https, tls: { insecureSkipVerify: true } }, { tls_config: { insecure_skip_verify: true } }],
    [
      { ...https, tls: { existingSecret: 's', certKey: 'tls.crt', keyKey: 'tls.key', serverName: 'shop' } },
      { tls_config: { cert_file: `${folder}/cert`, key_file: `${folder}/key`, server_name: 'shop' } },
    ],
    [
      { ...SHOP, authorization: { existingSecret: 's', key: 'k', type: 'Token' } },
      { authorization: { type: 'Token', credentials_file: `${folder}/credentials` } },
    ],
    [{ ...SHOP, params: { a: ['b', 'c'] } }, { params: { a: ['b', 'c'] } }],
    [
      { ...SHOP, honorTimestamps: false, honorLabels: true },
      { honor_timestamps: false, honor_labels: true },
    ],
    [
      { ...SHOP, targetLimit: 1_000_000, bodySizeLimit: '50MB', labelNameLengthLimit: 1, labelValueLengthLimit: 2 },
      { target_limit: 1_000_000, body_size_limit: '50MB', label_name_length_limit: 1, label_value_length_limit: 2 },
    ],
    [VM, { static_configs: [{ targets: ['10.0.0.7:9100'] }], kubernetes_sd_configs: undefined }],
    [{ ...VM, labels: { site: 'fra' } }, { static_configs: [{ targets: ['10.0.0.7:9100'], labels: { site: 'fra' } }] }],
    [{ ...VM, intervalSeconds: 300 }, { scrape_interval: '300s' }],
    [
      { ...PROBE, path: '/snmp', module: 'if_mib', params: { auth: ['public_v2'] } },
      { metrics_path: '/snmp', params: { module: ['if_mib'], auth: ['public_v2'] } },
    ],
    [
      { ...SHOP, role: 'endpointslice', namespaces: ['ops'] },
      {
        kubernetes_sd_configs: [
          {
            role: 'endpointslice',
            namespaces: { names: ['ops'] },
            selectors: [{ role: 'service', label: 'app=shop' }],
          },
        ],
      },
    ],
  ])('%j', async (given, wanted) => {
    const found = await job('shop', debug({ shop: given }));
    expect(Object.fromEntries(Object.keys(wanted).map((key) => [key, found[key]]))).toEqual(wanted);
  });

  it('by its annotation, with the authority that the job names', async () => {
    const annotated = { enabled: true, tls: { caFile: '/ca/ca.crt' } };
    const found = await job('annotated-pods', debug({ 'annotated-pods': annotated }));
    expect(found).toMatchObject({ tls_config: { ca_file: '/ca/ca.crt' } });
    expect(found['relabel_configs']).toContainEqual({
      source_labels: ['__meta_kubernetes_pod_annotation_prometheus_io_scheme'],
      regex: '(https?)',
      target_label: '__scheme__',
    });
  });

  it('and the name of a port of a Service may have 63 characters', async () => {
    const { relabel_configs } = await job('shop', debug({ shop: { ...SHOP, role: 'endpointslice', port: LONG } }));
    expect(relabel_configs).toContainEqual(
      expect.objectContaining({ source_labels: ['__meta_kubernetes_endpointslice_port_name'], regex: LONG }),
    );
  });

  it('and a port by its number is that of a container, or of an endpoint', async () => {
    const rules = async (given: Tree) =>
      (await job('shop', debug({ shop: { ...given, port: 8080 } })))['relabel_configs'];
    const keep = (label: string) => ({ source_labels: [label], action: 'keep', regex: '8080' });
    expect(await rules(SHOP)).toContainEqual(keep('__meta_kubernetes_pod_container_port_number'));
    expect(await rules({ ...SHOP, role: 'endpointslice' })).toContainEqual(
      keep('__meta_kubernetes_endpointslice_port'),
    );
  });
});

it('the Secrets of the jobs that are on are mounted for the group of the pod, by the keys that they name', async () => {
  const basicAuth = { existingSecret: 'shop', passwordKey: 'pw' };
  const tls = { existingSecret: 'ca', caKey: 'ca.crt' };
  const off = { ...SHOP, enabled: false, authorization: { existingSecret: 'off', key: 'k' } };
  const values = debug({ shop: { ...SHOP, scheme: 'https', basicAuth, tls }, off });
  const pod = podsOf(await render(chart, values)).find(({ owner }) => owner === 'StatefulSet/lb-collector')!;
  expect(pod.spec.volumes?.find(({ name }) => name === 'scrape')).toEqual({
    name: 'scrape',
    projected: {
      defaultMode: 0o440,
      sources: [
        { secret: { name: 'ca', items: [{ key: 'ca.crt', path: 'shop/ca' }] } },
        {
          secret: {
            name: 'shop',
            items: [
              { key: 'pw', path: 'shop/password' },
              { key: 'username', path: 'shop/username' },
            ],
          },
        },
      ],
    },
  });
  expect(pod.spec.containers[0]?.['volumeMounts']).toContainEqual({
    name: 'scrape',
    mountPath: '/etc/otelcol/scrape',
    readOnly: true,
  });
});

describe('the Collector may list what a job looks for', () => {
  const rules = async (values: Tree): Promise<string> =>
    JSON.stringify(
      one(await render(chart, values), values['scope'] === 'cluster' ? 'ClusterRole' : 'Role', 'ops:lb:collector')[
        'rules'
      ],
    );
  const sd = (config: Tree): Tree => ({
    extraScrapeConfigs: [{ job_name: 'x', kubernetes_sd_configs: [config] }],
  });
  it.each<readonly [Tree, readonly string[]]>([
    [debug({}), []],
    [debug({ shop: { ...SHOP, role: 'endpointslice' } }), ['endpointslices', 'services']],
    [debug({}, sd({ role: 'endpoints', ...IN_OPS })), ['endpoints', 'services']],
    [debug({}, sd({ role: 'ingress', namespaces: { own_namespace: true } })), ['ingresses']],
    [{ ...debug({}, sd({ role: 'pod', attach_metadata: { node: true } })), scope: 'cluster' }, ['nodes']],
  ])('%j', async (values, wanted) => {
    const read = await rules(values);
    const found = ['endpoints', 'endpointslices', 'ingresses', 'nodes', 'services'].filter((resource) =>
      read.includes(`"resources":["${resource}"],"verbs":["list","watch"]`),
    );
    expect(found).toEqual(wanted);
  });
});

describe('a job is refused with what to do', () => {
  const tls = (given: Tree): Tree => ({ ...SHOP, scheme: 'https', tls: given });
  const secret = { existingSecret: 's', key: 'k' };
  it.each<readonly [Tree, string]>([
    [
      { ...SHOP, tls: { caFile: '/ca.crt' } },
      `${AT}.tls says how certificates are verified, but it is scraped without TLS`,
    ],
    [{ ...SHOP, scheme: 'http', tls: { insecureSkipVerify: true } }, 'set scheme: https'],
    [tls({ insecureSkipVerify: true, caFile: '/ca.crt' }), 'nothing is compared with it'],
    [tls({ caFile: '/ca.crt', existingSecret: 's', caKey: 'k' }), `${AT}.tls has caFile and caKey: one of them`],
    [tls({ existingSecret: 's', certKey: 'k' }), `${AT}.tls: certKey and keyKey go together`],
    [tls({ caKey: 'k' }), `name it in ${AT}.tls.existingSecret`],
    [tls({ existingSecret: 's' }), `${AT}.tls.existingSecret: say which of its keys are used`],
    [{ ...SHOP, basicAuth: { existingSecret: 's' }, authorization: secret }, `${AT} has basicAuth and authorization`],
    [
      { ...SHOP, ...VM },
      `${AT} has targets and selector: either addresses of your own (targets), or what the API finds`,
    ],
    [{ ...VM, role: 'pod' }, `${AT} has targets and role`],
    [{ targets: ['https://10.0.0.7'] }, `${AT}.targets[0]: https://10.0.0.7; a target is host:port`],
    [{ ...VM, module: 'http_2xx' }, `${AT} has module, which is a module of a prober: name it in ${AT}.prober`],
    [{ ...SHOP, prober: 'blackbox:9115' }, `${AT} has prober, which goes with targets`],
    [{ ...SHOP, labels: { a: 'b' } }, `${AT} has labels, which goes with targets`],
    [
      { ...SHOP, intervalSeconds: 61 },
      `${AT}.intervalSeconds: 61; allowed: 15 to 60; 15 to 300 for a job with targets`,
    ],
    [{ ...SHOP, scheme: 'grpc' }, "at '/metrics/scrape/jobs/shop/scheme': value must be one of 'http', 'https'"],
    [tls({ caFile: 'ca.crt' }), "at '/metrics/scrape/jobs/shop/tls/caFile'"],
    [{ ...SHOP, role: 'service' }, "at '/metrics/scrape/jobs/shop/role': value must be one of 'pod', 'endpointslice'"],
    [{ ...SHOP, bodySizeLimit: '50' }, "at '/metrics/scrape/jobs/shop/bodySizeLimit': '50' does not match"],
    [{ ...SHOP, basicAuth: { username: 'u' } }, "additional properties 'username' not allowed"],
    [{ ...PROBE, prober: 'http://blackbox:9115' }, "at '/metrics/scrape/jobs/shop/prober'"],
    [{ ...VM, targets: [] }, "at '/metrics/scrape/jobs/shop/targets': minItems"],
    [{ ...VM, basicAuth: { existingSecret: '' } }, "at '/metrics/scrape/jobs/shop/basicAuth/existingSecret': ''"],
    [{ ...VM, authorization: { ...secret, existingSecret: 'A' } }, 'jobs/shop/authorization/existingSecret'],
    [{ ...VM, authorization: { ...secret, type: 'basic' } }, `${AT}.authorization.type: Basic; Prometheus wants`],
    [{ ...SHOP, port: LONG }, `${AT}.port: ${LONG}; the name of a container's port has at most 15 characters`],
    [{ ...PROBE, params: { target: ['x'] } }, `${AT}.params has target, which follows from targets and module`],
    [{ ...PROBE, prober: 'blackbox$1:9115' }, "at '/metrics/scrape/jobs/shop/prober'"],
    [{ ...VM, labels: { 'a-b': 'c' } }, "at '/metrics/scrape/jobs/shop/labels': additional properties 'a-b'"],
    [{ ...VM, intervalSeconds: 301 }, 'maximum: got 301, want 300'],
  ])('%j', async (given, words) => {
    expect(await refusal(chart, debug({ shop: given }))).toContain(words);
  });

  const extra = (...extraScrapeConfigs: Tree[]): Tree => ({ extraScrapeConfigs });
  const EXTRA = 'metrics.scrape.extraScrapeConfigs';
  const finds = (config: unknown): Tree => debug({}, extra({ job_name: 'a', kubernetes_sd_configs: [config] }));
  const FINDS = `${EXTRA}[0].kubernetes_sd_configs[0]`;
  it.each<readonly [Tree, string]>([
    [debug({}, extra({ job_name: 'bridge' })), `${EXTRA}[0]: there is a job bridge already`],
    [debug({}, extra({ job_name: 'a' }, { job_name: 'a' })), `${EXTRA}[1]: there is a job a already`],
    [debug({}, extra({ job_name: 'a', x: '$$1' })), `${EXTRA}[0]: write $1 instead of $$1`],
    [
      debug({}, extra({ job_name: 'a', basic_auth: { username: 'u', password: 'p' } })),
      `${EXTRA}[0] has password, which would stand in a ConfigMap: mount a file of a Secret (collector.extraVolumes)`,
    ],
    [finds('pod'), "at '/metrics/scrape/extraScrapeConfigs/0/kubernetes_sd_configs/0': got string, want object"],
    [finds({ role: 'pods' }), "kubernetes_sd_configs/0/role': value must be one of 'pod', 'node'"],
    [finds({ role: 'pod', namespaces: { names: 'ops' } }), "namespaces/names': got string, want array"],
    [finds({ role: 'node' }), `${FINDS} reads nodes, which needs scope: cluster`],
    [finds({ role: 'pod', ...IN_OPS, attach_metadata: { node: true } }), `${FINDS} reads nodes`],
    [finds({ role: 'pod' }), `${FINDS} looks in all namespaces: name those in scope`],
    [finds({ role: 'pod', namespaces: { names: ['shop'] } }), `${FINDS}: the namespace shop is not in scope (ops)`],
    [debug({}, extra({})), "at '/metrics/scrape/extraScrapeConfigs/0': missing property 'job_name'"],
    [{ metrics: { scrape: extra({ job_name: 'a' }) } }, `${EXTRA} has jobs, but nothing is scraped, because backend`],
    [
      {
        ...debug({}),
        collector: { config: { receivers: { prometheus: { config: { scrape_configs: [{ job_name: 'a' }] } } } } },
      },
      'which would replace every job of the chart: put yours into metrics.scrape.extraScrapeConfigs',
    ],
  ])('%j, of those in Prometheus’ own words', async (values, words) => {
    expect(await refusal(chart, values)).toContain(words);
  });
});

it('scrape_configs of the Collector’s own configuration stand where the chart has none', async () => {
  const config = { receivers: { prometheus: { config: { scrape_configs: [{ job_name: 'mine' }] } } } };
  expect(await job('mine', { collector: { config } })).toEqual({ job_name: 'mine' });
});
