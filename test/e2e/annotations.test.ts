import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Releases } from '../../bridge/lib/releases.ts';
import { BRIDGE, permit, serviceAccounts, untilMay } from '../faults/accounts.ts';
import type { Vendors } from '../vendors/start-vendors.ts';
import { startVendors } from '../vendors/start-vendors.ts';
import type { Bridge } from '../harness/bridge.ts';
import { startBridge } from '../harness/bridge.ts';
import { startCluster } from '../harness/cluster.ts';
import type { Kube } from '../harness/kube.ts';
import { createNamespace, until } from '../harness/kube.ts';
import { cronJob } from './workloads.ts';

const releases = new Releases();
let vendors: Vendors;
let bridge: Bridge;
let kube: Kube;

/** The bridge by its own account, which may not write Events yet, and by LISTs alone. */
beforeAll(async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'e2e-annotations-'));
  releases.add(() => rmSync(dataDir, { recursive: true }));
  const cluster = await startCluster('e2e-annotations');
  releases.add(() => cluster.stop());
  kube = await createNamespace(cluster.kubeconfig, 'annotations');
  releases.add(() => kube.removeNamespace());
  vendors = await startVendors();
  releases.add(() => vendors.close());
  const accounts = await serviceAccounts(kube, cluster.kubeconfig, dataDir);
  bridge = await startBridge({
    vendorsUrl: vendors.url,
    vendorKey: vendors.key,
    dataDir,
    kubeconfig: accounts.bridge,
    namespaces: [kube.namespace],
    env: { LIFECYCLE_BRIDGE__CLUSTER__AUDIT__INTERVAL: '1s' },
  });
  releases.add(async () => void (await bridge.stop()));
});

afterAll(() => releases.release());

const EXCLUDE = 'k8s.cronitor.io/exclude';
const GRACE = 'k8s.cronitor.io/grace-seconds';
const get = async (path: string): Promise<string> => (await fetch(`${bridge.pageUrl}${path}`)).text();
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

/** True when CronJobs were listed twice more than at the first call. */
let lists: number | undefined;
async function listed(): Promise<boolean> {
  const count = Number(/lists_total\{kind="CronJob",result="complete"\} (\d+)/.exec(await get('metrics'))?.[1] ?? 0);
  lists ??= count;
  return count >= lists + 2;
}
