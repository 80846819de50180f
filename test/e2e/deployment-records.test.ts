import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Releases } from '../../bridge/lib/releases.ts';
import type { Bridge } from '../harness/bridge.ts';
import { startBridge } from '../harness/bridge.ts';
import { startCluster } from '../harness/cluster.ts';
import { startCollector } from '../harness/collector.ts';
import type { Kube } from '../harness/kube.ts';
import { createNamespace, until } from '../harness/kube.ts';
import type { Vendors } from '../vendors/start-vendors.ts';
import { startVendors } from '../vendors/start-vendors.ts';

const releases = new Releases();
let vendors: Vendors;
let bridge: Bridge;
let kube: Kube;

beforeAll(async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'e2e-records-'));
  releases.add(() => rmSync(dataDir, { recursive: true }));
  const cluster = await startCluster(`records-${process.pid}`);
  releases.add(() => cluster.stop());
  const { kubeconfig } = cluster;
  kube = await createNamespace(kubeconfig, 'records');
  releases.add(() => kube.removeNamespace());
  vendors = await startVendors();
  releases.add(() => vendors.close());
  const settings = {
    ORG: 'acme',
    CREDENTIAL: vendors.key,
    API_URL: vendors.url,
    CLUSTER: 'e2e',
    LOGICAL_ENVIRONMENT: 'test',
  };
  const github = Object.entries(settings).map(([name, value]) => [`LIFECYCLE_BRIDGE__GITHUB__DEFAULT__${name}`, value]);
  bridge = await startBridge({
    vendorsUrl: vendors.url,
    vendorKey: vendors.key,
    dataDir,
    kubeconfig,
    namespaces: [kube.namespace],
    env: { ...Object.fromEntries(github), LIFECYCLE_BRIDGE__CLUSTER__AUDIT__INTERVAL: '3s' },
  });
  releases.add(async () => void (await bridge.stop()));
  const collector = await startCollector({
    kubeconfig,
    namespaces: [kube.namespace],
    bridgeEndpoint: bridge.endpoint,
    bridgePageUrl: bridge.pageUrl,
    clusterName: 'e2e',
    dataDir: join(dataDir, 'collector'),
  });
  releases.add(() => collector.stop());
});
afterAll(() => releases.release());

function deployment(name: string, containers: readonly string[], replicas = 2): object {
  const labels = { app: name };
  const specs = containers.map((container) => ({ name: container, image: `acme/${container}:1` }));
  const template = { metadata: { labels }, spec: { terminationGracePeriodSeconds: 0, containers: specs } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: { replicas, selector: { matchLabels: labels }, template },
  };
}

const name = (workload: string, container: string): string => `${kube.namespace}/${workload}/${container}`;

/** What GitHub has of a container: version, first digit of the digest, status. */
function kept(workload: string, container: string): string | undefined {
  const records = [...vendors.github.artifacts.records.values()];
  const record = records.find((one) => one.deployment_name === name(workload, container));
  return record && `${record.version} ${record.digest.slice(7, 8)} ${record.status}`;
}

/** The statuses that GitHub was sent of a container, in order. */
const sent = (workload: string, container: string): string[] =>
  vendors.github.artifacts.history
    .filter((one) => one.deployment_name === name(workload, container))
    .map(({ version, status }) => `${version} ${status}`);

/** Fails with what GitHub has when the time is over. */
async function has(workload: string, container: string, record: string): Promise<void> {
  const isSo = (): boolean => kept(workload, container) === record;
  await until(`${workload}/${container} is ${record}`, isSo, 90_000).catch(() => {});
  expect(kept(workload, container)).toBe(record);
}

const noPods = (app: string): Promise<unknown> =>
  until(
    `no pod of ${app} is left`,
    async () => (await kube.kubectl(['get', 'pods', '-l', `app=${app}`, '-o', 'name'])).trim() === '',
  );

describe('deployment records of a real control plane', () => {
  it('follow a Deployment through rollout, rollback, scaling to zero and back, and an image that changes in place', async () => {
    await kube.apply(deployment('web', ['app', 'proxy']));
    await has('web', 'app', '1 0 deployed');
    await has('web', 'proxy', '1 0 deployed');
    await kube.kubectl(['set', 'image', 'deployment/web', 'app=acme/app:2']);
    await has('web', 'app', '2 0 deployed');
    await kube.kubectl(['rollout', 'status', 'deployment/web']);
    await kube.kubectl(['rollout', 'undo', 'deployment/web']);
    await has('web', 'app', '1 0 deployed');
    await kube.kubectl(['rollout', 'status', 'deployment/web']);
    expect(sent('web', 'app')).toEqual(['1 deployed', '2 deployed', '1 deployed']);
    await kube.kubectl(['scale', 'deployment/web', '--replicas=0']);
    await has('web', 'app', '1 0 decommissioned');
    await kube.kubectl(['scale', 'deployment/web', '--replicas=2']);
    await has('web', 'app', '1 0 deployed');
    const statuses = ['app', 'proxy'].map((one) => ({
      name: one,
      image: one,
      imageID: `acme/${one}@sha256:${'b'.repeat(64)}`,
      restartCount: 1,
      ready: true,
    }));
    const patch = JSON.stringify({ status: { containerStatuses: statuses } });
    // Both: where pods of one name run two digests, which of them is deleted last decides what was decommissioned.
    for (const { metadata } of await kube.list('pods'))
      await kube.kubectl(['patch', 'pod', metadata.name, '--subresource=status', '--type=merge', '-p', patch]);
    await has('web', 'app', '1 b deployed');
    expect(sent('web', 'proxy')).toEqual(['1 deployed', '1 decommissioned', '1 deployed', '1 deployed']);
  });

  it('send nothing again after a restart, and decommission what was deleted while the bridge was down', async () => {
    await bridge.settled();
    const before = vendors.github.artifacts.history.length;
    await bridge.kill9();
    await bridge.start();
    await bridge.settled();
    expect(vendors.github.artifacts.history).toHaveLength(before);
    await bridge.kill9();
    await kube.delete('deployment/web', '--ignore-not-found');
    await noPods('web');
    await bridge.start();
    await has('web', 'app', '1 b decommissioned');
    await has('web', 'proxy', '1 b decommissioned');
  });

  it('decommission a Deployment that is deleted in the foreground after its last pod, and keep the others', async () => {
    await kube.apply(deployment('api', ['main']), deployment('stays', ['main'], 1));
    await has('api', 'main', '1 0 deployed');
    await has('stays', 'main', '1 0 deployed');
    await kube.delete('deployment/api', '--cascade=foreground');
    await has('api', 'main', '1 0 decommissioned');
    await bridge.settled();
    expect(sent('api', 'main')).toEqual(['1 deployed', '1 decommissioned']);
    const deployed = [...vendors.github.artifacts.records.values()].filter(({ status }) => status === 'deployed');
    expect(deployed.map((record) => record.deployment_name)).toEqual([name('stays', 'main')]);
    expect(vendors.github.violations).toEqual([]);
  });
});
