import { withoutCredentials } from '../../config/config-errors.ts';
import { errorText } from '../../lib/errors.ts';
import { podFilter as readPodFilter } from '../../sinks/cronitor/pod-filter.ts';
import type { Draft, Given, Rule } from './draft.ts';

const ACCOUNT = 'cronitor.default';

/** What of the old agent concerns Cronitor, and what it watches. Within a setting the later source wins. */
export const ACCOUNT_RULES: Readonly<Record<string, Rule>> = {
  'credentials.secretName': { translate: secretName },
  'credentials.secretKey': { translate: secretKey },
  'credentials.createSecret.apiKey': { translate: apiKey },
  CRONITOR_API_KEY: { translate: apiKey },
  '--apikey': { translate: apiKey },
  'config.default': { standard: 'include', translate: defaultBehavior },
  DEFAULT_BEHAVIOR: { standard: 'include', translate: defaultBehavior },
  'config.defaultEnv': { translate: olderEnvironment },
  'config.defaultEnvironment': { translate: environment },
  DEFAULT_ENV: { translate: environment },
  'config.tags': { translate: tags },
  TAGS: { translate: tags },
  'config.shipLogs': { translate: shipLogs },
  CRONITOR_AGENT_SHIP_LOGS: { translate: shipLogs },
  '--ship-logs': { translate: shipLogs },
  'config.podFilter': { translate: podFilter },
  CRONITOR_AGENT_POD_FILTER: { translate: podFilter },
  '--pod-filter': { translate: podFilter },
  'config.hostnameOverride': { translate: hostname },
  CRONITOR_HOSTNAME_OVERRIDE: { translate: hostname },
  '--hostname-override': { translate: hostname },
  '--dryrun': { translate: dryRun },
  'rbac.clusterScope': { standard: 'cluster', translate: clusterScope },
  '--namespace': { translate: namespace },
};

function secretName(given: Given, draft: Draft): void {
  draft.set(`${ACCOUNT}.existingSecret`, text(given, draft), from(given));
  const { namespace } = draft.place;
  const where = namespace === undefined ? 'the namespace of the old agent' : `namespace ${namespace}`;
  draft.todo(
    given.source,
    `that Secret is in ${where}: install there, or copy it into the namespace of the new release`,
  );
}

function secretKey(given: Given, draft: Draft): void {
  draft.set(`${ACCOUNT}.key`, text(given, draft), from(given));
}

/** Never prints the key; prints a kubectl command that copies it from the old agent's Secret into a new one. */
function apiKey({ source }: Given, draft: Draft): void {
  const { namespace, fullname } = draft.place;
  const scope = namespace === undefined ? '' : ` -n ${namespace}`;
  draft.set(`${ACCOUNT}.existingSecret`, 'cronitor', `made of ${source} as is said beside these values`);
  draft.set(`${ACCOUNT}.key`, 'api-key', '');
  const from =
    source === 'credentials.createSecret.apiKey'
      ? `"$(kubectl${scope} get secret ${fullname ?? 'OLD-RELEASE-cronitor-kubernetes'}-secret -o go-template='{{.data.CRONITOR_API_KEY | base64decode}}')"`
      : `KEY`;
  const why = 'not taken over: a key belongs into a Secret, and that of the old release goes away with it';
  const where = from === 'KEY' ? `, where KEY is the value of ${source}` : '';
  draft.todo(
    source,
    `${why}. Before the install: kubectl -n NEW-NAMESPACE create secret generic cronitor --from-literal=api-key=${from}${where}`,
  );
}

function defaultBehavior(given: Given, draft: Draft): void {
  if (given.value !== 'exclude' && given.value !== 'include') return draft.refuse(given, 'include, exclude');
  draft.set(`${ACCOUNT}.defaultBehavior`, given.value, from(given));
}

function environment(given: Given, draft: Draft): void {
  draft.set(`${ACCOUNT}.env`, text(given, draft), from(given));
}

/** Charts before 0.4 had it under this name; the chart's README still does. */
function olderEnvironment(given: Given, draft: Draft): void {
  if (draft.get(`${ACCOUNT}.env`) !== undefined) return;
  const value = text(given, draft);
  draft.todo(given.source, `read by old charts only: if yours did, set cronitor.default.env: ${JSON.stringify(value)}`);
}

function tags(given: Given, draft: Draft): void {
  const items = text(given, draft)
    .split(',')
    .map((item) => item.trim());
  draft.set(
    `${ACCOUNT}.tags`,
    items.filter((item) => item !== ''),
    from(given),
  );
}

function shipLogs(given: Given, draft: Draft): void {
  const value = boolean(given, draft);
  if (value !== undefined) draft.set(`${ACCOUNT}.shipLogs`, value, from(given));
}

function podFilter(given: Given, draft: Draft): void {
  const expression = text(given, draft);
  try {
    readPodFilter(expression);
    draft.set(`${ACCOUNT}.podFilter`, expression, from(given));
  } catch (error) {
    draft.refuse(given, `a regular expression as RE2 has it (${errorText(error)})`);
  }
}

function hostname(given: Given, draft: Draft): void {
  const url = text(given, draft);
  const allowed = 'an http or https URL without user and password';
  if (!URL.canParse(url) || !/^https?:/.test(url)) return draft.refuse(given, allowed);
  if (withoutCredentials(url) !== url) return draft.refuse({ ...given, value: withoutCredentials(url) }, allowed);
  draft.set(`${ACCOUNT}.apiUrl`, url, from(given));
  draft.set(`${ACCOUNT}.pingUrl`, url, from(given));
  draft.todo(given.source, 'if that address is private, allow the way there in bridge.networkPolicy.egress');
}

function dryRun(given: Given, draft: Draft): void {
  const value = boolean(given, draft);
  if (value !== undefined) draft.set(`${ACCOUNT}.dryRun`, value, from(given));
}

function clusterScope(given: Given, draft: Draft): void {
  if (given.value !== 'namespace') return draft.refuse(given, 'cluster, namespace');
  const { namespace } = draft.place;
  if (namespace !== undefined) return watchOnly(namespace, given, draft);
  draft.set('scope', 'namespace', from(given));
  draft.todo(
    given.source,
    'install into the namespace of the old release, or set scope: namespaces and namespaces: [that]',
  );
}

function namespace(given: Given, draft: Draft): void {
  watchOnly(text(given, draft), given, draft);
}

function watchOnly(name: string, given: Given, draft: Draft): void {
  draft.set('scope', 'namespaces', from(given));
  draft.set('namespaces', [name], '');
}

const from = ({ source }: Given): string => `from ${source}`;

/** Text as Helm and the old agent read it: a number or a boolean is its text. */
function text(given: Given, draft: Draft): string {
  if (['string', 'number', 'boolean'].includes(typeof given.value)) return String(given.value);
  draft.refuse(given, 'text');
  return '';
}

const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

/** As Go reads it; anything else is refused. */
function boolean(given: Given, draft: Draft): boolean | undefined {
  const word = String(given.value);
  if (TRUE.has(word)) return true;
  if (FALSE.has(word)) return false;
  draft.refuse(given, 'true, false');
  return undefined;
}
