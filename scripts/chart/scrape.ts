import type { Tree } from '../../bridge/config/tree.ts';
import { named } from './json-schema.ts';
import { closed, LABEL_KEY, LABEL_VALUE, list, NAMESPACE, SECRET_KEY, SECRET_NAME, text } from './schemas.ts';

export const seconds = (minimum: number): Tree => ({ type: 'integer', minimum, maximum: 60, examples: [30] });
/** 0 is none, as in Prometheus. The most is more than any target has; beyond the integers of Go, Helm would write what the Collector does not start with. */
const limit = { type: 'integer', minimum: 0, maximum: 1_000_000_000 };

const LABEL_NAME = { type: 'string', pattern: '^[a-zA-Z_][a-zA-Z0-9_]*$' };
/** YAML makes numbers and booleans of some patterns; Prometheus takes them as text again. */
const anyText = { type: ['string', 'number', 'boolean'] };
const GROUP = '[$]([{][0-9A-Za-z_]+[}]|[0-9A-Za-z_]+)';

/** A relabel rule with the keys of Prometheus; what depends on the action is checked by the template. */
const rule = closed({
  source_labels: list(LABEL_NAME),
  separator: text,
  regex: anyText,
  modulus: { type: 'integer', minimum: 1 },
  target_label: { type: 'string', pattern: `^([a-zA-Z_]|${GROUP})([0-9A-Za-z_]|${GROUP})*$` },
  replacement: anyText,
  action: {
    enum: [
      'replace',
      'keep',
      'drop',
      'keepequal',
      'dropequal',
      'hashmod',
      'labelmap',
      'labeldrop',
      'labelkeep',
      'lowercase',
      'uppercase',
    ],
  },
});

/** The name of a port of a container (15 characters, says the template) or of a Service, which has a letter, or its number. */
const PORT = {
  type: ['string', 'integer'],
  pattern: '^([a-z0-9]+-)*[0-9]*[a-z][a-z0-9]*(-[a-z0-9]+)*$',
  maxLength: 63,
  minimum: 1,
  maximum: 65_535,
  examples: ['metrics', 8080],
};

const flag = { type: 'boolean' };
const PATH = { type: 'string', pattern: '^/[^?#\\s]*$' };
/** Of a prober: what Prometheus takes for the address of a target. */
const ADDRESS = { type: 'string', pattern: '^[^\\s/$]+$', examples: ['blackbox-exporter.monitoring:9115'] };

/** How certificates are verified, and the own one: files of a Secret, or an authority that is in the pod already. */
const tls = closed({
  existingSecret: SECRET_NAME,
  caKey: SECRET_KEY,
  certKey: SECRET_KEY,
  keyKey: SECRET_KEY,
  caFile: { type: 'string', pattern: '^(/.+)?$' },
  serverName: text,
  insecureSkipVerify: flag,
});

const anyJob = {
  enabled: flag,
  intervalSeconds: seconds(15),
  timeoutSeconds: seconds(1),
  sampleLimit: limit,
  labelLimit: limit,
  keep: list(text),
  drop: list(text),
  relabel: list(rule),
  metricRelabel: list(rule),
};
/** More of a job whose targets are not parts of this release. */
const ofOthers = {
  ...anyJob,
  tls,
  targetLimit: limit,
  labelNameLengthLimit: limit,
  labelValueLengthLimit: limit,
  bodySizeLimit: { type: 'string', pattern: '^[1-9][0-9]{0,5}[KMG]B$', examples: ['50MB'] },
  honorLabels: flag,
  honorTimestamps: flag,
};
const selector = named(LABEL_KEY, { type: 'string', pattern: LABEL_VALUE });

/** A job of one's own. Which of it goes together is checked by the template. */
const own = closed({
  ...ofOthers,
  intervalSeconds: { ...seconds(15), maximum: 300 },
  selector,
  port: PORT,
  role: { enum: ['pod', 'endpointslice'] },
  namespaces: list(NAMESPACE),
  targets: { ...list({ type: 'string', pattern: '^\\S+$' }), minItems: 1, examples: [['10.0.0.7:9100']] },
  labels: named(LABEL_NAME.pattern, text),
  prober: ADDRESS,
  module: text,
  path: PATH,
  scheme: { enum: ['http', 'https'] },
  params: named('.', list(text)),
  basicAuth: closed({ existingSecret: SECRET_NAME, usernameKey: SECRET_KEY, passwordKey: SECRET_KEY }, [
    'existingSecret',
  ]),
  authorization: closed({ existingSecret: SECRET_NAME, key: SECRET_KEY, type: text }, ['existingSecret', 'key']),
});

const jobs = {
  properties: {
    'kube-state-metrics': closed(anyJob),
    collector: closed(anyJob),
    bridge: closed(anyJob),
    'annotated-pods': closed({ ...ofOthers, selector, namespaces: list(NAMESPACE) }),
    kubelet: closed(ofOthers),
    cadvisor: closed(ofOthers),
  },
  additionalProperties: own,
  allOf: [named('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$', {})],
  required: [],
};

const kubernetesSd = {
  type: 'object',
  properties: {
    role: { enum: ['pod', 'node', 'service', 'ingress', 'endpoints', 'endpointslice'] },
    namespaces: { type: 'object', properties: { names: list(NAMESPACE), own_namespace: flag } },
    attach_metadata: { type: 'object' },
  },
  required: ['role'],
};

/** What is below metrics.scrape. */
export const scrape = {
  intervalSeconds: seconds(15),
  timeoutSeconds: seconds(1),
  sampleLimit: limit,
  labelLimit: limit,
  jobs,
  /** Prometheus itself says what else they may have; the permissions of the Collector follow from where they look. */
  extraScrapeConfigs: list({
    type: 'object',
    properties: { job_name: { type: 'string', minLength: 1 }, kubernetes_sd_configs: list(kubernetesSd) },
    required: ['job_name'],
  }),
};
