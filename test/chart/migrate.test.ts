import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { command } from '../replay/bench.ts';
import { startVendors, type Vendors } from '../vendors/start-vendors.ts';
import { fileOf, one, packageChart, render, type Tree } from './helm.ts';

const folder = mkdtempSync(join(tmpdir(), 'chart-migrate-'));
let chart: string;
let vendors: Vendors;
beforeAll(async () => {
  [chart, vendors] = await Promise.all([packageChart(), startVendors()]);
});
afterAll(async () => {
  await vendors?.close();
  rmSync(folder, { recursive: true });
});

const everything = (hostnameOverride: string): Tree => ({
  image: 'mine:1',
  credentials: { createSecret: { apiKey: 'an-api-key-0123456789' } },
  config: {
    default: 'exclude',
    defaultEnvironment: 'no',
    tags: 'a, b:c',
    shipLogs: false,
    podFilter: '^report-',
    logLevel: 'DEBUG',
    logFormat: 'json',
    hostnameOverride,
  },
  rbac: { clusterScope: 'namespace' },
  serviceAccount: { create: false, name: 'of-others' },
  podSecurityContext: { fsGroup: 2000 },
  securityContext: { runAsUser: 1000, privileged: true },
  resources: { requests: { cpu: 0.5 }, limits: { cpu: 2, memory: '1G' } },
  nodeSelector: { disk: 'ssd' },
  tolerations: [{ key: 'batch', operator: 'Exists' }],
  affinity: { nodeAffinity: {} },
});
const least = (hostnameOverride: string): Tree => ({
  credentials: { secretName: 'cronitor', secretKey: 'API' },
  config: { hostnameOverride },
});

it.each([
  ['whatever they set', everything],
  ['with nothing but a key', least],
])(
  'values made of those of cronitor-kubernetes render, and the bridge takes their configuration: %s',
  async (_, old) => {
    const names = ['old', 'ours', 'bridge.yaml', 'secret', 'api-key'];
    const [oldFile, ours, config, secret, apiKey] = names.map((name) => join(folder, name));
    writeFileSync(oldFile!, stringify(old(vendors.url), { schema: 'yaml-1.1' }));
    const printed = await command(['migrate-from', 'cronitor', oldFile!]);
    expect({ code: printed.code, error: /^error.*/m.exec(printed.stderr)?.[0] }).toEqual({ code: 0, error: undefined });
    writeFileSync(ours!, printed.stdout);
    const manifests = await render(chart, {}, { args: ['-f', ours!] });
    writeFileSync(config!, fileOf(manifests, 'lb-bridge', 'bridge.yaml'));
    writeFileSync(secret!, 'a-key-of-24-characters--');
    writeFileSync(apiKey!, vendors.key);
    const here = {
      CLUSTER__LIST: 'false',
      OTLP__PORT: '0',
      OTLP__TOKEN_FILE: secret!,
      WEB__PORT: '0',
      STORE__PATH: join(folder, 'bridge.db'),
      CRONITOR__DEFAULT__API_KEY_FILE: apiKey!,
    };
    const env = Object.fromEntries(Object.entries(here).map(([name, value]) => [`LIFECYCLE_BRIDGE__${name}`, value]));
    const checked = await command(['check', '--config', config!], env);
    expect(checked.stdout + checked.stderr).toContain('All checks passed.');

    const bridge = one(manifests, 'StatefulSet', 'lb-bridge') as Tree;
    const key = JSON.stringify(bridge).match(/\{"secret":\{"name":"cronitor","items":\[\{"key":"(.*?)"/)?.[1];
    expect(key).toBe(old === least ? 'API' : 'api-key');
    const firstSight = (parse(fileOf(manifests, 'lb-bridge', 'bridge.yaml')) as Tree)['firstSight'];
    expect(firstSight).toEqual({ lookback: '0s', running: 'suppress' });
  },
);
