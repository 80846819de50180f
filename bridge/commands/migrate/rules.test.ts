import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { entry } from '../../config/tree.ts';
import { CRONITOR } from './cronitor-tool.ts';
import type { Draft } from './draft.ts';
import { printNotes, valuesOf } from './print.ts';
import { translate } from './rules.ts';
import { fromValuesText } from './sources.ts';

const SECRET = 'an-api-key-0123456789';

/** What is made of old values, which have the key that the chart makes people give. */
function made(old: object): Draft {
  const text = stringify({ credentials: { secretName: 's', secretKey: 'k' }, ...old }, { schema: 'yaml-1.1' });
  return translate(CRONITOR, fromValuesText(CRONITOR, text, 'old.yaml'), {});
}

const config = (name: string, value: unknown): object => ({ config: { [name]: value } });

describe('a value of the old chart becomes ours', () => {
  it.each<[string, object, Record<string, unknown>]>([
    [
      'nothing: all namespaces and what the old agent did',
      {},
      { scope: 'cluster', namespaces: undefined, 'cronitor.default.inferredKeys': 'shared' },
    ],
    [
      'nothing: what happened before is not reported',
      {},
      { 'bridge.config.firstSight': { lookback: '0s', running: 'suppress' } },
    ],
    [
      'a Secret with the key',
      { credentials: { secretName: 'c', secretKey: 'API' } },
      { 'cronitor.default.existingSecret': 'c', 'cronitor.default.key': 'API' },
    ],
    ['config.default', config('default', 'exclude'), { 'cronitor.default.defaultBehavior': 'exclude' }],
    ['its default', config('default', 'include'), { 'cronitor.default.defaultBehavior': undefined }],
    ['config.defaultEnvironment', config('defaultEnvironment', 'no'), { 'cronitor.default.env': 'no' }],
    ['config.tags', config('tags', 'a, b:c,,'), { 'cronitor.default.tags': ['a', 'b:c'] }],
    ['config.shipLogs', config('shipLogs', false), { 'cronitor.default.shipLogs': false }],
    ['its default, which sends them', {}, { 'cronitor.default.shipLogs': true }],
    ['config.podFilter', config('podFilter', '^report-'), { 'cronitor.default.podFilter': '^report-' }],
    ['a podFilter that YAML takes for a number', config('podFilter', 42), { 'cronitor.default.podFilter': '42' }],
    [
      'config.hostnameOverride',
      config('hostnameOverride', 'http://mock'),
      { 'cronitor.default.apiUrl': 'http://mock', 'cronitor.default.pingUrl': 'http://mock' },
    ],
    ['config.logLevel', config('logLevel', 'WARN'), { 'bridge.config.log.level': 'warn' }],
    ['rbac.clusterScope', { rbac: { clusterScope: 'namespace' } }, { scope: 'namespace' }],
    [
      'a service account of others',
      { serviceAccount: { name: 'sa', create: false } },
      { 'bridge.serviceAccount': { create: false, name: 'sa' } },
    ],
    [
      'podSecurityContext',
      { podSecurityContext: { fsGroup: 7, runAsUser: 7 } },
      { 'bridge.podSecurityContext': { fsGroup: 7, runAsUser: 7 } },
    ],
    [
      'securityContext',
      { securityContext: { runAsUser: 0, runAsGroup: 7 } },
      { 'bridge.securityContext': { runAsGroup: 7 } },
    ],
    ['nodeSelector', { nodeSelector: { disk: 'ssd' } }, { 'bridge.nodeSelector': { disk: 'ssd' } }],
    ['tolerations', { tolerations: [{ key: 'a' }] }, { 'bridge.tolerations': [{ key: 'a' }] }],
    ['affinity', { affinity: { nodeAffinity: {} } }, { 'bridge.affinity': { nodeAffinity: {} } }],
    [
      'resources that are enough',
      { resources: { requests: { cpu: 0.5, memory: '1G' }, limits: { 'ephemeral-storage': '1Gi' } } },
      {
        'bridge.resources': {
          requests: { cpu: '0.5', memory: '1G' },
          limits: { cpu: '1', memory: '954Mi', 'ephemeral-storage': '1Gi' },
        },
      },
    ],
    [
      'resources that are not',
      { resources: { limits: { cpu: '100m', memory: '128Mi' } } },
      { 'bridge.resources': { requests: { cpu: '50m', memory: '256Mi' }, limits: { cpu: '1', memory: '512Mi' } } },
    ],
  ])('%s', (_, old, ours) => {
    const values = valuesOf(made(old));
    for (const [path, value] of Object.entries(ours))
      expect({ [path]: path.split('.').reduce(entry, values) }).toEqual({ [path]: value });
  });
});

describe('a value of the old chart that has no equivalent is said with what to do', () => {
  const notRestricted = 'not taken over: the bridge runs without that';
  it.each<[string, object, string]>([
    ['image', { image: 'mine:1' }, 'not taken over: the bridge has an image of its own'],
    ['repository', { repository: 'mine' }, 'not taken over: the bridge has an image of its own'],
    ['imageTag', { imageTag: '1' }, 'not taken over: the bridge has an image of its own'],
    ['imagePullPolicy', { imagePullPolicy: 'Never' }, 'not taken over: the bridge has an image of its own'],
    [
      'imagePullSecrets',
      { imagePullSecrets: [{ name: 'r' }] },
      'name those that the registry of our image wants in global',
    ],
    ['nameOverride', { nameOverride: 'x' }, 'names follow from the name of the release'],
    ['fullnameOverride', { fullnameOverride: 'x' }, 'names follow from the name of the release'],
    ['credentials.secretName', {}, 'install there, or copy it'],
    ['config.defaultEnv', config('defaultEnv', 'old'), 'set cronitor.default.env: "old"'],
    ['config.sentryEnabled', config('sentryEnabled', false), 'sends nothing about itself'],
    ['config.yourEmail', config('yourEmail', 'a@b.c'), 'sends nothing about itself'],
    ['config.logFormat', config('logFormat', 'json'), 'without effect: the log always is JSON'],
    ['config.logFormat', config('logFormat', 'text'), 'no equivalent: the log is JSON'],
    ['config.hostnameOverride', config('hostnameOverride', 'https://c.example'), 'bridge.networkPolicy.egress'],
    ['rbac.create', { rbac: { create: false } }, 'no equivalent: the chart always makes its Roles'],
    ['rbac.clusterScope', { rbac: { clusterScope: 'namespace' } }, 'install into the namespace of the old release'],
    [
      'serviceAccount.name',
      { serviceAccount: { name: 'x', create: true } },
      'not taken over: the account belongs to the old',
    ],
    ['securityContext.privileged', { securityContext: { privileged: true } }, notRestricted],
    ['securityContext.capabilities', { securityContext: { capabilities: { add: ['X'] } } }, notRestricted],
    ['podSecurityContext.runAsUser', { podSecurityContext: { runAsUser: 0 } }, notRestricted],
    ['resources', { resources: { requests: { memory: '64Mi' } } }, 'requests.memory: the bridge needs more'],
    ['extra', { extra: 1 }, 'no value of the old chart'],
    ['config.extra', config('extra', 1), 'no value of the old chart'],
  ])('%s', (source, old, words) => {
    const notes = printNotes(made(old));
    expect(notes.split('\n').filter((line) => line.startsWith(`  ${source}: `) && line.includes(words))).toHaveLength(
      1,
    );
  });

  it('says nothing of what is as the old chart had it', () => {
    const old = {
      repository: 'ghcr.io/cronitorio/cronitor-kubernetes',
      imageTag: '',
      imagePullPolicy: 'Always',
      imagePullSecrets: [],
      credentials: { createSecret: { apiKey: SECRET }, secretName: null, secretKey: null },
      config: { default: 'include', tags: '', sentryEnabled: true, yourEmail: '' },
      rbac: { create: true, clusterScope: 'cluster' },
      serviceAccount: { create: true, name: '' },
      resources: {},
      affinity: {},
    };
    expect(printNotes(made(old))).toMatch(/^To do:\n {2}credentials\.createSecret\.apiKey: .*\n$/);
  });
});

describe('what the old agent did not understand either is an error with value and what is allowed', () => {
  it.each<[string, object, string]>([
    ['config.default', config('default', 'all'), '"all"; allowed: include, exclude'],
    ['config.shipLogs', config('shipLogs', 'sometimes'), '"sometimes"; allowed: true, false'],
    ['config.logLevel', config('logLevel', 'debug'), '"debug"; allowed: DEBUG, INFO, WARN, ERROR'],
    ['config.logFormat', config('logFormat', 'JSON'), '"JSON"; allowed: text, json'],
    ['config.tags', config('tags', ['a']), '["a"]; allowed: text'],
    ['config.podFilter', config('podFilter', '(?=x)'), '"(?=x)"; allowed: a regular expression'],
    ['config.hostnameOverride', config('hostnameOverride', 'mock'), '"mock"; allowed: an http or https URL'],
    ['config.hostnameOverride', config('hostnameOverride', `http://u:${SECRET}@h`), 'without user and password'],
    ['rbac.clusterScope', { rbac: { clusterScope: 'all' } }, '"all"; allowed: cluster, namespace'],
    ['rbac.create', { rbac: { create: 'no' } }, '"no"; allowed: true, false'],
    ['serviceAccount.create', { serviceAccount: { create: 'no' } }, '"no"; allowed: true, false'],
    ['resources', { resources: 'some' }, '"some"; allowed: a mapping'],
    ['resources.limits.cpu', { resources: { limits: { cpu: 'much' } } }, '"much"; allowed: a quantity'],
    ['securityContext', { securityContext: 1 }, '1; allowed: a mapping'],
    ['credentials.secretKey', { credentials: { secretName: 's' } }, 'missing; allowed: the key in that Secret'],
    ['credentials.secretName', { credentials: { secretKey: 's' } }, 'missing; allowed: the name of the Secret'],
  ])('%s', (source, old, words) => {
    const found = made(old).refusals.filter((refusal) => refusal.source === source);
    expect(found.map(({ given, allowed }) => `${given}; allowed: ${allowed}`)).toEqual([
      expect.stringContaining(words),
    ]);
    expect(JSON.stringify(found)).not.toContain(SECRET);
  });
});
