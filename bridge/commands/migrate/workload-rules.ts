import { isTree, type Tree } from '../../config/tree.ts';
import { asItIs, asked, KUBECONFIG, noted, OTHER_IMAGE } from './common-rules.ts';
import type { Draft, Given, Rule } from './draft.ts';
import { largerResources } from './resources.ts';

const OWN_NAMES = 'not taken over: names follow from the name of the release';
const NO_PHONE_HOME = 'without effect: the bridge sends nothing about itself to anybody';
const UNUSED = 'without effect, as before';

/** What of the old agent concerns its pod, its permissions and itself. */
export const WORKLOAD_RULES: Readonly<Record<string, Rule>> = {
  image: noted(OTHER_IMAGE),
  repository: noted(OTHER_IMAGE, 'ghcr.io/cronitorio/cronitor-kubernetes'),
  imageTag: noted(OTHER_IMAGE),
  imagePullPolicy: noted(OTHER_IMAGE, 'Always'),
  imagePullSecrets: asked('not taken over: name those that the registry of our image wants in global.imagePullSecrets'),
  nameOverride: noted(OWN_NAMES),
  fullnameOverride: noted(OWN_NAMES),
  'config.sentryEnabled': noted(NO_PHONE_HOME, true),
  'config.yourEmail': noted(NO_PHONE_HOME),
  SENTRY_ENABLED: noted(NO_PHONE_HOME),
  SENTRY_RELEASE: noted(NO_PHONE_HOME),
  SENTRY_ENVIRONMENT: noted(NO_PHONE_HOME),
  SUPPORT_EMAIL_ADDRESS: noted(NO_PHONE_HOME),
  APP_VERSION: noted('without effect: the bridge knows its version, and does not look for a newer one'),
  NODE_NAME: noted(UNUSED),
  CHART_VERSION: noted(UNUSED),
  KUBERNETES_VERSION: noted(UNUSED),
  KUBERNETES_NAMESPACE: noted(UNUSED),
  'config.logLevel': { translate: logLevel },
  '--log-level': { translate: logLevel },
  'config.logFormat': { translate: logFormat },
  '--log-format': { translate: logFormat },
  '--dev': noted('without effect: it was for the makers of the old agent'),
  '--kubeconfig': KUBECONFIG,
  HTTPS_PROXY: { translate: (given, draft) => proxy(given, draft, 'https') },
  HTTP_PROXY: { translate: (given, draft) => proxy(given, draft, 'http') },
  NO_PROXY: { translate: (given, draft) => proxy(given, draft, 'exclude') },
  'rbac.create': { standard: true, translate: rbacCreate },
  'serviceAccount.create': { standard: true, translate: accountCreate },
  'serviceAccount.name': { translate: accountName },
  podSecurityContext: { translate: securityContext },
  securityContext: { translate: securityContext },
  resources: { translate: resources },
  nodeSelector: asItIs,
  tolerations: asItIs,
  affinity: asItIs,
};

/** Those of these names, which other tools have too. */
export function workloadRules(...names: readonly string[]): Record<string, Rule> {
  return Object.fromEntries(names.map((name) => [name, WORKLOAD_RULES[name]!]));
}

function logLevel(given: Given, draft: Draft): void {
  const { value, source } = given;
  const levels: unknown[] = ['DEBUG', 'INFO', 'WARN', 'ERROR'];
  if (!levels.includes(value)) return draft.refuse(given, levels.join(', '));
  draft.set('bridge.config.log.level', String(value).toLowerCase(), `from ${source}`);
}

function logFormat(given: Given, draft: Draft): void {
  const { value, source } = given;
  if (value === 'json') draft.note(source, 'without effect: the log always is JSON');
  else if (value === 'text')
    draft.todo(source, 'no equivalent: the log is JSON, a line each; a reader of text wants jq or pino-pretty');
  else draft.refuse(given, 'text, json');
}

function proxy(given: Given, draft: Draft, kind: string): void {
  const { value, source } = given;
  if (typeof value !== 'string') return draft.refuse({ source, value: typeof value }, 'text');
  if (/:\/\/[^/]*@/.test(value))
    return draft.todo(source, 'not taken over, because it holds a password: give it by bridge.extraEnv from a Secret');
  draft.set(`bridge.proxy.${kind}`, value, `from ${source}`);
}

function rbacCreate(given: Given, draft: Draft): void {
  if (given.value !== false) return draft.refuse(given, 'true, false');
  draft.todo(
    given.source,
    'no equivalent: the chart always makes its Roles, listed in PERMISSIONS.md; whoever may make Roles installs it',
  );
}

function accountCreate(given: Given, draft: Draft): void {
  if (given.value !== false) return draft.refuse(given, 'true, false');
  draft.set('bridge.serviceAccount.create', false, `from ${given.source}`);
}

/** An account that the old release made is its own: two releases cannot have it, and it goes away with the old one. */
function accountName({ source, value }: Given, draft: Draft): void {
  if (draft.get('bridge.serviceAccount.create') === false)
    draft.set('bridge.serviceAccount.name', value, `from ${source}`);
  else draft.note(source, 'not taken over: the account belongs to the old release; the new one makes its own');
}

/** What the Pod Security Standard "restricted" forbids: the bridge does not need it. */
const WEAKER: Readonly<Record<string, (value: unknown) => boolean>> = {
  privileged: (value) => value === true,
  allowPrivilegeEscalation: (value) => value === true,
  runAsNonRoot: (value) => value === false,
  runAsUser: (value) => value === 0,
  runAsGroup: (value) => value === 0,
  fsGroup: (value) => value === 0,
  readOnlyRootFilesystem: (value) => value === false,
  capabilities: (value) => isTree(value) && value['add'] !== undefined,
  seccompProfile: (value) => isTree(value) && value['type'] === 'Unconfined',
};

function securityContext(given: Given, draft: Draft): void {
  const { source, value } = given;
  if (!isTree(value)) return draft.refuse(given, 'a mapping');
  const kept: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    if (WEAKER[key]?.(inner) === true)
      draft.note(`${source}.${key}`, 'not taken over: the bridge runs without that, as "restricted" pods do');
    else kept[key] = inner;
  }
  if (Object.keys(kept).length > 0) draft.set(`bridge.${source}`, kept, `from ${source}, over the chart's own`);
}

function resources(given: Given, draft: Draft): void {
  const { source, value } = given;
  if (!isTree(value)) return draft.refuse(given, 'a mapping such as {limits: {memory: 512Mi}}');
  const { resources, raised, unreadable } = largerResources(value);
  for (const path of unreadable)
    draft.refuse({ source: `${source}.${path}`, value: at(value, path) }, 'a quantity such as 500m or 512Mi');
  draft.set('bridge.resources', resources, `from ${source}, never less than the chart's own`);
  if (raised.length > 0)
    draft.note(
      source,
      `${raised.join(', ')}: the bridge needs more than the old agent, so the chart's own stay (it keeps a store)`,
    );
}

function at(tree: Tree, path: string): unknown {
  return path.split('.').reduce<unknown>((inner, key) => (isTree(inner) ? inner[key] : undefined), tree);
}
