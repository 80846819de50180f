import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Tree } from '../../bridge/config/tree.ts';
import { SINKS } from '../../bridge/sinks/index.ts';
import { bridgeConfigSchema, named, type Refinements } from './json-schema.ts';
import { closed, LABEL_KEY, LABEL_VALUE, list, mapOf, NAMESPACE, SECRET_KEY, secretKey, text } from './schemas.ts';
import { scrape, seconds } from './scrape.ts';

/** A registry and a path: a tag or a digest has a value of its own. Empty: a template says what to do. */
const REPOSITORY = {
  type: 'string',
  pattern: '^$|^([A-Za-z0-9.-]+(:[0-9]+)?/)?[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$',
};
const TAG = { type: 'string', pattern: '^([A-Za-z0-9_][A-Za-z0-9._-]{0,127})?$' };
const DIGEST = { type: 'string', pattern: '^(sha256:[0-9a-f]{64})?$' };
const HOST_PATH = { type: 'string', pattern: '^(/[^/]+)+$' };
const PULL_POLICY = { enum: ['IfNotPresent', 'Always', 'Never'] };
const QUANTITY = { type: ['string', 'integer'] };
const amounts = {
  type: 'object',
  properties: { cpu: QUANTITY, memory: QUANTITY },
  additionalProperties: QUANTITY,
  required: [],
};
/** Keys of which any may be taken away by null. */
const open = { additionalProperties: true, required: [] };

const only = (all: Refinements, which: (path: string) => boolean): Refinements =>
  Object.fromEntries(Object.entries(all).filter(([path]) => which(path)));
const under = (at: string, all: Refinements): Refinements =>
  Object.fromEntries(Object.entries(all).map(([path, schema]) => [`${at}.${path}`, schema]));

const objects = list({ type: 'object' });
/** What of a pod the chart itself does not set. */
const POD_SPEC = closed({
  dnsConfig: { type: 'object' },
  dnsPolicy: { enum: ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'] },
  hostAliases: objects,
  hostUsers: { type: 'boolean' },
  initContainers: objects,
  preemptionPolicy: { enum: ['PreemptLowerPriority', 'Never'] },
  runtimeClassName: text,
  schedulerName: text,
  topologySpreadConstraints: objects,
});

/** What every subchart has. `enabled` and `global` come from the umbrella chart. */
const workload: Refinements = {
  'image.repository': REPOSITORY,
  'image.tag': TAG,
  'image.digest': DIGEST,
  'image.pullPolicy': PULL_POLICY,
  'resources.requests': amounts,
  'resources.limits': amounts,
  'networkPolicy.from': list({ type: 'object' }),
  'serviceAccount.annotations': mapOf(text),
  podAnnotations: mapOf(text),
  podLabels: mapOf(text),
  nodeSelector: mapOf(text),
  tolerations: list({ type: 'object' }),
  podSpec: POD_SPEC,
  podSecurityContext: open,
  securityContext: open,
};
/** Of these a subchart with several workloads has one for all. */
const OF_RELEASE = /^(image|networkPolicy|serviceAccount)\.|^podLabels$/;
const extras = {
  extraEnv: list({ type: 'object', required: ['name'] }),
  extraVolumes: list({ type: 'object', required: ['name'] }),
  extraVolumeMounts: list({ type: 'object', required: ['name', 'mountPath'] }),
};
const persistence = {
  'persistence.size': { type: 'string', pattern: '^[0-9]+(Mi|Gi|Ti)$', examples: ['4Gi'] },
};

/** What the chart itself writes into bridge.yaml. */
const CHART_OWNED = ['otlp.host', 'otlp.port', 'web', 'store.path', 'cluster.scope', 'cluster.kubeconfig'];
/** What the umbrella chart has words for. */
const OUTCOMES = ['cluster.name', 'watch', ...Object.keys(SINKS), 'otlp.token', 'otlp.tokenFile', 'otlp.tls'];

/** What JavaScript and Go may use follows from it. */
const memoryLimit = { 'resources.limits': { ...amounts, required: ['memory'] } };

const bridgeConfig = bridgeConfigSchema(CHART_OWNED);
const bridgeSettings = bridgeConfig['properties'] as Readonly<Record<string, Tree>>;
/** Open: a template refuses the name of a kind that does not exist, since the validator does not say which ones do. */
const watch = { type: 'object', properties: bridgeSettings['watch']?.['properties'] };

export const bridge: Refinements = {
  ...workload,
  ...memoryLimit,
  ...extras,
  ...persistence,
  config: { ...bridgeConfig, properties: { ...bridgeSettings, watch } },
  secrets: mapOf(secretKey),
  'page.auth': { enum: ['token', 'none', 'proxy-header'] },
  'page.publicUrl': {
    type: 'string',
    pattern: '^([hH][tT][tT][pP][sS]?://[^\\s/@?#]+(/[^\\s@?#]*)?)?$',
    examples: ['https://bridge.example.com'],
  },
  'page.trustedProxies': list({ ...text, examples: ['10.0.0.0/8'] }),
  'ingress.annotations': mapOf(text),
  'networkPolicy.apiServer.cidrs': list({ ...text, examples: ['10.0.0.1/32'] }),
  'networkPolicy.apiServer.ports': list({ type: 'integer', minimum: 1, maximum: 65_535 }),
  'networkPolicy.egress': list({ type: 'object' }),
};

export const collector: Refinements = {
  ...workload,
  ...memoryLimit,
  ...extras,
  ...persistence,
  'queue.batch': { type: ['string', 'boolean'], enum: ['auto', true, false] },
  'podLogs.hostPaths.logs': HOST_PATH,
  'podLogs.hostPaths.state': HOST_PATH,
  ...under(
    'podLogs',
    only(workload, (path) => !OF_RELEASE.test(path)),
  ),
  ...under('podLogs', memoryLimit),
  ...under('podLogs', extras),
};

/** A kind of subcharts/kube-state-metrics/files/kinds.yaml. */
interface Kind {
  readonly cluster?: true;
  readonly noLabels?: true;
}
const KINDS_FILE = join(import.meta.dirname, '../../subcharts/kube-state-metrics/files/kinds.yaml');
const KINDS = Object.entries(parse(readFileSync(KINDS_FILE, 'utf8')) as Readonly<Record<string, Kind>>);
const kinds = (which: (kind: Kind) => boolean): string[] =>
  KINDS.flatMap(([name, kind]) => (which(kind) ? [name] : []));
const labels = { ...list({ type: 'string', pattern: LABEL_KEY }), examples: [['app.kubernetes.io/name']] };

/** kube-state-metrics takes them as one text and splits it at commas. */
const names = list({ type: 'string', pattern: '^[^,]+$' });
const collectors = { ...list({ enum: kinds(({ cluster }) => !cluster) }), uniqueItems: true };

export const kubeStateMetrics: Refinements = {
  ...workload,
  collectors: { ...collectors, minItems: 1, examples: [['cronjobs', 'jobs', 'pods']] },
  extraCollectors: { ...collectors, examples: [['persistentvolumeclaims']] },
  clusterCollectors: { ...list({ enum: kinds(({ cluster }) => cluster === true) }), uniqueItems: true },
  metricAllowlist: { ...names, minItems: 1 },
  extraMetricAllowlist: { ...names, examples: [['kube_persistentvolumeclaim_.*']] },
  labelAllowlist: closed(Object.fromEntries(kinds(({ noLabels }) => !noLabels).map((name) => [name, labels]))),
};

/** Of each of both programs; the rest of a workload's settings is for both. */
const OF_EACH = /^(image|resources)\./;
const ofEach = only(workload, (path) => OF_EACH.test(path));

export const bundledBackend: Refinements = {
  ...only(workload, (path) => !OF_EACH.test(path)),
  ...under('jaeger', ofEach),
  ...under('victorialogs', ofEach),
  'jaeger.resources.limits': memoryLimit['resources.limits'],
  'jaeger.maxTraces': { type: 'integer', minimum: 1, maximum: 10_000_000 },
  'victorialogs.retention': { type: 'string', pattern: '^[1-9][0-9]{0,3}[dwy]$', examples: ['7d'] },
  'victorialogs.persistence.size': persistence['persistence.size'],
};

const HEADERS = named('^[A-Za-z0-9][-A-Za-z0-9._]*$', secretKey);
const ofSignal = (exporters: readonly string[]): Tree =>
  closed({ exporter: { enum: exporters }, endpoint: text, insecure: { type: 'boolean' }, headers: HEADERS });

export function umbrella(): Refinements {
  const config = bridgeConfigSchema([...CHART_OWNED, ...OUTCOMES]);
  return {
    'cluster.name': { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9._/-]*$', examples: ['production'] },
    'cluster.environment': { type: 'string', examples: ['staging'] },
    scope: { enum: ['namespace', 'namespaces', 'cluster'] },
    namespaces: { ...list(NAMESPACE), examples: [['shop', 'billing']] },
    watch,
    'backend.exporter': { enum: ['none', 'debug', 'otlp', 'otlphttp', 'prometheusremotewrite'] },
    'backend.endpoint': { type: 'string', examples: ['otel.example.com:4317'] },
    'backend.podLogs.namespaces': list(NAMESPACE),
    'backend.podLogs.excludeNamespaces': { ...list(NAMESPACE), examples: [['kube-system']] },
    'backend.resourceAttributes': named('^[a-z][a-z0-9_.]*$', text),
    'backend.headers': HEADERS,
    'backend.signals': closed({
      metrics: ofSignal(['none', 'debug', 'otlp', 'otlphttp', 'prometheusremotewrite']),
      traces: ofSignal(['none', 'debug', 'otlp', 'otlphttp']),
      logs: ofSignal(['none', 'debug', 'otlp', 'otlphttp']),
    }),
    'otlp.token.key': SECRET_KEY,
    ...under('metrics.scrape', scrape),
    'prometheusOperator.rules.labels': mapOf(text),
    'prometheusOperator.monitors.labels': mapOf(text),
    'prometheusOperator.monitors.intervalSeconds': { ...seconds(5), maximum: 300 },
    'dashboard.labels': { ...mapOf(text), required: [] },
    'dashboard.annotations': mapOf(text),
    bridge: { ...open, properties: { enabled: { type: 'boolean' }, config } },
    collector: open,
    'kube-state-metrics': open,
    'bundled-backend': open,
    extraManifests: list({ type: 'object', required: ['apiVersion', 'kind', 'metadata'] }),
    'global.imagePullSecrets': list({ type: 'object', required: ['name'] }),
    'global.commonLabels': named(LABEL_KEY, { type: 'string', pattern: LABEL_VALUE }),
    'global.commonAnnotations': mapOf(text),
    global: open,
  };
}

/** What a subchart gets from the umbrella chart beside its own values. */
export const FROM_UMBRELLA = { enabled: { type: 'boolean' }, global: { type: 'object' } };
