import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { Tree } from '../../config/tree.ts';
import { sentrySchema } from '../../sinks/sentry/config.ts';
import type { Given, OldPlace } from './draft.ts';
import type { Draft } from './draft.ts';
import { printNotes, printValues, valuesOf } from './print.ts';
import { translate } from './rules.ts';
import { isTruthy } from './sentry-settings.ts';
import { SENTRY_KUBERNETES } from './sentry-kubernetes.ts';
import { fromEnvironmentText } from './environment.ts';
import { fromValuesText } from './sources.ts';

const KEY = 'abcdef0123456789';
const DSN = `https://${KEY}@o1.ingest.sentry.io/42`;

const made = (old: object, place: OldPlace = {}) =>
  translate(SENTRY_KUBERNETES, fromValuesText(SENTRY_KUBERNETES, stringify(old), 'old.yaml'), place);
const lines = (env: object) => Object.entries(env).map(([name, value]) => `${name}=${value}`);
const ofVariables = (env: object) =>
  translate(
    SENTRY_KUBERNETES,
    fromEnvironmentText(SENTRY_KUBERNETES, lines({ SENTRY_DSN: DSN, ...env }).join('\n'), 'env'),
    {},
  );
/** What the bridge takes the settings for. */
function parsed(draft: Draft) {
  const { existingSecret: _, key: _1, ...settings } = (valuesOf(draft)['sentry'] as { default: Tree }).default;
  return sentrySchema.parse({ ...settings, dsnFile: '/etc/dsn' });
}

it.each([
  [' Yes ', true],
  ['TRUE', true],
  ['1', true],
  ['on', false],
  ['t', false],
  ['0', false],
  ['', false],
])('V1 "%s" is %s', (text, is) => {
  expect(isTruthy(text)).toBe(is);
  const draft = ofVariables({ SENTRY_K8S_CUSTOM_DSNS: JSON.stringify(text) });
  expect(parsed(draft).customDsns.enabled).toBe(is);
});

describe('namespaces', () => {
  it.each<[string, string, readonly string[] | 'cluster']>([
    ['V2', '', ['default']],
    ['V2', ' a , b ,', ['a', 'b']],
    ['V2', '__all__', 'cluster'],
    ['V3 ⚠', 'a,a', ['a']],
    ['V4 ⚠', 'Foo_Bar,a', ['a']],
  ])('%s "%s" are %o', (_what, text, ours) => {
    const draft = ofVariables({ SENTRY_K8S_WATCH_NAMESPACES: JSON.stringify(text) });
    expect(draft.refusals).toEqual([]);
    const { scope, namespaces } = valuesOf(draft);
    expect({ scope, namespaces }).toEqual(
      ours === 'cluster' ? { scope: 'cluster', namespaces: undefined } : { scope: 'namespaces', namespaces: ours },
    );
  });

  it.each([',', '-x', '__all__,a', 'a,b c', 'Foo_Bar', `a${'b'.repeat(63)}`])('V2 "%s" are refused', (text) => {
    const { refusals } = ofVariables({ SENTRY_K8S_WATCH_NAMESPACES: JSON.stringify(text) });
    expect(refusals).toMatchObject([{ source: 'SENTRY_K8S_WATCH_NAMESPACES', given: JSON.stringify(text) }]);
  });
});

it('an environment that Sentry drops is for a person, and refuses nothing', () => {
  const { refusals, notes } = ofVariables({ SENTRY_ENVIRONMENT: 'prod/eu' });
  expect(refusals).toEqual([]);
  expect(notes).toContainEqual({ source: 'SENTRY_ENVIRONMENT', todo: true, text: expect.stringContaining('drops') });
});

describe('a variable becomes a setting', () => {
  it.each<[string, object, object]>([
    ['nothing set', {}, { crons: { enabled: false, slugs: 'compatible' }, issues: { fingerprints: 'compatible' } }],
    ['nothing set', {}, { customDsns: { enabled: false }, shipLogs: false, gke: false, environment: 'production' }],
    [
      'nothing set',
      {},
      { issues: { filter: { reasons: ['DockerStart', 'KubeletStart', 'NodeSysctlChange', 'ContainerdStart'] } } },
    ],
    ['SENTRY_ENVIRONMENT', { SENTRY_ENVIRONMENT: 'staging' }, { environment: 'staging' }],
    [
      'SENTRY_K8S_MONITOR_CRONJOBS',
      { SENTRY_K8S_MONITOR_CRONJOBS: 'yes' },
      { crons: { enabled: true, slugs: 'compatible' } },
    ],
    ['V32', { SENTRY_K8S_CUSTOM_DSNS: 'off' }, { customDsns: { enabled: false } }],
    ['V29 to V31', { SENTRY_K8S_CUSTOM_DSNS: 'TRUE' }, { customDsns: { enabled: true } }],
    ['GKE', { SENTRY_K8S_INTEGRATION_GKE_ENABLED: 'true' }, { gke: true }],
    ['V6', { SENTRY_K8S_FILTER_OUT_EVENT_REASONS: 'Foo, bar ,' }, { issues: { filter: { reasons: ['Foo', 'bar'] } } }],
    ['V7', { SENTRY_K8S_FILTER_OUT_EVENT_REASONS: ',' }, { issues: { filter: { reasons: [] } } }],
    ['V9', { SENTRY_K8S_FILTER_OUT_EVENT_SOURCES: 'Kubelet' }, { issues: { filter: { sources: ['Kubelet'] } } }],
    ['V43', { SENTRY_K8S_GLOBAL_TAG_Cluster: 'x=y', SENTRY_K8S_GLOBAL_TAG_empty: '" "' }, { tags: { Cluster: 'x=y' } }],
    ['two tags', { SENTRY_K8S_GLOBAL_TAG_a: '1', SENTRY_K8S_GLOBAL_TAG_b_C: ' 2 ' }, { tags: { a: '1', b_C: '2' } }],
  ])('%s: %o', (_what, env, ours) => {
    expect(parsed(ofVariables(env))).toMatchObject(ours);
  });

  it.each([
    ['trace', 'debug'],
    ['DEBUG', 'debug'],
    ['Warn', 'warn'],
    ['panic', 'error'],
    ['disabled', 'error'],
    ['loud', undefined],
  ])('the level %s of the log is %s', (old, ours) => {
    const draft = ofVariables({ SENTRY_K8S_LOG_LEVEL: old });
    expect(draft.get('bridge.config.log.level')).toBe(ours);
    expect(draft.refusals).toEqual([]);
  });

  it('V33 wrong ones are refused, and none is shown that may be secret', () => {
    const env = {
      SENTRY_DSN: `http://${KEY}/x`,
      SENTRY_K8S_CLUSTER_CONFIG_TYPE: 'outside',
    };
    const { refusals } = ofVariables(env);
    expect(refusals.map(({ source }) => source)).toEqual(Object.keys(env));
    expect(JSON.stringify(refusals)).not.toContain(KEY);
  });

  it('or is said, with the reason', () => {
    const env = {
      SENTRY_RELEASE: '1.0',
      SENTRY_TAGS_a: 'b',
      SENTRY_K8S_WATCH_HISTORICAL: '1',
      SENTRY_K8S_KUBECONFIG_PATH: '/k',
      SENTRY_K8S_CLUSTER_CONFIG_TYPE: ' Out-Cluster ',
      [`SENTRY_K8S_GLOBAL_TAG_${'k'.repeat(33)}`]: 'v',
      SENTRYGODEBUG: 'x',
    };
    const notes = printNotes(ofVariables(env));
    for (const name of Object.keys(env)) expect(notes).toContain(`  ${name}: `);
    expect(printNotes(ofVariables({ PATH: '/bin', KUBERNETES_SERVICE_HOST: 'h' }))).not.toMatch(/PATH|HOST/);
  });
});

describe('values of the old chart', () => {
  it('say the same as its variables', () => {
    const sentry = {
      dsn: DSN,
      environment: 'staging',
      logLevel: 'debug',
      watchNamespaces: 'default,production',
      monitorCronjobs: 1,
      customDsns: true,
      appendEnv: [
        { name: 'SENTRY_K8S_GLOBAL_TAG_team', value: 'a' },
        { name: 'SENTRY_K8S_INTEGRATION_GKE_ENABLED', value: 'true' },
        { name: 'SENTRY_K8S_FILTER_OUT_EVENT_REASONS', valueFrom: { configMapKeyRef: { name: 'c', key: 'k' } } },
        { name: 'OTHER', value: 'x' },
      ],
    };
    const draft = made({ sentry, podLabels: { a: 'b' }, priorityClassName: 'high' });
    expect(draft.refusals).toEqual([]);
    expect(parsed(draft)).toMatchObject({
      environment: 'staging',
      crons: { enabled: true },
      customDsns: { enabled: true },
      tags: { team: 'a' },
      gke: true,
    });
    expect(valuesOf(draft)).toMatchObject({
      scope: 'namespaces',
      namespaces: ['default', 'production'],
      bridge: {
        config: { log: { level: 'debug' }, firstSight: { lookback: '0s', running: 'suppress' } },
        podLabels: { a: 'b' },
        priorityClassName: 'high',
      },
    });
    const notes = printNotes(draft);
    expect(notes).toContain('SENTRY_K8S_FILTER_OUT_EVENT_REASONS: not taken over');
    expect(notes).toContain('sentry.appendEnv OTHER: ');
    expect(printValues(SENTRY_KUBERNETES, draft, 'old.yaml') + notes).not.toContain(KEY);
  });

  const chart = (old: object, place: OldPlace = {}) => {
    const draft = made(old, place);
    return {
      secret: [draft.get('sentry.default.existingSecret'), draft.get('sentry.default.key')],
      notes: printNotes(draft),
    };
  };

  it('have the DSN in a Secret: one of the user, which stays, or the one of the old release, which is copied', () => {
    const theirs = chart({ existingSecret: 's', sentry: { dsn: DSN } }, { namespace: 'old' });
    expect(theirs.secret).toEqual(['s', 'sentry.dsn']);
    expect(theirs.notes).toContain('existingSecret: that Secret is in namespace old');
    const own = chart({ sentry: { dsn: DSN } }, { namespace: 'old', fullname: 'agent' });
    expect(own.secret).toEqual(['sentry', 'dsn']);
    expect(own.notes).toContain(
      `--from-literal=dsn="$(kubectl -n old get secret agent -o go-template='{{index .data "sentry.dsn" | base64decode}}')"`,
    );
    expect(chart({ sentry: { dsn: '<change-me>' } }).notes).toContain('SENTRY_DSN: there is none');
  });

  it('are found in a chart that includes the old one', () => {
    expect(parsed(made({ 'sentry-kubernetes': { sentry: { environment: 'e' } }, other: 1 }))).toMatchObject({
      environment: 'e',
    });
  });

  it('without an equivalent are said, and nothing is said of what is as the old chart had it', () => {
    const old = { image: { tag: 'abc' }, rbac: { custom_rules: [{}] }, replicaCount: 2, unknown: 1 };
    const { notes } = chart(old);
    for (const source of ['image.tag', 'rbac.custom_rules', 'replicaCount', 'unknown'])
      expect(notes).toContain(`  ${source}: `);
    const standard = {
      sentry: { dsn: '<change-me>' },
      image: { repository: 'ghcr.io/getsentry/sentry-kubernetes', tag: 'latest', pullPolicy: 'Always' },
      resources: {},
      serviceAccount: { create: true, name: null },
      rbac: { create: true },
      podLabels: {},
    };
    expect(chart(standard).notes).toBe(chart({}).notes);
  });
});

it('a Deployment says where it has its DSN and other variables from', () => {
  const reference = (name: string, key: string) => ({ secretKeyRef: { name, key } });
  const env = [
    { name: 'SENTRY_DSN', valueFrom: reference('mine', 'url') },
    { name: 'SENTRY_ENVIRONMENT', valueFrom: { configMapKeyRef: { name: 'c', key: 'k' } } },
    { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
  ];
  const container = { name: 'x', image: 'ghcr.io/getsentry/sentry-kubernetes:1', env };
  expect(SENTRY_KUBERNETES.isIn(container)).toBe(true);
  const settings: Given[] = SENTRY_KUBERNETES.fromContainer!(container, 'agent');
  const draft = translate(SENTRY_KUBERNETES, settings, { fullname: 'agent' });
  expect(draft.get('sentry.default.existingSecret')).toBe('mine');
  expect(draft.get('sentry.default.key')).toBe('url');
  expect(printNotes(draft)).toContain('SENTRY_ENVIRONMENT: not taken over: its value is in another object');
  const own = translate(SENTRY_KUBERNETES, [{ source: 'SENTRY_DSN', value: reference('agent', 'sentry.dsn') }], {
    fullname: 'agent',
  });
  expect(own.get('sentry.default.existingSecret')).toBe('sentry');
});

it('docs/sentry.md says what becomes of every value and variable of the old agent, and of no other', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../docs/sentry.md'), 'utf8');
  const [, body = ''] = /<!-- old settings -->([^]*)<!-- \/old settings -->/.exec(text) ?? [];
  const rows = body.split('\n').filter((line) => line.startsWith('| `'));
  const named = rows.flatMap((row) => [...row.split('|')[1]!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!));
  const { rules, prefixed = {} } = SENTRY_KUBERNETES;
  const prefixes = Object.keys(prefixed).map((prefix) => `${prefix}NAME`);
  expect(named.toSorted()).toEqual([...Object.keys(rules), ...prefixes].toSorted());
});
