import { sentrySchema } from '../../sinks/sentry/config.ts';
import { KUBECONFIG } from './common-rules.ts';
import type { Draft, Given } from './draft.ts';
import { isNamespace, list } from './draft.ts';

const HERE = 'sentry.default';
const EXAMPLE_DSN = 'https://key@o1.ingest.sentry.io/1';
/** Sentry takes no longer key of a tag. */
const MAX_TAG = 32;

/** As the old agent reads it; everything else is false. */
export function isTruthy(value: unknown): boolean {
  return ['yes', 'true', '1'].includes(String(value).trim().toLowerCase());
}

export function environment(given: Given, draft: Draft): void {
  const { error } = sentrySchema.safeParse({ dsn: EXAMPLE_DSN, environment: given.value });
  if (error === undefined) return draft.set(`${HERE}.environment`, given.value, `from ${given.source}`);
  const allowed = (error.issues[0]?.message ?? '').replace('allowed: ', '');
  const text = `not taken over: the old agent sent it, and Sentry drops such an environment; allowed in ${HERE}.environment: ${allowed}`;
  draft.todo(given.source, text);
}

/** In any case. Any other text was info. */
export function logLevel({ source, value }: Given, draft: Draft): void {
  const level = String(value).toLowerCase();
  const ours = { trace: 'debug', fatal: 'error', panic: 'error', disabled: 'error' }[level] ?? level;
  if (!['debug', 'info', 'warn', 'error'].includes(ours))
    return draft.note(source, 'the old agent did not know this level, and used info; so do we');
  draft.set('bridge.config.log.level', ours, `from ${source}`);
  if (ours !== level) draft.note(source, `there is no level ${level}; ${ours} is the nearest`);
}

const VALUE_OF_LABEL = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;

/** The old agent took what may be the value of a label, of which not all is a namespace. */
export function namespaces(given: Given, draft: Draft): void {
  const { source } = given;
  const text = String(given.value).trim();
  if (text === '') return;
  if (text === '__all__') {
    draft.set('scope', 'cluster', `from ${source}`);
    draft.settings.delete('namespaces');
    return;
  }
  const names = list(text);
  const allowed = '__all__, or names of namespaces with commas between them';
  if (names.length === 0 || names.some((name) => !VALUE_OF_LABEL.test(name))) return draft.refuse(given, allowed);
  const legal = names.filter((name) => isNamespace(name));
  if (legal.length === 0) return draft.refuse(given, allowed);
  for (const name of names.filter((each) => !legal.includes(each)))
    draft.note(source, `${name} is not taken over: no namespace can have that name, and nothing came from there`);
  draft.set('scope', 'namespaces', 'as it was');
  draft.set('namespaces', legal, `from ${source}`);
}

export function clusterConfigType(given: Given, draft: Draft): void {
  const type = String(given.value).trim().toLowerCase();
  if (!['auto', 'in-cluster', 'out-cluster'].includes(type))
    return draft.refuse(given, 'auto, in-cluster, out-cluster');
  if (type === 'out-cluster') KUBECONFIG.translate(given, draft);
}

export function monitorCronjobs({ source, value }: Given, draft: Draft): void {
  const enabled = isTruthy(value);
  draft.set(`${HERE}.crons`, { enabled, slugs: 'compatible' }, `from ${source}; slugs as they were`);
  if (!enabled) return;
  draft.todo(
    source,
    `the old agent sent monitors without margin, runtime, thresholds and time zone; these are sent now, over what was set at Sentry by hand: put that into ${HERE}.crons or into annotations (docs/sentry.md)`,
  );
  draft.todo(
    source,
    'the change: stop the old agent while no CronJob runs. Nobody else can close what it opened, and Sentry calls that timed out',
  );
}

export function customDsns({ source, value }: Given, draft: Draft): void {
  draft.set(`${HERE}.customDsns.enabled`, isTruthy(value), `from ${source}`);
  if (isTruthy(value))
    draft.todo(
      source,
      `the old agent sent to whatever host an annotation named; here to sentry.io, *.sentry.io and the host of the own DSN: name others in ${HERE}.customDsns.hosts`,
    );
}

/** The metadata server by its two addresses: with Dataplane V2, and without. The chart lets nobody reach it otherwise. */
const METADATA_SERVER = [
  { to: [{ ipBlock: { cidr: '169.254.169.254/32' } }], ports: [{ port: 80, protocol: 'TCP' }] },
  { to: [{ ipBlock: { cidr: '169.254.169.252/32' } }], ports: [{ port: 988, protocol: 'TCP' }] },
];

export function gke({ source, value }: Given, draft: Draft): void {
  draft.set(`${HERE}.gke`, isTruthy(value), `from ${source}`);
  if (isTruthy(value)) draft.set('bridge.networkPolicy.egress', METADATA_SERVER, 'the metadata server of GKE');
}

/** A list replaces the default one; one of commas alone is empty. */
export function filter({ source, value }: Given, draft: Draft, name: 'reasons' | 'sources'): void {
  draft.set(`${HERE}.issues.filter.${name}`, list(value), `from ${source}`);
  if (name === 'reasons' && list(value).length > 0)
    draft.note(source, 'they count for reasons of ended containers too, which the old agent always reported');
}

/** The rest of the name is the tag, in its own case. */
export function globalTag({ source, value }: Given, draft: Draft): void {
  const name = source.replace('SENTRY_K8S_GLOBAL_TAG_', '').trim();
  const text = String(value).trim();
  if (name === '' || text === '') return draft.note(source, 'without effect, as before: it is empty');
  if (name.length > MAX_TAG)
    return draft.note(source, `not taken over: Sentry takes no tag whose key is longer than ${MAX_TAG} characters`);
  const path = `${HERE}.tags`;
  draft.set(path, { ...(draft.get(path) as object | undefined), [name]: text }, 'from SENTRY_K8S_GLOBAL_TAG_');
}
