import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { migrateFromCommand } from '../migrate-from.ts';

const DSN = 'https://a0123456789@o1.ingest.sentry.io/1';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'inputs-'))));
afterEach(() => rmSync(folder, { recursive: true }));

/** What is printed for a file with this content; the DSN never is. */
async function migrate(
  content: string,
  tool = 'sentry',
  ...flags: string[]
): Promise<{ values: unknown; notes: string }> {
  const file = join(folder, 'old');
  writeFileSync(file, content);
  const [texts, notes]: [string[], string[]] = [[], []];
  const terminal = { env: {}, print: (line: string) => texts.push(line), warn: (line: string) => notes.push(line) };
  await migrateFromCommand([tool, ...flags, file], terminal);
  expect(texts.join('\n') + notes.join('\n')).not.toContain('a0123456789');
  return { values: parse(texts.join('\n')), notes: notes.join('\n') };
}

const documents = (...all: object[]): string => all.map((one) => `---\n${stringify(one)}`).join('');
const env = [
  { name: 'SENTRY_DSN', valueFrom: { secretKeyRef: { name: 'own', key: 'k' } } },
  { name: 'SENTRY_K8S_WATCH_NAMESPACES', value: '__all__' },
  { name: 'SENTRY_ENVIRONMENT', value: 'staging' },
];
const deployment = (name: string, container: object = { env }): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'monitoring' },
  spec: {
    template: { spec: { nodeSelector: { disk: 'ssd' }, containers: [{ name: 'sentry-kubernetes', ...container }] } },
  },
});
const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'agent' } };
const map = (data: object): object => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'vars' }, data });
const fromMap = { envFrom: [{ configMapRef: { name: 'vars' } }], env: env.slice(0, 1) };
const ours = { scope: 'cluster', sentry: { default: { environment: 'staging', existingSecret: 'own', key: 'k' } } };

describe('objects of Kubernetes', () => {
  it.each([
    ['as helm get manifest prints them', documents(account, deployment('agent'))],
    ['as a List of kubectl', documents({ apiVersion: 'v1', kind: 'List', items: [account, deployment('agent')] })],
    [
      'as the pod alone',
      documents({
        ...deployment('agent-x'),
        apiVersion: 'v1',
        kind: 'Pod',
        spec: { containers: [{ name: 'sentry-kubernetes', env }] },
      }),
    ],
    ['with their ReplicaSet', documents({ ...deployment('agent-0'), kind: 'ReplicaSet' }, deployment('agent'))],
    [
      'with variables of a ConfigMap',
      documents(
        map({ SENTRY_K8S_WATCH_NAMESPACES: '__all__', SENTRY_ENVIRONMENT: 'staging' }),
        deployment('agent', fromMap),
      ),
    ],
  ])('%s are read as what the agent runs with', async (_, content) => {
    const { values, notes } = await migrate(content);
    expect(values).toMatchObject(ours);
    expect(notes).toContain('that Secret is in namespace monitoring');
    expect(notes).not.toContain('no value of the old chart');
  });

  it('say where the pods run, too', async () => {
    expect((await migrate(documents(deployment('agent')))).values).toMatchObject({
      bridge: { nodeSelector: { disk: 'ssd' } },
    });
  });

  it.each([
    [
      'without the agent',
      documents(account, deployment('shop', { name: 'web' })),
      '2 objects of Kubernetes, and none has a container of sentry-kubernetes',
    ],
    ['with two agents', documents(deployment('one'), deployment('two')), 'has several: Deployment one, Deployment two'],
    [
      'without the ConfigMap that sets them',
      documents(deployment('agent', fromMap)),
      'the ConfigMap vars has variables of sentry-kubernetes and is not in',
    ],
  ])('%s are refused', async (_, content, words) => {
    await expect(migrate(content)).rejects.toThrow(words);
  });
});

describe('objects of GitOps', () => {
  const old = { sentry: { dsn: DSN, environment: 'staging' } };
  const application = (name: string, ...sources: object[]): object => ({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name },
    spec: { sources },
  });
  const chart = (name: string, helm: object): object => ({ chart: name, helm });

  it.each<[string, object, string?]>([
    ['a HelmRelease of Flux', { kind: 'HelmRelease', spec: { values: old, targetNamespace: 'm' } }],
    [
      'one with values from elsewhere',
      { kind: 'HelmRelease', spec: { values: old, valuesFrom: [{ kind: 'ConfigMap', name: 'x' }] } },
      'valuesFrom',
    ],
    [
      'one with values in its chart',
      { kind: 'HelmRelease', spec: { values: old, chart: { spec: { chart: 'c', valuesFiles: ['a'] } } } },
      'valuesFiles',
    ],
    ['an Application of Argo CD', { kind: 'Application', spec: { source: { helm: { values: stringify(old) } } } }],
    [
      'one with an object',
      { kind: 'Application', spec: { source: { helm: { valuesObject: old, parameters: [] } } } },
      'parameters',
    ],
    [
      'one with files in git',
      { kind: 'Application', spec: { source: { helm: { valuesObject: old, valueFiles: ['a.yaml'] } } } },
      'valueFiles',
    ],
    [
      'one of several sources',
      application('agent', { ref: 'values' }, chart('sentry-kubernetes', { valuesObject: old })),
    ],
  ])('%s is read as the values in it', async (_, object, elsewhere) => {
    const { values, notes } = await migrate(documents({ apiVersion: 'x/v1', metadata: { name: 'agent' }, ...object }));
    expect(values).toMatchObject({ sentry: { default: { environment: 'staging', existingSecret: 'sentry' } } });
    expect(/(\w+): what they set is not here/.exec(notes)?.[1]).toBe(elsewhere);
  });

  it('of which one names the chart are read as that', async () => {
    const others = [application('web', chart('podinfo', { valuesObject: { replicaCount: 2 } })), account];
    const agent = application('agent', chart('redis', {}), chart('sentry-kubernetes', { valuesObject: old }));
    const { values } = await migrate(documents(...others, agent));
    expect(values).toMatchObject({ sentry: { default: { environment: 'staging' } } });
  });

  it.each([
    [
      'with several charts, of which none is named as the old one',
      documents(application('web', chart('podinfo', {})), application('agent', { helm: { valuesObject: old } })),
      'has values of several charts: Application web (podinfo), Application agent',
    ],
    [
      'with values of another chart',
      documents(application('web', chart('podinfo', { valuesObject: { redis: {} } }))),
      'has no value of the chart sentry-kubernetes: redis',
    ],
    ['without a chart', documents(application('web', { path: 'manifests' })), 'none has a container of'],
  ])('%s are refused', async (_, content, words) => {
    await expect(migrate(content)).rejects.toThrow(words);
  });
});

describe('variables', () => {
  const listed =
    '# deployments/agent, container agent\n# SENTRY_DSN from secret own, key k\nSENTRY_K8S_WATCH_NAMESPACES=__all__\nSENTRY_ENVIRONMENT=staging\n';
  it.each([
    ['as kubectl set env --list prints them', listed, ['--env']],
    ['as a list in YAML', stringify(env), ['--env']],
    ['as a list in YAML without --env', stringify(env), []],
    ['as a list with its name', stringify({ env }), []],
  ])('%s are read with the Secret that they name', async (_, content, flags) => {
    expect((await migrate(content, 'sentry', ...flags)).values).toMatchObject(ours);
  });

  it.each([
    ['an empty file', ''],
    ['a Deployment', documents(deployment('agent'))],
    ['variables of something else', 'PATH=/bin\n'],
  ])('of which %s has none are refused', async (_, content) => {
    await expect(migrate(content, 'sentry', '--env')).rejects.toThrow('has no variable that sentry-kubernetes reads');
  });
});

describe('values', () => {
  it.each([
    ['an empty file', '', 'is empty'],
    ['comments alone', '# nothing\n', 'is empty'],
    ['two documents', 'sentry: {}\n---\nsentry: {}\n', 'has 2 documents, and values are one'],
    ['a list', '- a\n- b\n', 'does not hold a mapping of values'],
    ['an alias of nothing', 'sentry: *none\n', 'is not valid YAML (an alias cannot be resolved)'],
    ['an alias in its own anchor', 'sentry: &a {dsn: *a}\n', 'is not valid YAML (an alias cannot be resolved)'],
    ['wrong YAML in the second document', 'sentry: {}\n---\na: [\n', 'is not valid YAML'],
    [
      'values of another chart',
      'replicas: 2\nredis: {}\n',
      'has no value of the chart sentry-kubernetes: replicas, redis',
    ],
  ])('that are %s are refused', async (_, content, words) => {
    await expect(migrate(content)).rejects.toThrow(words);
  });

  it.each(['USER-SUPPLIED VALUES:\nnull\n', 'null\n', '{}\n', 'COMPUTED VALUES:\n{}\n', 'global: {a: 1}\n'])(
    'that are %j are the chart as it comes',
    async (content) => expect((await migrate(content)).values).toMatchObject({ namespaces: ['default'] }),
  );
});
