import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { type KubeApi, kubeApi } from '../../cluster/api.ts';
import { entry } from '../../config/tree.ts';
import { CRONITOR } from './cronitor-tool.ts';
import { printNotes, printValues, valuesOf } from './print.ts';
import { readRelease } from './release.ts';
import { translate } from './rules.ts';
import { SENTRY_KUBERNETES } from './sentry-kubernetes.ts';
import type { OldTool } from './tool.ts';

const SECRET = 'an-api-key-0123456789';

let server: Server | undefined;
afterEach(() => {
  server?.close();
  server = undefined;
});

interface Printed {
  readonly values: unknown;
  /** The YAML itself. */
  readonly text: string;
  readonly notes: string;
}

async function release(api: KubeApi, tool: OldTool = CRONITOR): Promise<Printed> {
  const { settings, place, origin } = await readRelease(tool, api, 'cron', 'monitoring');
  const draft = translate(tool, settings, place);
  const [text, notes] = [printValues(tool, draft, origin), printNotes(draft)];
  expect(text + notes).not.toContain(SECRET);
  expect(draft.refusals).toEqual([]);
  return { values: valuesOf(draft), text, notes };
}

const at = ({ values }: Printed, path: string): unknown => path.split('.').reduce(entry, values);

/** What the API answers, by the path without its query. */
async function serve(answers: Readonly<Record<string, object>>): Promise<KubeApi> {
  server = createServer((request, response) => {
    const body = answers[(request.url ?? '').split('?')[0] ?? ''];
    const forbidden = { kind: 'Status', message: 'secrets is forbidden' };
    response.writeHead(body === undefined ? 403 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body ?? forbidden));
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const access = { server: url, headers: {} };
  return kubeApi(access, () => Promise.resolve(access));
}

const SECRETS = '/api/v1/namespaces/monitoring/secrets';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/monitoring/deployments';
/** As Helm stores it: JSON, gzip, base64, and base64 again by Kubernetes. */
function helmSecret(version: number, status: string, config: object, chart = 'cronitor-kubernetes'): object {
  const defaults = { config: { default: 'include', tags: 'standard' }, rbac: { clusterScope: 'cluster' } };
  const record = {
    name: 'cron',
    version,
    chart: { metadata: { name: chart, version: '0.9.1' }, values: defaults },
    config,
  };
  const inner = gzipSync(JSON.stringify(record)).toString('base64');
  return {
    metadata: {
      name: `sh.helm.release.v1.cron.v${version}`,
      labels: { owner: 'helm', status, version: String(version) },
    },
    data: { release: Buffer.from(inner).toString('base64') },
  };
}

const deployment = (args: readonly string[], key: object): object => ({
  metadata: { name: 'cron-cronitor-kubernetes', labels: { 'app.kubernetes.io/instance': 'cron' } },
  spec: {
    template: {
      spec: {
        nodeSelector: { disk: 'ssd' },
        securityContext: { fsGroup: 7 },
        containers: [
          { name: 'proxy', args: ['serve'] },
          {
            name: 'cronitor-kubernetes',
            args: ['agent', ...args],
            resources: { limits: { memory: '1Gi' } },
            env: [
              { name: 'CRONITOR_API_KEY', valueFrom: { secretKeyRef: key } },
              { name: 'TAGS', value: 'pod' },
            ],
            envFrom: [{ configMapRef: { name: 'cron-environment' } }],
          },
        ],
      },
    },
  },
});
const CONFIG_MAP = {
  '/api/v1/namespaces/monitoring/configmaps/cron-environment': { data: { DEFAULT_ENV: 'live', TAGS: 'map' } },
};
async function live(args: readonly string[], key: object = { name: 'own', key: 'api' }): Promise<Printed> {
  return release(await serve({ [DEPLOYMENTS]: { items: [deployment(args, key)] }, ...CONFIG_MAP }));
}

describe('a release', () => {
  it("is read from Helm's Secret of its deployed version, over the values of its chart", async () => {
    const given = { credentials: { createSecret: { apiKey: SECRET } }, rbac: { clusterScope: 'namespace' } };
    const items = [
      helmSecret(9, 'superseded', { config: { tags: 'old' } }),
      helmSecret(10, 'deployed', { ...given, config: { default: 'exclude' } }),
      helmSecret(11, 'failed', { config: { tags: 'broken' } }),
    ];
    const printed = await release(await serve({ [SECRETS]: { items } }));
    expect(at(printed, 'cronitor.default')).toMatchObject({ defaultBehavior: 'exclude', tags: ['standard'] });
    expect(at(printed, 'namespaces')).toEqual(['monitoring']);
    expect(printed.text).toContain(
      '# Values of the chart lifecycle-bridge, made of release cron in monitoring (cronitor-kubernetes 0.9.1',
    );
    expect(printed.notes).toContain('kubectl -n monitoring get secret cron-cronitor-kubernetes-secret -o');
  });

  it('may be of a chart that has the old one as a part', async () => {
    const config = { 'cronitor-kubernetes': { config: { tags: 'part' }, fullnameOverride: 'agent' }, other: 1 };
    const printed = await release(
      await serve({ [SECRETS]: { items: [helmSecret(1, 'deployed', config, 'platform')] } }),
    );
    expect(at(printed, 'cronitor.default.tags')).toEqual(['part']);
    const wrong = await serve({ [SECRETS]: { items: [helmSecret(1, 'deployed', {}, 'nginx')] } });
    await expect(release(wrong)).rejects.toThrow('is of the chart nginx, not of cronitor-kubernetes');
  });

  it('whose Secret cannot be decoded is an error', async () => {
    const broken = { metadata: { name: 'sh.helm.release.v1.cron.v1' }, data: { release: 'AAAA' } };
    await expect(release(await serve({ [SECRETS]: { items: [broken] } }))).rejects.toThrow(
      'does not hold a release that can be read',
    );
  });

  it('without a Secret that may be read is what its Deployment says', async () => {
    const printed = await live(['--ship-logs=false']);
    expect(at(printed, 'cronitor.default')).toMatchObject({
      existingSecret: 'own',
      key: 'api',
      env: 'live',
      tags: ['pod'],
    });
    expect(at(printed, 'bridge')).toMatchObject({
      nodeSelector: { disk: 'ssd' },
      podSecurityContext: { fsGroup: 7 },
      resources: { limits: { memory: '1Gi' } },
    });
    expect(printed.text).toContain(
      "Deployment monitoring/cron-cronitor-kubernetes (Helm's Secret: the Kubernetes API answered 403",
    );
  });

  it.each<[string[], Record<string, unknown>]>([
    [['--ship-logs'], { 'cronitor.default.shipLogs': true }],
    [[], { 'cronitor.default.shipLogs': false }],
    [['--dryrun'], { 'cronitor.default.dryRun': true }],
    [['--dryrun=false'], { 'cronitor.default.dryRun': false }],
    [['--namespace', 'shop'], { scope: 'namespaces', namespaces: ['shop'] }],
    [['--pod-filter=a=b'], { 'cronitor.default.podFilter': 'a=b' }],
    [['--hostname-override=http://m'], { 'cronitor.default.pingUrl': 'http://m' }],
    [['--log-level=DEBUG'], { 'bridge.config.log.level': 'debug' }],
    [['--apikey', SECRET], { 'cronitor.default.existingSecret': 'cronitor' }],
    [['--dev', '--log-format=json', '--kubeconfig=/k'], { scope: 'cluster' }],
  ])('may have the flags %j', async (args, ours) => {
    const printed = await live(args);
    for (const [path, value] of Object.entries(ours)) expect({ [path]: at(printed, path) }).toEqual({ [path]: value });
    for (const flag of ['--dev', '--log-format', '--kubeconfig'])
      expect(printed.notes.includes(`  ${flag}: `)).toBe(args.some((arg) => arg.startsWith(flag)));
  });

  it('whose key is in a Secret of its own needs a new one: that goes away with it', async () => {
    const printed = await live([], { name: 'cron-cronitor-kubernetes-secret', key: 'CRONITOR_API_KEY' });
    expect(printed.notes).toContain('get secret cron-cronitor-kubernetes-secret -o go-template');
  });

  it('that is nowhere is an error with what to do', async () => {
    const nothing = await serve({ [SECRETS]: { items: [] }, [DEPLOYMENTS]: { items: [] } });
    const error = await release(nothing).catch((failed: unknown) => failed);
    expect(error).toMatchObject({
      message:
        'the release cron in monitoring cannot be read: there is no such release; no Deployment there is of it either',
      next: expect.stringContaining('helm list -A'),
    });
  });
});

describe('a release of sentry-kubernetes', () => {
  const agent = (container: object): object => ({
    metadata: { name: 'cron-sentry-kubernetes', labels: { app: 'sentry-kubernetes', release: 'cron' } },
    spec: { template: { spec: { containers: [{ name: 'sentry-kubernetes', ...container }] } } },
  });
  const variables = [
    { name: 'SENTRY_K8S_WATCH_NAMESPACES', value: 'a,b' },
    { name: 'SENTRY_K8S_GLOBAL_TAG_team', value: 'x' },
  ];
  const found = async (container: object) =>
    release(await serve({ [DEPLOYMENTS]: { items: [agent(container)] } }), SENTRY_KUBERNETES);

  it("is read from Helm's Secret", async () => {
    const secret = helmSecret(
      1,
      'deployed',
      { sentry: { dsn: `https://a:${SECRET.replaceAll('-', '')}@h/1` } },
      'sentry-kubernetes',
    );
    const printed = await release(await serve({ [SECRETS]: { items: [secret] } }), SENTRY_KUBERNETES);
    expect(at(printed, 'sentry.default')).toMatchObject({ existingSecret: 'sentry', key: 'dsn' });
    expect(printed.notes).toContain('kubectl -n monitoring get secret cron-sentry-kubernetes -o');
    expect(printed.text + printed.notes).not.toContain(SECRET.replaceAll('-', ''));
  });

  it.each<[string, object, [string, string]]>([
    [
      'in a key of a Secret',
      { env: [...variables, { name: 'SENTRY_DSN', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] },
      ['s', 'k'],
    ],
    ['in a Secret as a whole', { env: variables, envFrom: [{ secretRef: { name: 's' } }] }, ['s', 'SENTRY_DSN']],
    [
      'that goes away with it',
      {
        env: [
          ...variables,
          { name: 'SENTRY_DSN', valueFrom: { secretKeyRef: { name: 'cron-sentry-kubernetes', key: 'sentry.dsn' } } },
        ],
      },
      ['sentry', 'dsn'],
    ],
    [
      'as it is',
      { env: [...variables, { name: 'SENTRY_DSN', value: 'https://abc@o1.ingest.sentry.io/2' }] },
      ['sentry', 'dsn'],
    ],
  ])('without a Secret of Helm is what its Deployment says, with the DSN %s', async (_what, container, [name, key]) => {
    const printed = await found(container);
    expect(printed.values).toMatchObject({
      scope: 'namespaces',
      namespaces: ['a', 'b'],
      sentry: { default: { tags: { team: 'x' }, existingSecret: name, key } },
    });
    expect(printed.text + printed.notes).not.toContain('abc@');
  });
});
