import { isTree } from '../../config/tree.ts';
import type { KubeObject } from '../../kubernetes/fields.ts';
import { objectAt, objectsAt, textAt } from '../../kubernetes/fields.ts';
import type { Translate } from './common-rules.ts';
import { asItIs, KUBECONFIG, noted, ONE_REPLICA, OTHER_IMAGE, OWN_ROLES, said } from './common-rules.ts';
import type { Draft, Given, Rule } from './draft.ts';
import { dsn, existingSecret, withoutDsn } from './sentry-dsn.ts';
import {
  clusterConfigType,
  customDsns,
  environment,
  filter,
  gke,
  globalTag,
  logLevel,
  monitorCronjobs,
  namespaces,
} from './sentry-settings.ts';
import type { OldTool } from './tool.ts';
import { workloadRules } from './workload-rules.ts';

const HERE = 'sentry.default';

const HISTORICAL =
  'no equivalent: the old agent reported all Events again with each start; here nothing is lost while the bridge is away, and what happened before the change was reported by the old agent (bridge.config.firstSight)';
const OF_CUSTOM_DSNS = 'it only counted for DSNs of annotations';

/** Every value of its chart and every variable: the later wins. */
const RULES: Readonly<Record<string, Rule>> = {
  existingSecret: { translate: existingSecret },
  'sentry.dsn': { standard: '<change-me>', translate: dsn },
  SENTRY_DSN: { translate: dsn },
  ...both('sentry.environment', 'SENTRY_ENVIRONMENT', environment),
  ...both(
    'sentry.release',
    'SENTRY_RELEASE',
    said(`not taken over: ${OF_CUSTOM_DSNS}; here a release follows from labels or images (${HERE}.release)`),
  ),
  ...both('sentry.logLevel', 'SENTRY_K8S_LOG_LEVEL', logLevel),
  ...both('sentry.watchNamespaces', 'SENTRY_K8S_WATCH_NAMESPACES', namespaces),
  ...both('sentry.watchHistorical', 'SENTRY_K8S_WATCH_HISTORICAL', said(HISTORICAL)),
  ...both('sentry.clusterConfigType', 'SENTRY_K8S_CLUSTER_CONFIG_TYPE', clusterConfigType),
  'sentry.kubeconfigPath': KUBECONFIG,
  SENTRY_K8S_KUBECONFIG_PATH: KUBECONFIG,
  ...both('sentry.monitorCronjobs', 'SENTRY_K8S_MONITOR_CRONJOBS', monitorCronjobs),
  ...both('sentry.customDsns', 'SENTRY_K8S_CUSTOM_DSNS', customDsns),
  SENTRY_K8S_INTEGRATION_GKE_ENABLED: ofText(gke),
  SENTRY_K8S_FILTER_OUT_EVENT_REASONS: ofText((given, draft) => filter(given, draft, 'reasons')),
  SENTRY_K8S_FILTER_OUT_EVENT_SOURCES: ofText((given, draft) => filter(given, draft, 'sources')),
  SENTRYGODEBUG: ofText(said('without effect: it was for the makers of the old agent')),
  'sentry.appendEnv': { translate: appendEnv },
  ...workloadRules('HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY'),
  'image.repository': noted(OTHER_IMAGE, 'ghcr.io/getsentry/sentry-kubernetes'),
  'image.tag': noted(OTHER_IMAGE, 'latest'),
  'image.pullPolicy': noted(OTHER_IMAGE, 'Always'),
  replicaCount: noted(ONE_REPLICA, 1),
  'rbac.custom_rules': noted(OWN_ROLES),
  priorityClassName: asItIs,
  podAnnotations: asItIs,
  podLabels: asItIs,
  ...workloadRules('imagePullSecrets', 'nameOverride', 'fullnameOverride', 'rbac.create'),
  ...workloadRules('serviceAccount.create', 'serviceAccount.name'),
  ...workloadRules('podSecurityContext', 'securityContext', 'resources', 'nodeSelector', 'tolerations', 'affinity'),
};

/** Rules of all variables that begin so. */
const PREFIXED: Readonly<Record<string, Rule>> = {
  SENTRY_K8S_GLOBAL_TAG_: ofText(globalTag),
  SENTRY_TAGS_: ofText(said(`not taken over: ${OF_CUSTOM_DSNS}; ${HERE}.tags are those of every event`)),
};

/** getsentry/sentry-kubernetes (the agent in Go), and its chart of sentry-kubernetes/charts. */
export const SENTRY_KUBERNETES: OldTool = {
  name: 'sentry',
  title: 'sentry-kubernetes',
  chart: 'sentry-kubernetes',
  doc: 'docs/sentry.md',
  rules: RULES,
  prefixed: PREFIXED,
  defaults: {},
  begin(draft) {
    draft.set('scope', 'namespaces', 'as it was');
    draft.set('namespaces', ['default'], 'the old agent watched this one alone');
    draft.set(`${HERE}.customDsns.enabled`, false, 'the old agent did not look at annotations');
    draft.set(
      `${HERE}.crons`,
      { enabled: false, slugs: 'compatible' },
      'slugs as they were, so that monitors continue',
    );
    draft.set(`${HERE}.issues.fingerprints`, 'compatible', 'as they were, so that issues continue');
    draft.set(`${HERE}.shipLogs`, false, 'the old agent read no logs; true attaches their tails to issues');
    draft.set('bridge.config.firstSight.lookback', '0s', 'what happened before was reported by the old agent');
    draft.set('bridge.config.firstSight.running', 'suppress', 'so was the start of a run that goes on');
  },
  end(_, draft) {
    withoutDsn(draft);
    draft.note(
      'levels',
      `everything was an error; here a Warning is a warning and a lack of memory fatal (${HERE}.issues.levels)`,
    );
    draft.note(
      'attempts of Jobs',
      `each pod that failed was an event; here a Job that failed is one (${HERE}.issues.attempts: true reports both)`,
    );
  },
  variables: { implied: [] },
  dash: '--',
  booleanFlags: new Set(),
  isIn: (container) =>
    [textAt(container, 'name'), textAt(container, 'image')].some((text) => /sentry-(kubernetes|k8s)/.test(text ?? '')),
  fromContainer: references,
};

/** What is said by a value of the chart and by a variable. */
function both(value: string, variable: string, translate: Translate): Record<string, Rule> {
  return { [value]: ofText(translate), [variable]: ofText(translate) };
}

/** YAML may have it as a number or as true; a variable may be a reference. */
function ofText(translate: Translate): Rule {
  return {
    translate({ source, value }, draft) {
      if (typeof value === 'object')
        draft.todo(source, 'not taken over: its value is in another object (valueFrom); look there what it is');
      else translate({ source, value: `${value as string | number | boolean}` }, draft);
    },
  };
}

function ruleOf(name: string): Rule | undefined {
  const prefix = Object.keys(PREFIXED).find((each) => name.startsWith(each));
  return prefix === undefined ? (Object.hasOwn(RULES, name) ? RULES[name] : undefined) : PREFIXED[prefix];
}

/** Variables as a pod has them. */
function appendEnv(given: Given, draft: Draft): void {
  const { source, value } = given;
  if (!Array.isArray(value)) return draft.refuse(given, 'a list of variables with name and value');
  for (const entry of value as readonly unknown[]) {
    const name = isTree(entry) ? String(entry['name']) : '';
    const content = isTree(entry) ? (entry['value'] ?? entry['valueFrom']) : undefined;
    const rule = ruleOf(name);
    if (rule === undefined)
      draft.note(`${source} ${name}`, 'no variable of the old agent: it had no effect there either');
    else if (content !== undefined && content !== '') rule.translate({ source: name, value: content }, draft);
  }
}

/** Variables of the container that are in other objects. A Secret as a whole is where the DSN is, if nothing else says it. */
function references(container: KubeObject): Given[] {
  const env = objectsAt(container, 'env');
  const isGiven = env.some(({ name }) => name === 'SENTRY_DSN');
  const secrets = objectsAt(container, 'envFrom').map((each) => textAt(objectAt(each, 'secretRef'), 'name'));
  return [
    ...secrets.flatMap((name) =>
      name === undefined || isGiven
        ? []
        : [{ source: 'SENTRY_DSN', value: { secretKeyRef: { name, key: 'SENTRY_DSN' } } }],
    ),
    ...env.flatMap(({ name, valueFrom }) =>
      typeof name === 'string' && valueFrom !== undefined && ruleOf(name) !== undefined
        ? [{ source: name, value: valueFrom }]
        : [],
    ),
  ];
}
