import type { KubeObject } from '../../kubernetes/fields.ts';
import { objectAt, objectsAt, textAt } from '../../kubernetes/fields.ts';
import { CLUSTER, MAX_ENVIRONMENT, ORGANISATION } from '../../sinks/github/api-limits.ts';
import { baseUrl } from '../../sinks/github/base-url.ts';
import { DEFAULT_TEMPLATE, isTemplate } from '../../sinks/github/template.ts';
import type { Translate } from './common-rules.ts';
import { asItIs, KUBECONFIG, noted, ONE_REPLICA, OTHER_IMAGE, said } from './common-rules.ts';
import type { Draft, Given, Rule } from './draft.ts';
import { isNamespace, list } from './draft.ts';
import type { OldTool } from './tool.ts';
import { workloadRules } from './workload-rules.ts';

const HERE = 'github.default';
/** The Secret with the key of an App, until it is known whether there is a whole App. */
const APP_SECRET = `${HERE}.app.secret`;

const OWN_PROBES = 'not taken over: the chart has probes of its own';
const METRICS = 'not taken over: metrics are at the port of the page, under the names of the old tracker too';

/** Every value of its chart, every variable (both spellings where README and code differ) and every flag: the later wins. */
const RULES: Readonly<Record<string, Rule>> = {
  ...both('config.org', ['ORG', 'GITHUB_ORG'], (given, draft) =>
    take(given, draft, 'org', ORGANISATION, 'letters, digits, - and _'),
  ),
  ...both('config.logicalEnvironment', ['LOGICAL_ENVIRONMENT'], (given, draft) =>
    environment(given, draft, 'logicalEnvironment'),
  ),
  ...both('config.physicalEnvironment', ['PHYSICAL_ENVIRONMENT'], (given, draft) =>
    environment(given, draft, 'physicalEnvironment'),
  ),
  ...both('config.cluster', ['CLUSTER'], (given, draft) =>
    take(given, draft, 'cluster', CLUSTER, '1 to 128 letters, digits, . _ and -'),
  ),
  ...both('config.baseUrl', ['BASE_URL'], apiUrl, 'api.github.com'),
  ...both('config.dnTemplate', ['DN_TEMPLATE'], template, DEFAULT_TEMPLATE),
  ...both('config.bulkClusterSync', ['BULK_CLUSTER_SYNC'], bulkSync, true),
  ...both('config.namespace', ['-namespace'], namespace),
  ...both('config.excludeNamespaces', ['-exclude-namespaces'], excludeNamespaces),
  ...both('config.workers', ['-workers'], said('without effect: GitHub asks for one request after the other'), 2),
  ...both('config.metricsPort', ['-metrics-port'], said(METRICS), 9090),
  ...both('auth.apiToken', ['API_TOKEN'], (given, draft) => ownSecret(given, draft, HERE, 'TOKEN')),
  'auth.apiTokenSecret': { translate: (given, draft) => theirSecret(given, draft, HERE, 'token') },
  ...both('auth.githubApp.appId', ['GH_APP_ID'], (given, draft) => number(given, draft, 'app.id')),
  ...both('auth.githubApp.installId', ['GH_INSTALL_ID'], (given, draft) => number(given, draft, 'app.installationId')),
  ...both(
    'auth.githubApp.privateKey',
    ['GH_APP_PRIVATE_KEY', 'GH_APP_PRIV_KEY', 'GH_APP_PRIV_KEY_PATH'],
    (given, draft) => ownSecret(given, draft, APP_SECRET, 'PEM'),
  ),
  'auth.githubApp.privateKeySecret': {
    translate: (given, draft) => theirSecret(given, draft, APP_SECRET, 'private-key'),
  },
  LOG_LEVEL: { translate: logLevel },
  KUBECONFIG: KUBECONFIG,
  '-kubeconfig': KUBECONFIG,
  'image.repository': noted(OTHER_IMAGE, 'ghcr.io/github/deployment-tracker'),
  'image.tag': noted(OTHER_IMAGE),
  'image.pullPolicy': noted(OTHER_IMAGE, 'IfNotPresent'),
  replicaCount: noted(ONE_REPLICA, 1),
  'service.enabled': noted(METRICS, true),
  'service.type': noted(METRICS, 'ClusterIP'),
  'service.port': noted(METRICS, 9090),
  readinessProbe: noted(OWN_PROBES),
  livenessProbe: noted(OWN_PROBES),
  lifecycle: noted('not taken over: the bridge finishes what it sends before it stops'),
  'serviceAccount.annotations': asItIs,
  podAnnotations: asItIs,
  podLabels: asItIs,
  ...workloadRules(
    'imagePullSecrets',
    'nameOverride',
    'fullnameOverride',
    'serviceAccount.create',
    'serviceAccount.name',
  ),
  ...workloadRules('podSecurityContext', 'securityContext', 'resources', 'nodeSelector', 'tolerations', 'affinity'),
  ...workloadRules('HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY'),
};

/** github/deployment-tracker 1.0. */
export const DEPLOYMENT_TRACKER: OldTool = {
  name: 'deployment-tracker',
  title: 'deployment-tracker',
  chart: 'deployment-tracker',
  doc: 'docs/github.md',
  rules: RULES,
  defaults: {},
  begin: (draft) => draft.set('scope', 'cluster', 'the old tracker watched all namespaces'),
  end(_, draft) {
    for (const name of ['org', 'logicalEnvironment', 'cluster']) {
      if (draft.get(`${HERE}.${name}`) === undefined)
        draft.refuse({ source: `config.${name}`, value: undefined }, 'a text');
    }
    if (draft.get('scope') !== 'cluster' && draft.get(`${HERE}.excludeNamespaces`) !== undefined)
      draft.refuse({ source: 'config.namespace', value: draft.get('scope') }, 'this or excludeNamespaces, not both');
    chooseCredential(draft);
  },
  variables: {
    implied: [],
    unseen:
      'those of the old tracker are not among its variables: look whether it has -namespace or -exclude-namespaces, or use --release',
  },
  dash: '-',
  booleanFlags: new Set(),
  isIn: (container) =>
    [textAt(container, 'name'), textAt(container, 'image')].some((text) => text?.includes('deployment-tracker')),
  fromContainer: secretSettings,
};

/** A value of the chart, and the variables or flags that say the same. */
function both(
  value: string,
  others: readonly string[],
  translate: Translate,
  standard?: unknown,
): Record<string, Rule> {
  return { [value]: { standard, translate }, ...Object.fromEntries(others.map((name) => [name, { translate }])) };
}

function take(given: Given, draft: Draft, name: string, pattern: RegExp, allowed: string): void {
  const text = String(given.value);
  if (pattern.test(text)) draft.set(`${HERE}.${name}`, text, `from ${given.source}`);
  else draft.refuse(given, allowed);
}

function environment(given: Given, draft: Draft, name: string): void {
  const text = String(given.value).trim();
  if (text.length <= MAX_ENVIRONMENT) draft.set(`${HERE}.${name}`, text, `from ${given.source}`);
  else draft.refuse(given, `at most ${MAX_ENVIRONMENT} characters`);
}

function apiUrl(given: Given, draft: Draft): void {
  const url = baseUrl(String(given.value));
  const allowed = 'an https URL; http only to localhost and *.svc.cluster.local';
  if (url === undefined) draft.refuse({ ...given, value: 'another' }, allowed);
  else if (url !== 'https://api.github.com') draft.set(`${HERE}.apiUrl`, url, `from ${given.source}`);
}

function template(given: Given, draft: Draft): void {
  const text = String(given.value);
  if (isTemplate(text)) draft.set(`${HERE}.template`, text, `from ${given.source}`);
  else draft.refuse(given, 'a text with {{namespace}}, {{deploymentName}} or {{containerName}}');
}

/** Whatever is not "true" switched it off. */
function bulkSync({ source, value }: Given, draft: Draft): void {
  draft.set(`${HERE}.bulkSync`, String(value).toLowerCase() === 'true', `from ${source}`);
}

function namespace(given: Given, draft: Draft): void {
  const { source, value } = given;
  if (!isNamespace(String(value))) return draft.refuse(given, 'the name of a namespace');
  draft.set('scope', 'namespaces', `from ${source}`);
  draft.set('namespaces', [String(value)], `from ${source}`);
}

function excludeNamespaces({ source, value }: Given, draft: Draft): void {
  const kept = list(value).filter((name) => isNamespace(name));
  for (const name of list(value).filter((each) => !kept.includes(each)))
    draft.note(source, `${name} is not taken over: no namespace can have that name`);
  if (kept.length > 0) draft.set(`${HERE}.excludeNamespaces`, kept, `from ${source}`);
}

/** In any case; any other text was INFO. */
function logLevel({ source, value }: Given, draft: Draft): void {
  const level = String(value).toLowerCase();
  const isKnown = ['debug', 'info', 'warn', 'error'].includes(level);
  if (isKnown) draft.set('bridge.config.log.level', level, `from ${source}`);
  else draft.note(source, 'the old tracker did not know this level, and used INFO; so do we');
}

function number(given: Given, draft: Draft, name: string): void {
  const text = String(given.value);
  if (/^[1-9]\d{0,15}$/.test(text)) draft.set(`${HERE}.${name}`, Number(text), `from ${given.source}`);
  else draft.refuse(given, 'a whole number');
}

/** Never prints what is secret. */
function ownSecret({ source }: Given, draft: Draft, path: string, what: string): void {
  draft.set(`${path}.existingSecret`, 'github', `made of ${source} as is said beside these values`);
  draft.set(`${path}.key`, 'credential', '');
  const from = what === 'PEM' ? '--from-file=credential=KEY.pem' : '--from-literal=credential=TOKEN';
  draft.todo(
    source,
    `not taken over, it belongs into a Secret: kubectl -n NEW-NAMESPACE create secret generic github ${from}`,
  );
}

function theirSecret({ source, value }: Given, draft: Draft, path: string, key: string): void {
  draft.set(`${path}.existingSecret`, String(value), `from ${source}`);
  draft.set(`${path}.key`, key, '');
  const { namespace: place } = draft.place;
  const where = place === undefined ? 'the namespace of the old tracker' : `namespace ${place}`;
  draft.todo(source, `that Secret is in ${where}: install there, or copy it into the namespace of the new release`);
}

/** An App counts before a token, but only with all its parts; otherwise the old tracker did not use it. */
function chooseCredential(draft: Draft): void {
  const parts = ['app.id', 'app.installationId', 'app.secret.existingSecret'].map((name) =>
    draft.get(`${HERE}.${name}`),
  );
  const isWhole = parts.every((part) => part !== undefined);
  const isPart = parts.some((part) => part !== undefined) && !isWhole;
  for (const name of ['existingSecret', 'key']) {
    const path = `${APP_SECRET}.${name}`;
    const { value, comment = '' } = draft.settings.get(path) ?? {};
    draft.settings.delete(path);
    if (isWhole) draft.set(`${HERE}.${name}`, value, comment);
  }
  if (isPart) {
    for (const name of ['id', 'installationId']) draft.settings.delete(`${HERE}.app.${name}`);
    draft.todo(
      'auth.githubApp',
      'not taken over: an App needs its ID, its installation and its key; the old tracker ignored it',
    );
  }
  if (draft.get(`${HERE}.existingSecret`) !== undefined) return;
  const command = 'kubectl -n NEW-NAMESPACE create secret generic github --from-literal=credential=TOKEN';
  draft.set(`${HERE}.existingSecret`, 'github', 'a Secret with the token');
  draft.set(`${HERE}.key`, 'credential', '');
  draft.todo('auth', `there is no token: GitHub refused what was sent without one. Before the install: ${command}`);
}

/** Where the container has its secrets from. */
function secretSettings(container: KubeObject): Given[] {
  const sources = { API_TOKEN: 'auth.apiTokenSecret', GH_APP_PRIVATE_KEY: 'auth.githubApp.privateKeySecret' };
  return Object.entries(sources).flatMap(([variable, source]) => {
    const entry = objectsAt(container, 'env').find((each) => each['name'] === variable) ?? {};
    const name = textAt(objectAt(objectAt(entry, 'valueFrom'), 'secretKeyRef'), 'name');
    return name === undefined ? [] : [{ source, value: name }];
  });
}
