import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readKubeAccess } from '../../bridge/cluster/kube-access.ts';
import type { Releases } from '../../bridge/lib/releases.ts';
import type { Bridge } from '../harness/bridge.ts';
import { startBridge } from '../harness/bridge.ts';
import { startCluster } from '../harness/cluster.ts';
import type { Collector } from '../harness/collector.ts';
import { startCollector } from '../harness/collector.ts';
import type { Kube } from '../harness/kube.ts';
import { createNamespace } from '../harness/kube.ts';
import type { Vendors } from '../vendors/start-vendors.ts';
import { startVendors } from '../vendors/start-vendors.ts';
import { LatencyCluster } from './latency-cluster.ts';
import { cpuSeconds, say } from './measure.ts';

const COMPONENTS = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kwok'];

/** A bench with everything real but the vendor and the kubelet. */
export interface Stage {
  readonly kubeconfig: string;
  readonly kube: Kube;
  /** Watches the Jobs of the namespace. */
  readonly cluster: LatencyCluster;
  readonly vendors: Vendors;
  readonly bridge: Bridge;
  readonly collector: Collector;
  /** Processes of the control plane. */
  readonly controlPlane: readonly number[];
}

/** Processes of a lite cluster, found by what they run and by the folder in their arguments. */
function controlPlane(name: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        const program = readlinkSync(`/proc/${pid}/exe`);
        return command.includes(`/clusters/${name}/`) && COMPONENTS.some((component) => program.includes(component));
      } catch {
        return false;
      }
    });
}

/** CPU seconds by who used them: control plane with its simulated nodes, Collector, bridge, this process. */
export function usage({ controlPlane, collector, bridge }: Stage): number[] {
  const ofPlane = controlPlane.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  return [ofPlane, cpuSeconds(collector.pid), cpuSeconds(bridge.pid), cpuSeconds(process.pid)];
}

export interface StageOptions {
  /** Settings of the bridge, also for its later starts. */
  readonly env: Readonly<Record<string, string>>;
  readonly addressLimit: boolean;
  /** Sets something before the API server that only the bridge sees: the kubeconfig of that, from the one of the cluster. */
  readonly before?: (kubeconfig: string, folder: string) => Promise<string>;
}

/** Starts cluster, vendor, bridge and Collector. */
export async function setStage(releases: Releases, { env, addressLimit, before }: StageOptions): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  releases.add(() => rmSync(folder, { recursive: true }));
  const name = `bench-${process.pid}`;
  say('starting a control plane');
  const lite = await startCluster(name);
  const { kubeconfig } = lite;
  releases.add(() => lite.stop());
  const kube = await createNamespace(kubeconfig, 'bench');
  const vendors = await startVendors({ addressLimit });
  releases.add(() => vendors.close());
  const vendor = { vendorsUrl: vendors.url, vendorKey: vendors.key };
  const seen = (await before?.(kubeconfig, folder)) ?? kubeconfig;
  const bridge = await startBridge({ ...vendor, dataDir: folder, kubeconfig: seen, env });
  releases.add(() => bridge.kill9());
  const endpoints = { bridgeEndpoint: bridge.endpoint, clusterName: 'bench' };
  const collector = await startCollector({ ...endpoints, kubeconfig, dataDir: join(folder, 'collector') });
  releases.add(() => collector.kill9());
  const cluster = new LatencyCluster(await readKubeAccess(kubeconfig), kube.namespace);
  releases.add(() => cluster.close());
  await cluster.watch();
  return { kubeconfig, kube, cluster, vendors, bridge, collector, controlPlane: controlPlane(name) };
}
