import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Releases } from '../../bridge/lib/releases.ts';
import { BRIDGE, permit, serviceAccounts, untilMay } from '../faults/accounts.ts';
import type { Bridge } from '../harness/bridge.ts';
import { startBridge } from '../harness/bridge.ts';
import { startCluster } from '../harness/cluster.ts';
import type { Kube, KubeObject } from '../harness/kube.ts';
import { createNamespace, until } from '../harness/kube.ts';
import { startVendors } from '../vendors/start-vendors.ts';

const releases = new Releases();
let bridge: Bridge;
let kube: Kube;

/** The bridge by its own account, which may not write to pods yet, and by LISTs alone. */
beforeAll(async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'e2e-timestamp-'));
  releases.add(() => rmSync(dataDir, { recursive: true }));
  const cluster = await startCluster('e2e-timestamp');
  releases.add(() => cluster.stop());
  kube = await createNamespace(cluster.kubeconfig, 'timestamp');
  releases.add(() => kube.removeNamespace());
  const vendors = await startVendors();
  releases.add(() => vendors.close());
  const accounts = await serviceAccounts(kube, cluster.kubeconfig, dataDir);
  await kube.apply(pod('early', { addtime: '' }), pod('plain'));
  bridge = await startBridge({
    vendorsUrl: vendors.url,
    vendorKey: vendors.key,
    dataDir,
    kubeconfig: accounts.bridge,
    namespaces: [kube.namespace],
    env: {
      LIFECYCLE_BRIDGE__CLUSTER__AUDIT__INTERVAL: '1s',
      LIFECYCLE_BRIDGE__KUBERNETES__DEFAULT__TIME_ZONE: 'Asia/Kolkata',
    },
  });
  releases.add(async () => void (await bridge.stop()));
});

afterAll(() => releases.release());

const STAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+05:30$/;
const pod = (name: string, annotations: Record<string, string> = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, annotations: { kept: 'yes', ...annotations } },
  spec: { containers: [{ name: 'main', image: 'busybox:1.36' }] },
});
const annotationsOf = ({ metadata }: KubeObject): Record<string, string> =>
  (metadata as { readonly annotations?: Record<string, string> }).annotations ?? {};
const stampOf = async (name: string): Promise<string | undefined> =>
  annotationsOf(await kube.get(`pod/${name}`))['timestamp'];
const get = async (path: string): Promise<string> => (await fetch(`${bridge.pageUrl}${path}`)).text();
const written = async (): Promise<number> =>
  Number(
    /deliveries_total\{destination="kubernetes\/default",outcome="delivered",reason="delivered"\} (\d+)/.exec(
      await get('metrics'),
    )?.[1] ?? 0,
  );

it('without the permission to write nothing is written, and page and log say what is missing', async () => {
  const rows = async () =>
    (JSON.parse(await get('api/desired')) as { items: { reason?: string; detail?: string }[] }).items;
  const row = await until('the refusal', async () => (await rows()).find(({ reason }) => reason === 'forbidden'));
  expect(row.detail).toContain('cannot patch resource "pods"');
  expect(readFileSync(bridge.logFile, 'utf8')).toContain('a delivery failed; it is tried again');
  expect(await stampOf('early')).toBeUndefined();
});

it('with it a pod that was there before gets the time, once, and keeps all else', { timeout: 200_000 }, async () => {
  await permit(kube, 'bridge', { ...BRIDGE, '/pods': ['get', 'list', 'watch', 'patch'] });
  await untilMay(kube, 'bridge', 'patch', 'pods', true);
  const stamp = await until('the timestamp', () => stampOf('early'), 150_000);
  expect(stamp).toMatch(STAMP);
  expect(annotationsOf(await kube.get('pod/early'))).toMatchObject({ kept: 'yes', addtime: '' });
  expect(annotationsOf(await kube.get('pod/plain'))['timestamp']).toBeUndefined();
});

it('a pod that is annotated later gets one, and again what is taken away by hand', async () => {
  await kube.kubectl(['annotate', 'pod/plain', 'addtime=']);
  const first = await until('the timestamp', () => stampOf('plain'));
  await until('it is seen', async () => !(await get('api/desired')).includes('"timestamp"'));
  await kube.kubectl(['annotate', 'pod/plain', 'timestamp-']);
  const second = await until('another timestamp', () => stampOf('plain'));
  expect(Date.parse(second)).toBeGreaterThanOrEqual(Date.parse(first));
});

it('many pods at once get one each, also over a kill of the bridge', { timeout: 200_000 }, async () => {
  const before = await written();
  const names = Array.from({ length: 60 }, (_, number) => `many-${number}`);
  await kube.apply(...names.map((name) => pod(name, { addtime: 'true' })));
  const stamps = async () => {
    const pods = (await kube.list('pods')).filter(({ metadata }) => metadata.name.startsWith('many-'));
    return Object.fromEntries(pods.map((one) => [one.metadata.name, annotationsOf(one)['timestamp']]));
  };
  const all = await until('all timestamps', async () => {
    const found = await stamps();
    return Object.values(found).every((stamp) => stamp !== undefined) ? found : undefined;
  });
  await until('all receipts', async () => (await written()) === before + 60);
  await bridge.kill9();
  await bridge.start();
  await until(
    'two LISTs',
    async () => Number(/lists_total\{kind="Pod",result="complete"\} (\d+)/.exec(await get('metrics'))?.[1] ?? 0) > 2,
  );
  expect(await stamps()).toEqual(all);
  expect(await written()).toBe(0);
});
