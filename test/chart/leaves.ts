import type { Tree } from './helm.ts';

/** Values that need others to matter: all of these are the base of every comparison. */
const BASE: Tree = {
  backend: { exporter: 'otlp', endpoint: 'otel:4317', headers: { a: { existingSecret: 'b', key: 'c' } } },
  cronitor: { default: { existingSecret: 'cronitor' } },
  scope: 'cluster',
};

/** Values that change nothing by themselves, and why. */
export const EXEMPT: ReadonlyMap<string, string> = new Map([
  ['allowInlineSecrets', 'it only allows: the test of contradictions shows it'],
  ['generateSecrets', 'false only refuses: the test of contradictions shows it'],
]);

const REPLACED: Readonly<Record<string, unknown>> = {
  scope: 'namespace',
  namespaces: ['shop'],
  watch: { Deployment: true },
  'backend.exporter': 'debug',
  'backend.endpoint': 'other:4317',
  'backend.signals': { traces: { endpoint: 'tempo:4317' } },
  'backend.headers': { b: { existingSecret: 'b', key: 'c' } },
  cronitor: { other: { existingSecret: 'other' } },
  sentry: { default: { existingSecret: 'sentry' } },
  github: { default: { existingSecret: 'github', org: 'acme', cluster: 'c', logicalEnvironment: 'production' } },
  kubernetes: { default: {} },
  opentelemetry: { backend: { podLogs: true } },
  'collector.podLogs.config': { extensions: { x: {} } },
  'bridge.replicas': 0,
  'bridge.config': { log: { level: 'debug' } },
  'bridge.secrets': { extra: { existingSecret: 'a', key: 'b' } },
  'bridge.page.auth': 'none',
  'bridge.page.publicUrl': 'https://bridge.example.com',
  'bridge.page.trustedProxies': ['10.0.0.0/8'],
  'bridge.networkPolicy.apiServer.cidrs': ['10.0.0.1/32'],
  'bridge.networkPolicy.apiServer.ports': [8443],
  'metrics.scrape.jobs.kubelet.tls.caFile': '/etc/ca.crt',
  'metrics.scrape.jobs.cadvisor.tls.caFile': '/etc/ca.crt',
  'metrics.scrape.jobs.cadvisor.metricRelabel': [{ regex: 'image', action: 'labeldrop' }],
  'collector.config': { extensions: { x: {} } },
  'metrics.scrape.extraScrapeConfigs': [{ job_name: 'x', static_configs: [{ targets: ['x:1'] }] }],
  'collector.queue.batch': false,
  'bundled-backend.victorialogs.retention': '2w',
  extraManifests: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } }],
  'kube-state-metrics.collectors': ['jobs'],
  'kube-state-metrics.extraCollectors': ['persistentvolumeclaims'],
  'kube-state-metrics.extraMetricAllowlist': ['kube_persistentvolumeclaim_.*'],
  'kube-state-metrics.clusterCollectors': ['namespaces'],
  'kube-state-metrics.labelAllowlist': { pods: ['app'] },
};

const kubelets = (values: Tree): Tree => {
  const job = { enabled: true, ...values };
  return { metrics: { scrape: { jobs: { kubelet: job, cadvisor: job } } } };
};

/** What must be set beside a value so that it has a meaning. */
const WITH: Readonly<Record<string, Tree>> = {
  generateSecrets: { otlp: { token: { existingSecret: 'otlp' } } },
  'otlp.token.acceptedKey': { otlp: { token: { existingSecret: 'otlp' } } },
  namespaces: { scope: 'namespaces', namespaces: ['billing'] },
  'backend.caBundle.key': { backend: { caBundle: { existingConfigMap: 'ca' } } },
  'bridge.page.key': { bridge: { page: { existingSecret: 'page' } } },
  'bridge.page.proxyHeader': { bridge: { page: { auth: 'proxy-header', trustedProxies: ['10.0.0.1'] } } },
  'bridge.page.trustedProxies': { bridge: { page: { auth: 'proxy-header', trustedProxies: ['10.0.0.1'] } } },
  'bridge.ingress.enabled': { bridge: { ingress: { host: 'h' } } },
  'bridge.caBundle.key': { bridge: { caBundle: { existingConfigMap: 'ca' } } },
  'bridge.proxy.exclude': { bridge: { proxy: { https: 'http://proxy:1' } } },
  'metrics.scrape.jobs.kubelet.tls.insecureSkipVerify': kubelets({}),
  'metrics.scrape.jobs.cadvisor.tls.insecureSkipVerify': kubelets({}),
  'metrics.scrape.jobs.kubelet.tls.caFile': kubelets({ tls: { insecureSkipVerify: false } }),
  'metrics.scrape.jobs.cadvisor.tls.caFile': kubelets({ tls: { insecureSkipVerify: false } }),
  'metrics.scrape.jobs.cadvisor.keep': kubelets({}),
  'metrics.scrape.jobs.cadvisor.metricRelabel': kubelets({}),
};

/** Another value for a leaf, and the values beside which it is compared with its default. */
export function changedLeaf(name: string, value: unknown): { readonly given: unknown; readonly base: Tree } {
  return { given: REPLACED[name] ?? another(name, value), base: over(BASE, withOf(name)) };
}

function withOf(name: string): Tree {
  const found = WITH[name];
  if (found !== undefined) return found;
  if (/^(backend|collector)\.podLogs\./.test(name) && name !== 'backend.podLogs.enabled')
    return { backend: { podLogs: { enabled: true } } };
  if (name.startsWith('bundled-backend.')) return bundled(name);
  if (name.startsWith('prometheusOperator.')) return operator(name);
  if (/^dashboard\.(?!enabled)/.test(name)) return { dashboard: { enabled: true } };
  if (name.startsWith('bridge.ingress.')) return { bridge: { ingress: { enabled: true, host: 'h' } } };
  return name === 'namespaces' ? { scope: 'namespaces' } : {};
}

/** It takes traces and logs, so that no other backend may be there for them. */
function bundled(name: string): Tree {
  const persistence = { enabled: name.endsWith('.storageClass') };
  const on = name === 'bundled-backend.enabled' ? {} : { enabled: true, victorialogs: { persistence } };
  return { backend: { exporter: 'debug', endpoint: '' }, 'bundled-backend': on };
}

/** With monitors a NetworkPolicy must let Prometheus in. */
function operator(name: string): Tree {
  const open = { networkPolicy: { enabled: false } };
  const [, object = '', key] = name.split('.');
  const parts = { bridge: open, collector: open, 'kube-state-metrics': open };
  return { ...parts, ...(key === 'enabled' ? {} : { prometheusOperator: { [object]: { enabled: true } } }) };
}

function another(name: string, value: unknown): unknown {
  const key = name.split('.').at(-1) ?? '';
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'number') return value + 5;
  if (typeof value === 'string') return text(key, value);
  return Array.isArray(value) ? list(key) : mapping(key);
}

const TEXTS: Readonly<Record<string, string>> = {
  digest: `sha256:${'0'.repeat(64)}`,
  pullPolicy: 'Always',
  size: '7Gi',
  memory: '768Mi',
  cpu: '300m',
};
const text = (key: string, value: string): string => TEXTS[key] ?? `${value}x`;

function list(key: string): unknown {
  if (key === 'from') return [{ podSelector: {} }];
  if (key === 'egress') return [{ ports: [{ port: 1, protocol: 'TCP' }] }];
  if (key === 'extraVolumeMounts') return [{ name: 'x', mountPath: '/x' }];
  if (key === 'tolerations') return [{ key: 'a', operator: 'Exists' }];
  if (key === 'extraEnv' || key === 'extraVolumes' || key === 'imagePullSecrets') return [{ name: 'x' }];
  return ['x'];
}

function mapping(key: string): unknown {
  if (key === 'podSpec') return { schedulerName: 'x' };
  return key === 'affinity' ? { podAffinity: {} } : { x: 'y' };
}

function over(base: Tree, more: Tree): Tree {
  const entries = Object.entries(more).map(([key, value]) => {
    const below = base[key];
    const both = typeof below === 'object' && below !== null && typeof value === 'object' && !Array.isArray(value);
    return [key, both ? over(below as Tree, value as Tree) : value] as const;
  });
  return { ...base, ...Object.fromEntries(entries) };
}
