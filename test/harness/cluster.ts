import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const scripts = join(import.meta.dirname, '../../scripts');

/** A Kubernetes to test against. */
export interface Cluster {
  readonly kubeconfig: string;
  /** Ends the cluster and removes its files; does nothing to a cluster that was given by KUBECONFIG. */
  stop(): Promise<void>;
}

/**
 * Starts the lite cluster `name`, or takes the one that KUBECONFIG_E2E or KUBECONFIG names. Rejects with the script's
 * own words when it does not come up; builds its programs first if need be, which takes minutes once.
 */
export async function startCluster(name: string): Promise<Cluster> {
  const given = process.env['KUBECONFIG_E2E'] ?? process.env['KUBECONFIG'];
  if (given) return { kubeconfig: given, stop: async () => {} };
  await clusterScript(name, 'up', '--lite');
  const exports = await clusterScript(name, 'env');
  const kubeconfig = /^export KUBECONFIG=(.+)$/m.exec(exports)?.[1];
  if (!kubeconfig) throw new Error(`scripts/cluster env printed no KUBECONFIG: ${exports}`);
  return {
    kubeconfig,
    stop: async () => {
      await clusterScript(name, 'down');
    },
  };
}

/** Runs `scripts/cluster ARGS` for the lite cluster `name` (`restart apiserver`, …); returns what it printed. */
export async function clusterScript(name: string, ...args: string[]): Promise<string> {
  const env = { ...process.env, LB_CLUSTER: name };
  const { stdout } = await run(join(scripts, 'cluster'), args, { env });
  return stdout;
}

/** Path of a program of scripts/tools, which is built first if it is not there. */
export async function tool(name: string): Promise<string> {
  const { stdout } = await run(join(scripts, 'tools'), [name], { maxBuffer: 2 ** 24 });
  return join(stdout.trim(), name);
}
