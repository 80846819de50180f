import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Kube, KubeObject } from '../harness/kube.ts';
import { openNamespace, until } from '../harness/kube.ts';
import { readMetric } from '../harness/metrics.ts';
import { serviceAccounts } from './accounts.ts';
import { endAllWatches, KINDS } from './all-watches.ts';
import type { Stage, Started } from './stage.ts';
import { expectReported, runs, setStage, SHORT } from './stage.ts';

/** Watches are dead after two minutes, and so for five more before the bridge acts. */
const DEAD_MS = 5 * 60_000;
/** A pod of this cluster runs no program: the Collector is a process, which the test kills and starts as a kubelet would. */
const POD = 'collector-0';
const RBAC = 'rbac.authorization.k8s.io/v1';
let stage: Stage;
let around: Kube;

beforeAll(async () => {
  if (SHORT) return;
  const env = {
    LIFECYCLE_BRIDGE__CLUSTER__AUDIT__INTERVAL: '20s',
    LIFECYCLE_BRIDGE__CLUSTER__COLLECTOR_PODS: JSON.stringify([`default/${POD}`]),
  };
  stage = await setStage('restart', { env, accounts: serviceAccounts });
  around = await openNamespace(stage.kubeconfig, 'default');
  await around.apply(...statefulSet(), ...permission(stage.kube.namespace));
});
afterAll(() => stage?.close());

function statefulSet(): object[] {
  const labels = { app: 'collector' };
  const containers = [{ name: 'main', image: 'collector' }];
  const template = { metadata: { labels }, spec: { terminationGracePeriodSeconds: 0, containers } };
  const spec = { serviceName: 'collector', selector: { matchLabels: labels }, template };
  return [{ apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'collector' }, spec }];
}

/** What the chart grants for this: one verb on one pod, and Events about it. */
function permission(namespace: string): object[] {
  const metadata = { name: 'restart-collector' };
  const rules = [
    { apiGroups: [''], resources: ['pods'], resourceNames: [POD], verbs: ['delete'] },
    { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create'] },
  ];
  const subjects = [{ kind: 'ServiceAccount', namespace, name: 'bridge' }];
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: metadata.name };
  return [
    { apiVersion: RBAC, kind: 'Role', metadata, rules },
    { apiVersion: RBAC, kind: 'RoleBinding', metadata, subjects, roleRef },
  ];
}

const metrics = () => `${stage.bridge.pageUrl}metrics`;
const metric = (name: string) => readMetric(metrics(), `lifecycle_bridge_${name}`);
const deletions = () => metric('collector_restarts_total{outcome="deleted"}');
const pod = (): Promise<KubeObject | undefined> => around.get(`pod/${POD}`).catch(() => undefined);
const logText = (): string => readFileSync(stage.bridge.logFile, 'utf8');

it.skipIf(SHORT)(
  'when every watch has been dead for five minutes, the pod of the Collector is deleted once, and its streams live again',
  async () => {
    const old = await until('the pod is there', pod);
    await expectReported(stage, await runs(stage, 'before', 2));
    const inside = await endAllWatches(stage);
    await expectReported(stage, inside);
    // What is awaited of a watch is what a LIST finds that began half a minute after the Collector connected.
    const unheard: Started[] = [];
    const oneMore = async (): Promise<boolean> => {
      const more = await runs(stage, `unheard-${unheard.length}`, 1);
      await expectReported(stage, more);
      unheard.push(...more);
      return (await metric('watch_own{')) === KINDS.length;
    };
    await until('the bridge watches every kind', oneMore, 300_000);
    await until('every watch is dead', async () => (await metric('watch_dead{')) === KINDS.length, 300_000);
    const deadAt = Date.now();
    const meanwhile = await runs(stage, 'meanwhile', 3);
    await expectReported(stage, meanwhile);
    expect(await deletions()).toBe(0);

    const fresh = await until(
      'its StatefulSet has made the pod again',
      async () => {
        const found = await pod();
        return found !== undefined && found.metadata.uid !== old.metadata.uid && found;
      },
      DEAD_MS + 120_000,
    );
    // The bridge knew that all are dead up to a look before /metrics was asked.
    expect(Date.now() - deadAt).toBeGreaterThan(DEAD_MS - 30_000);
    expect(await deletions()).toBe(1);
    const lines = logText().split('\n');
    const said = lines.filter((line) => line.includes(`the Collector's pod default/${POD} was deleted`));
    expect(said.map((line) => (JSON.parse(line) as { level: unknown }).level)).toEqual(['error']);
    expect(await (await fetch(stage.bridge.pageUrl)).text()).toContain(`pod default/${POD} was deleted`);
    const events = await around.list('events.events.k8s.io');
    expect(events.filter((event) => 'reason' in event && event.reason === 'WatchesDead')).toHaveLength(1);

    // The watches are dead until the Collector starts again: nothing is deleted a second time for them.
    const unwatched = await runs(stage, 'unwatched', 3);
    await expectReported(stage, unwatched);
    await stage.collector.restart();
    const alive = await runs(stage, 'alive', 3);
    await expectReported(stage, alive);
    await until('the streams live again', async () => (await metric('watch_own{')) === 0, 120_000);
    expect([await metric('watch_dead{'), await deletions()]).toEqual([0, 1]);
    expect((await pod())?.metadata.uid).toBe(fresh.metadata.uid);
  },
);
