import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { command } from '../replay/bench.ts';
import { SENTRY_KEY, startVendors, type Vendors } from '../vendors/start-vendors.ts';
import { fileOf, one, packageChart, render, type Tree } from './helm.ts';

const folder = mkdtempSync(join(tmpdir(), 'chart-migrate-sentry-'));
let chart: string;
let vendors: Vendors;
beforeAll(async () => {
  [chart, vendors] = await Promise.all([packageChart(), startVendors()]);
});
afterAll(async () => {
  await vendors?.close();
  rmSync(folder, { recursive: true });
});

const LEAST = { existingSecret: 'of-others', sentry: { dsn: 'https://abc@o1.ingest.sentry.io/2' } };
const EVERYTHING = {
  sentry: {
    dsn: 'https://abc@o1.ingest.sentry.io/2',
    environment: 'staging',
    release: '1.0',
    logLevel: 'trace',
    watchNamespaces: 'shop, billing',
    watchHistorical: '1',
    clusterConfigType: 'auto',
    monitorCronjobs: '1',
    customDsns: 'true',
    appendEnv: [
      { name: 'SENTRY_K8S_GLOBAL_TAG_team', value: 'a' },
      { name: 'SENTRY_K8S_FILTER_OUT_EVENT_REASONS', value: 'Foo' },
      { name: 'SENTRY_K8S_INTEGRATION_GKE_ENABLED', value: 'yes' },
    ],
  },
  image: { tag: '1' },
  resources: { limits: { cpu: '100m', memory: '128Mi' } },
  serviceAccount: { create: false, name: 'of-others' },
  rbac: { create: false },
  priorityClassName: 'high',
  podLabels: { a: 'b' },
  podAnnotations: { c: 'd' },
  nodeSelector: { disk: 'ssd' },
  tolerations: [{ key: 'batch', operator: 'Exists' }],
  replicaCount: 2,
};

it.each([
  ['whatever they set', EVERYTHING, ['billing', 'shop'], 'dsn'],
  ['with nothing but a DSN', LEAST, ['default'], 'sentry.dsn'],
])(
  'values made of those of sentry-kubernetes render, and the bridge takes their configuration: %s',
  async (_, old, namespaces, key) => {
    const names = ['old', 'ours', 'bridge.yaml', 'secret', 'dsn'];
    const [oldFile, ours, config, secret, dsn] = names.map((name) => join(folder, name));
    writeFileSync(oldFile!, stringify(old));
    const printed = await command(['migrate-from', 'sentry', oldFile!]);
    expect({ code: printed.code, error: /^error.*/m.exec(printed.stderr)?.[0] }).toEqual({ code: 0, error: undefined });
    writeFileSync(ours!, printed.stdout);
    const manifests = await render(chart, {}, { args: ['-f', ours!] });
    const text = fileOf(manifests, 'lb-bridge', 'bridge.yaml');
    writeFileSync(config!, text);
    writeFileSync(secret!, 'a-key-of-24-characters--');
    writeFileSync(dsn!, `${vendors.url.replace('://', `://${SENTRY_KEY}@`)}/1`);
    const here = {
      CLUSTER__LIST: 'false',
      OTLP__PORT: '0',
      OTLP__TOKEN_FILE: secret!,
      WEB__PORT: '0',
      STORE__PATH: join(folder, 'bridge.db'),
      SENTRY__DEFAULT__DSN_FILE: dsn!,
    };
    const env = Object.fromEntries(Object.entries(here).map(([name, value]) => [`LIFECYCLE_BRIDGE__${name}`, value]));
    const checked = await command(['check', '--config', config!], env);
    expect(checked.stdout + checked.stderr).toContain('All checks passed.');

    const taken = parse(text) as { cluster: Tree; sentry: { default: Tree }; firstSight: Tree };
    expect(taken).toMatchObject({
      cluster: { scope: namespaces },
      firstSight: { lookback: '0s', running: 'suppress' },
      sentry: { default: { crons: { slugs: 'compatible' }, issues: { fingerprints: 'compatible' } } },
    });
    const policy = JSON.stringify(one(manifests, 'NetworkPolicy', 'lb-bridge'));
    expect(policy.includes('"169.254.169.252/32"')).toBe(old === EVERYTHING);
    const bridge = JSON.stringify(one(manifests, 'StatefulSet', 'lb-bridge'));
    expect(bridge).toContain(`"items":[{"key":"${key}"`);
  },
);
