import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Releases } from '../../bridge/lib/releases.ts';
import { BRIDGE, permit, serviceAccounts, untilMay } from '../faults/accounts.ts';
import type { Vendors } from '../vendors/start-vendors.ts';
import { startVendors } from '../vendors/start-vendors.ts';
import type { Bridge } from '../harness/bridge.ts';
import { startBridge } from '../harness/bridge.ts';
import { startCluster } from '../harness/cluster.ts';
import type { Kube, KubeObject } from '../harness/kube.ts';
import { createNamespace, until } from '../harness/kube.ts';
import { cronJob } from './workloads.ts';

const releases = new Releases();
let vendors: Vendors;
let bridge: Bridge;
let kube: Kube;

/** The bridge by its own account, which may write neither to pods nor Events yet, and by LISTs alone. */
beforeAll(async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'e2e-write-back-'));
  releases.add(() => rmSync(dataDir, { recursive: true }));
  const cluster = await startCluster(`write-back-${process.pid}`);
  releases.add(() => cluster.stop());
  kube = await createNamespace(cluster.kubeconfig, 'write-back');
  releases.add(() => kube.removeNamespace());
  vendors = await startVendors();
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

const get = async (path: string): Promise<string> => (await fetch(`${bridge.pageUrl}${path}`)).text();

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
const written = async (): Promise<number> =>
  Number(
    /deliveries_total\{destination="kubernetes\/default",outcome="delivered",reason="delivered"\} (\d+)/.exec(
      await get('metrics'),
    )?.[1] ?? 0,
  );

describe('timestamps of pods', () => {
  it('without the permission to write nothing is written, and page and log say what is missing', async () => {
    const rows = async () =>
      (JSON.parse(await get('api/desired')) as { items: { reason?: string; detail?: string }[] }).items;
    const row = await until('the refusal', async () => (await rows()).find(({ reason }) => reason === 'forbidden'));
    expect(row.detail).toContain('cannot patch resource "pods"');
    // The line comes after the commit that the page shows.
    const log = (): string => readFileSync(bridge.logFile, 'utf8');
    await until('the line', async () => log().includes('a delivery failed; it is tried again'));
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
});

const EXCLUDE = 'k8s.cronitor.io/exclude';
const GRACE = 'k8s.cronitor.io/grace-seconds';
const metric = async (annotation: string): Promise<string | undefined> =>
  new RegExp(`annotation_problems\\{destination="cronitor/default",annotation="${annotation}"\\} (\\d+)`).exec(
    await get('metrics'),
  )?.[1];
const events = async (): Promise<string[]> =>
  (await kube.kubectl(['get', 'events', '--field-selector', 'reason=InvalidAnnotation', '-o', 'name']))
    .split('\n')
    .filter((line) => line !== '');
const annotate = (...changes: string[]) => kube.kubectl(['annotate', 'cronjob/report', '--overwrite', ...changes]);
interface ProblemRow {
  readonly eventAt?: string;
  readonly eventError?: string;
}
const problemRow = async (): Promise<ProblemRow | undefined> =>
  (JSON.parse(await get('api/problems')) as { items: readonly ProblemRow[] }).items[0];

describe('Events about annotations', () => {
  it('a CronJob with annotations that cannot be read is monitored, and page and metric show it', async () => {
    const metadata = { name: 'report', annotations: { [EXCLUDE]: 'yes', [GRACE]: 'soon' } };
    await kube.apply({ ...cronJob({ name: 'report', pod: { run: '1s' } }), metadata });
    const { uid } = (await kube.get('cronjob/report')).metadata;
    await until('its monitor', () => vendors.cronitor.monitors.has(uid));
    await kube.runCronJob('report', 'report-run');
    const states = (): string[] =>
      vendors.cronitor.pings.filter(({ monitor }) => monitor === uid).map(({ query }) => query.state);
    await until('both ends of its run', () => states().length >= 2);
    expect(states()).toEqual(['run', 'complete']);
    expect([await metric(EXCLUDE), await metric(GRACE)]).toEqual(['1', '1']);
    expect(await get('problems')).toContain(`${EXCLUDE}: &quot;yes&quot;`);
    expect(await get(`?namespace=${kube.namespace}&owner=report`)).toContain('An annotation cannot be read:');
    await until('it is ready', async () => (await fetch(`${bridge.pageUrl}readyz`)).status === 200);
  });

  it('without the permission to write Events that is said once, and everything else works', async () => {
    const row = await until('the refusal', async () => ((await problemRow())?.eventError ? problemRow() : undefined));
    expect(row.eventError).toContain('cannot create resource "events"');
    const lines = readFileSync(bridge.logFile, 'utf8').split('\n');
    expect(lines.filter((line) => line.includes('no permission to write Events'))).toHaveLength(1);
    expect(lines.filter((line) => line.includes('an annotation cannot be read'))).toHaveLength(2);
    expect(await events()).toEqual([]);
  });

  it(
    'with it there is exactly one Event, which kubectl describe shows, over restarts',
    { timeout: 400_000 },
    async () => {
      await permit(kube, 'bridge', { ...BRIDGE, 'events.k8s.io/events': ['list', 'create'] });
      await untilMay(kube, 'bridge', 'create', 'events.events.k8s.io', true);
      const restart = async (): Promise<void> => {
        await bridge.kill9();
        await bridge.start();
      };
      await restart();
      await until('the Event', async () => (await problemRow())?.eventAt);
      const [name] = await events();
      await restart();
      await kube.kubectl(['delete', name!]);
      await annotate('another=one');
      await until('a LIST after it', () => listed());
      expect(await events(), 'it is not written again within a day').toEqual([]);

      await annotate(`${GRACE}=later`);
      await until('the Event of another set', async () => (await events()).length > 0);
      const described = await kube.kubectl(['describe', 'cronjob/report']);
      const line = described.split('\n').filter((line) => line.includes('InvalidAnnotation'));
      expect(line).toHaveLength(1);
      expect(line[0]).toMatch(
        /^ *Warning +InvalidAnnotation .*lifecycle-bridge.*exclude: "yes" is not valid.*"later" is not/,
      );
    },
  );

  it('an annotation that is put right is gone from page and metric', async () => {
    await annotate(`${EXCLUDE}=false`);
    await until('one is left', async () => (await metric(EXCLUDE)) === '0');
    expect(await metric(GRACE)).toBe('1');
    await annotate(`${GRACE}-`);
    await until('none is left', async () => (await metric(GRACE)) === '0');
    expect(await get('problems')).toContain('Every annotation can be read.');
    expect(await get('')).not.toContain('cannot be read');
  });
});

/** True when CronJobs were listed twice more than at the first call. */
let lists: number | undefined;
async function listed(): Promise<boolean> {
  const count = Number(/lists_total\{kind="CronJob",result="complete"\} (\d+)/.exec(await get('metrics'))?.[1] ?? 0);
  lists ??= count;
  return count >= lists + 2;
}
