import type { Tree } from '../../bridge/config/tree.ts';
import { bridgeConfigSchema, cronitorSchema, type Refinements } from './json-schema.ts';

const text = { type: 'string' };
const list = (items: Tree): Tree => ({ type: 'array', items });
const mapOf = (items: Tree): Tree => ({ type: 'object', additionalProperties: items });
const closed = (properties: Tree, required: readonly string[] = []): Tree => ({
  type: 'object',
  additionalProperties: false,
  properties,
  required,
});

const NAMESPACE = { type: 'string', pattern: '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$' };
const DIGEST = { type: 'string', pattern: '^(sha256:[0-9a-f]{64})?$' };
const PULL_POLICY = { enum: ['IfNotPresent', 'Always', 'Never'] };
const QUANTITY = { type: ['string', 'integer'] };
const amounts = { type: 'object', properties: { cpu: QUANTITY, memory: QUANTITY }, additionalProperties: QUANTITY };
const secretKey = closed({ existingSecret: text, key: text }, ['existingSecret', 'key']);
const open = { additionalProperties: true };

/** What every subchart has. `enabled` and `global` come from the umbrella chart. */
const workload: Refinements = {
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
  podSecurityContext: open,
  securityContext: open,
};
const extraEnv = { extraEnv: list({ type: 'object', required: ['name'] }) };
const persistence = {
  'persistence.size': { type: 'string', pattern: '^[0-9]+(Mi|Gi|Ti)$', examples: ['4Gi'] },
};

/** What the chart itself writes into bridge.yaml. */
const CHART_OWNED = ['otlp.host', 'otlp.port', 'web', 'store.path', 'cluster.scope', 'cluster.kubeconfig'];
/** What the umbrella chart has words for. */
const OUTCOMES = ['cluster.name', 'cronitor', 'otlp.token', 'otlp.tokenFile', 'otlp.tls'];

export const bridge: Refinements = {
  ...workload,
  ...extraEnv,
  ...persistence,
  config: bridgeConfigSchema(CHART_OWNED),
  secrets: mapOf(secretKey),
  'page.auth': { enum: ['token', 'none', 'proxy-header'] },
  'page.trustedProxies': list({ ...text, examples: ['10.0.0.0/8'] }),
  'ingress.annotations': mapOf(text),
  'networkPolicy.apiServer.cidrs': list({ ...text, examples: ['10.0.0.1/32'] }),
  'networkPolicy.apiServer.ports': list({ type: 'integer', minimum: 1, maximum: 65_535 }),
  'networkPolicy.egress': list({ type: 'object' }),
};

export const collector: Refinements = {
  ...workload,
  ...extraEnv,
  ...persistence,
  extraVolumes: list({ type: 'object', required: ['name'] }),
  extraVolumeMounts: list({ type: 'object', required: ['name', 'mountPath'] }),
};

export const kubeStateMetrics: Refinements = {
  ...workload,
  collectors: {
    ...list({ type: 'string', pattern: '^[a-z]+$' }),
    minItems: 1,
    examples: [['cronjobs', 'jobs', 'pods']],
  },
  clusterCollectors: list({ type: 'string', pattern: '^[a-z]+$' }),
  metricAllowlist: { ...list(text), minItems: 1 },
  labelAllowlist: mapOf({ ...list({ type: 'string', pattern: '^[^*]+$' }), examples: [['app.kubernetes.io/name']] }),
};

const seconds = (minimum: number): Tree => ({ type: 'integer', minimum, maximum: 60, examples: [30] });
const count = { type: 'integer', minimum: 1 };

function jobs(): Tree {
  const anyJob = {
    enabled: { type: 'boolean' },
    intervalSeconds: seconds(15),
    timeoutSeconds: seconds(1),
    sampleLimit: count,
    labelLimit: count,
    keep: list(text),
    drop: list(text),
    relabel: list({ type: 'object' }),
    metricRelabel: list({ type: 'object' }),
  };
  const ofPods = { ...anyJob, namespaces: list(NAMESPACE), path: { type: 'string', pattern: '^/' } };
  const own = { ...ofPods, selector: mapOf(text), port: { type: ['string', 'integer'], examples: ['metrics', 8080] } };
  const preset = (properties: Tree): Tree => closed(properties);
  const { path: _, ...annotated } = ofPods;
  return {
    properties: {
      'kube-state-metrics': preset(anyJob),
      collector: preset(anyJob),
      bridge: preset(anyJob),
      'annotated-pods': preset({ ...annotated, selector: mapOf(text) }),
      kubelet: preset(anyJob),
      cadvisor: preset(anyJob),
    },
    propertyNames: { pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$' },
    additionalProperties: closed(own),
  };
}

export function umbrella(): Refinements {
  const { names, properties } = cronitorSchema();
  const keys = {
    existingSecret: { ...text, description: 'Name of the Secret with the API key', examples: ['cronitor'] },
    key: { ...text, description: 'Key of that Secret', default: 'api-key' },
    apiKey: { ...text, description: 'The API key itself; refused unless allowInlineSecrets is true' },
  };
  const config = bridgeConfigSchema([...CHART_OWNED, ...OUTCOMES]);
  return {
    'cluster.name': { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9._/-]*$', examples: ['production'] },
    'cluster.environment': { type: 'string', examples: ['staging'] },
    scope: { enum: ['namespace', 'namespaces', 'cluster'] },
    namespaces: { ...list(NAMESPACE), examples: [['shop', 'billing']] },
    cronitor: { type: 'object', propertyNames: names, additionalProperties: closed({ ...keys, ...properties }) },
    'backend.exporter': { enum: ['none', 'debug', 'otlp', 'otlphttp', 'prometheusremotewrite'] },
    'backend.endpoint': { type: 'string', examples: ['otel.example.com:4317'] },
    'backend.headers': mapOf(secretKey),
    'metrics.scrape.intervalSeconds': seconds(15),
    'metrics.scrape.timeoutSeconds': seconds(1),
    'metrics.scrape.sampleLimit': count,
    'metrics.scrape.labelLimit': count,
    'metrics.scrape.jobs': jobs(),
    bridge: { ...open, properties: { enabled: { type: 'boolean' }, config } },
    collector: open,
    'kube-state-metrics': open,
    'global.imagePullSecrets': list({ type: 'object', required: ['name'] }),
    global: open,
  };
}

/** What a subchart gets from the umbrella chart beside its own values. */
export const FROM_UMBRELLA = { enabled: { type: 'boolean' }, global: { type: 'object' } };
