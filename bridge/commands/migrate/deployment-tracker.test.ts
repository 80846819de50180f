import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { githubSchema } from '../../sinks/github/config.ts';
import { DEPLOYMENT_TRACKER } from './deployment-tracker.ts';
import type { Draft } from './draft.ts';
import { printNotes, printValues, valuesOf } from './print.ts';
import { translate } from './rules.ts';
import { fromArguments, fromEnvironment, fromValuesText } from './sources.ts';

const CONFIG = { org: 'acme', logicalEnvironment: 'production', cluster: 'prod-1' };
const ENV = { GITHUB_ORG: 'acme', LOGICAL_ENVIRONMENT: 'production', CLUSTER: 'prod-1' };
const made = (old: object) =>
  translate(DEPLOYMENT_TRACKER, fromValuesText(DEPLOYMENT_TRACKER, stringify(old), 'old.yaml'), {});
const ofVariables = (env: object, args: readonly string[] = []) =>
  translate(
    DEPLOYMENT_TRACKER,
    [...fromEnvironment(DEPLOYMENT_TRACKER, { ...ENV, ...env }), ...fromArguments(DEPLOYMENT_TRACKER, args)],
    {},
  );
const destination = (draft: Draft) => (valuesOf(draft)['github'] as { default: Record<string, unknown> }).default;

describe('values of the old chart', () => {
  it('become a destination with the same organisation, environments, cluster and Secret', () => {
    const draft = made({ config: CONFIG, auth: { apiTokenSecret: 'tracker' } });
    expect(valuesOf(draft)).toEqual({
      scope: 'cluster',
      github: { default: { ...CONFIG, existingSecret: 'tracker', key: 'token' } },
    });
    expect(draft.refusals).toEqual([]);
    const { existingSecret: _, key: _1, ...settings } = destination(draft);
    expect(githubSchema.parse({ ...settings, credentialFile: '/t' })).toMatchObject({
      bulkSync: true,
      apiUrl: 'https://api.github.com',
    });
    expect(printValues(DEPLOYMENT_TRACKER, draft, 'old.yaml')).toContain('migrate-from deployment-tracker');
  });

  it('with a whole App take its Secret, which holds the key in base64', () => {
    const githubApp = { appId: '12', installId: 34, privateKeySecret: 'key' };
    expect(destination(made({ config: CONFIG, auth: { githubApp, apiTokenSecret: 'tracker' } }))).toEqual({
      ...CONFIG,
      existingSecret: 'key',
      key: 'private-key',
      app: { id: 12, installationId: 34 },
    });
    const half = made({ config: CONFIG, auth: { githubApp: { appId: 12 }, apiTokenSecret: 'tracker' } });
    expect(destination(half)).toEqual({ ...CONFIG, existingSecret: 'tracker', key: 'token' });
    expect(printNotes(half)).toContain('auth.githubApp: not taken over');
  });

  it.each<[object, object]>([
    [{ physicalEnvironment: 'eu' }, { physicalEnvironment: 'eu' }],
    [{ baseUrl: 'api.acme.ghe.com/' }, { apiUrl: 'https://api.acme.ghe.com' }],
    [{ dnTemplate: '{{namespace}}-{{deploymentName}}' }, { template: '{{namespace}}-{{deploymentName}}' }],
    [{ bulkClusterSync: false }, { bulkSync: false }],
    [{ excludeNamespaces: ' a, b,,a' }, { excludeNamespaces: ['a', 'b'] }],
    [{ excludeNamespaces: 'a,Foo_Bar' }, { excludeNamespaces: ['a'] }],
  ])('%o are taken over', (config, ours) => {
    expect(destination(made({ config: { ...CONFIG, ...config } }))).toMatchObject(ours);
  });

  it('that the old tracker did not take are refused', () => {
    const refused = (config: object) => made({ config }).refusals.map(({ source }) => source);
    expect(refused({})).toEqual(['config.org', 'config.logicalEnvironment', 'config.cluster']);
    expect(refused({ ...CONFIG, cluster: 'a/b', baseUrl: 'http://localhost.evil.example', dnTemplate: 'x' })).toEqual([
      'config.cluster',
      'config.baseUrl',
      'config.dnTemplate',
      'config.cluster',
    ]);
    expect(refused({ ...CONFIG, namespace: 'a', excludeNamespaces: 'b' })).toEqual(['config.namespace']);
    expect(refused({ ...CONFIG, namespace: 'Foo_Bar' })).toEqual(['config.namespace']);
  });

  it('without an equivalent are said, and no secret is printed', () => {
    const draft = made({
      config: { ...CONFIG, workers: 4, metricsPort: 1 },
      auth: { apiToken: 'ghp_SECRET' },
      replicaCount: 2,
    });
    const text = printValues(DEPLOYMENT_TRACKER, draft, 'old.yaml') + printNotes(draft);
    for (const source of ['config.workers', 'config.metricsPort', 'replicaCount', 'auth.apiToken'])
      expect(text).toContain(`${source}: `);
    expect(text).not.toContain('ghp_SECRET');
  });
});

describe('variables and flags', () => {
  it('are taken in both spellings where README and code of the old tracker differ', () => {
    const env = { GITHUB_ORG: undefined, ORG: 'old', GH_APP_ID: '1', GH_INSTALL_ID: '2', GH_APP_PRIV_KEY: '/key' };
    expect(destination(ofVariables(env))).toMatchObject({
      org: 'old',
      app: { id: 1, installationId: 2 },
      existingSecret: 'github',
    });
    expect(destination(ofVariables({ ORG: 'old' }))).toMatchObject({ org: 'acme' });
  });

  it.each<[object, readonly string[], object]>([
    [{ BULK_CLUSTER_SYNC: 'yes' }, [], { github: { default: { bulkSync: false } } }],
    [{ BULK_CLUSTER_SYNC: 'TRUE' }, [], { github: { default: { bulkSync: true } } }],
    [{ LOG_LEVEL: 'Debug' }, [], { bridge: { config: { log: { level: 'debug' } } } }],
    [{}, ['-namespace', 'shop'], { scope: 'namespaces', namespaces: ['shop'] }],
    [{}, ['--exclude-namespaces=a,b'], { github: { default: { excludeNamespaces: ['a', 'b'] } } }],
  ])('%o %o are %o', (env, args, ours) => {
    expect(valuesOf(ofVariables(env, args))).toMatchObject(ours);
  });
});

it('docs/github.md says what becomes of every value, variable and flag of the old tracker, and of no other', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../docs/github.md'), 'utf8');
  const [, body = ''] = /<!-- old settings -->([^]*)<!-- \/old settings -->/.exec(text) ?? [];
  const rows = body.split('\n').filter((line) => line.startsWith('| `'));
  const named = rows.flatMap((row) => [...row.split('|')[1]!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!));
  expect(named.toSorted()).toEqual(Object.keys(DEPLOYMENT_TRACKER.rules).toSorted());
});
