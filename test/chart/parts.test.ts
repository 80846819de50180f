import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../harness/cluster.ts';
import { createNamespace, type Kube, until } from '../harness/kube.ts';
import { startVendors } from '../vendors/start-vendors.ts';
import { accountKubeconfig } from './account.ts';
import { packageChart, OLD_COLLECTOR, render, type Tree } from './helm.ts';
import { type Program, startBridge, startCollector } from './programs.ts';

const TLS = join(import.meta.dirname, '../fixtures/tls');
const TOKEN = 'the-token-of-the-collector';
let cluster: Cluster;
let chart: string;
let ops: Kube;
const work = mkdtempSync(join(tmpdir(), 'chart-parts-'));
const running: Program[] = [];

beforeAll(async () => {
  [cluster, chart] = await Promise.all([startCluster('chart-parts'), packageChart()]);
  ops = await createNamespace(cluster.kubeconfig, 'ops');
});
afterEach(() => Promise.all(running.splice(0).map((program) => program.stop())));
afterAll(async () => {
  await ops?.removeNamespace();
  await cluster?.stop();
  rmSync(work, { recursive: true, force: true });
});

const cronJob = (name: string) => ({
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: { name, annotations: { 'k8s.cronitor.io/exclude': 'yes' } },
  spec: {
    schedule: '0 0 1 1 *',
    jobTemplate: {
      spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'c:1' }] } } },
    },
  },
});

it.each([
  ['in plain text', {}],
  ['over TLS', { otlp: { tls: { existingSecret: 'bridge-tls' } } }],
])(
  'Collector and bridge, as rendered and with their own permissions, report a run to a vendor: %s',
  async (name, values: Tree) => {
    const vendors = await startVendors({ key: TOKEN });
    const folder = join(work, name.replaceAll(' ', '-'));
    const manifests = await render(
      chart,
      { cronitor: { default: { existingSecret: 'cronitor', apiUrl: vendors.url, pingUrl: vendors.url } }, ...values },
      { namespace: ops.namespace, args: OLD_COLLECTOR },
    );
    const token = tokenIn(folder);
    await ops.apply(
      ...manifests.filter(({ kind }) => kind.includes('Role') || kind === 'ServiceAccount'),
      cronJob('report'),
    );
    const account = (part: string) => accountKubeconfig(ops, cluster.kubeconfig, `lb-${part}`, work);
    const bridge = await startBridge({
      manifests,
      kubeconfig: await account('bridge'),
      folder: join(folder, 'bridge'),
      env: {
        OTLP__TOKEN_FILE: token,
        CRONITOR__DEFAULT__API_KEY_FILE: token,
        ...('otlp' in values && {
          OTLP__TLS__CERT_FILE: join(TLS, 'server-1.pem'),
          OTLP__TLS__KEY_FILE: join(TLS, 'server-1.key'),
        }),
      },
    });
    running.push(bridge);
    const collector = await startCollector({
      manifests,
      kubeconfig: await account('collector'),
      folder: join(folder, 'collector'),
      env: { BRIDGE_ENDPOINT: `127.0.0.1:${bridge.otlp}`, BRIDGE_TOKEN_FILE: token },
    });
    running.push(collector);

    await ops.runCronJob('report', `run-${running.length}-${name.length}`);
    const metric = async (pattern: RegExp): Promise<boolean> =>
      pattern.test(await (await fetch(`http://127.0.0.1:${bridge.port}/metrics`)).text());
    await until(
      'an export is committed',
      () => metric(/lifecycle_bridge_requests_total\{outcome="committed"\} [1-9]/),
      60_000,
    );
    await until(
      'the vendor hears of the run',
      () => metric(/lifecycle_bridge_deliveries_total\{[^}]*outcome="delivered"[^}]*\} [1-9]/),
      60_000,
    );
    expect(await metric(/lifecycle_bridge_cronjobs 1/)).toBe(true);
    expect(await metric(/outcome="unauthorized"|lifecycle_bridge_audit_unaudited\{[^}]*\} 1/)).toBe(false);
    const reason = '--field-selector=reason=InvalidAnnotation';
    const events = async (): Promise<string[]> =>
      (await ops.kubectl(['get', 'events', reason, '-o', 'name'])).split('\n').filter((line) => line !== '');
    // The next bridge, with a store of its own, finds that it is written.
    await until('an Event says that an annotation cannot be read', async () => (await events()).length === 1);
    expect(collector.log()).not.toMatch(/forbidden|"level":"error"/);
    expect(bridge.log()).not.toMatch(/forbidden/);
    await vendors.close();
  },
);

/** A mounted Secret. */
function tokenIn(folder: string): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'token');
  writeFileSync(file, TOKEN); // no end of line: it would be a part of the header
  return file;
}
