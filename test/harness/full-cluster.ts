import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { clusterScript } from './cluster.ts';

/** The full cluster: one real node, with containers, names and volumes. */
export interface FullCluster {
  readonly kubeconfig: string;
  /** Address of this machine as pods see it: a test that listens there gets what they send. */
  readonly hostIp: string;
  readonly nodeIp: string;
  /** Runs `scripts/cluster ARGS` on it (`exec`, `kill`, `start`, `logs`, …); returns what it printed. */
  script(...args: readonly string[]): Promise<string>;
  /** Puts image archives on the node; returns NAME@DIGEST of each image, which is its imageID in pods. */
  load(...archives: readonly string[]): Promise<readonly string[]>;
  /** Kills a component at once and starts it again: `kubelet`, `containerd`, `apiserver`, … */
  restart(component: string): Promise<void>;
  /** Switches the node off and on; what is on its disk stays. The node is ready again when this resolves. */
  reboot(): Promise<void>;
  /** Ends it and removes all that it made. */
  down(): Promise<void>;
}

/** Starts the full cluster `name`, or takes it if it runs; its node is ready when this resolves. Needs root. */
export async function startFullCluster(name: string): Promise<FullCluster> {
  const script: FullCluster['script'] = (...args) => clusterScript(name, ...args);
  await script('up', '--full');
  const exports = await script('env');
  const variable = (key: string): string => {
    const value = new RegExp(`\\b${key}=(\\S+)`).exec(exports)?.[1];
    if (value === undefined) throw new Error(`scripts/cluster env printed no ${key}: ${exports}`);
    return value;
  };
  return {
    kubeconfig: variable('KUBECONFIG'),
    hostIp: variable('LB_HOST_IP'),
    nodeIp: variable('LB_NODE_IP'),
    script,
    load: async (...archives) => [...(await script('load', ...archives)).matchAll(/\S+@sha256:\S+/g)].map(String),
    restart: async (component) => {
      await script('restart', component);
    },
    reboot: async () => {
      await script('stop');
      await script('up', '--full');
    },
    down: async () => {
      await script('down');
    },
  };
}

/** Paths of the archives of the bridge, the Collector, kube-state-metrics and busybox; builds what is not there. */
export async function imageArchives(): Promise<readonly string[]> {
  const script = join(import.meta.dirname, '../../scripts/image');
  const { stdout } = await promisify(execFile)(script, ['--all'], { maxBuffer: 2 ** 24 });
  return stdout.trim().split('\n');
}
