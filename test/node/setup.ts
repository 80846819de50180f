import type { TestProject } from 'vitest/node';
import { imageArchives, startFullCluster } from '../harness/full-cluster.ts';

declare module 'vitest' {
  interface ProvidedContext {
    readonly node: RealNode | undefined;
  }
}

/** The node that all files of this suite share. */
export interface RealNode {
  /** For scripts/cluster; undefined for a cluster that was given, whose node is not ours to break. */
  readonly cluster: string | undefined;
  readonly kubeconfig: string;
  /** Where pods reach this process. */
  readonly hostIp: string;
}

/**
 * Starts a full cluster with all images on it; returns what removes it. Without root there is none, and what needs it is
 * skipped. KUBECONFIG and LB_HOST_IP (this machine as its pods see it) name another one, such as kind, that has the images.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { KUBECONFIG: kubeconfig, LB_HOST_IP: hostIp } = process.env;
  if (kubeconfig && hostIp) {
    project.provide('node', { cluster: undefined, kubeconfig, hostIp });
    return async () => undefined;
  }
  project.provide('node', undefined);
  if (process.getuid?.() !== 0) return async () => undefined;
  const images = await imageArchives();
  const name = `node-${process.pid}`;
  const cluster = await startFullCluster(name);
  try {
    await cluster.load(...images);
    project.provide('node', { cluster: name, kubeconfig: cluster.kubeconfig, hostIp: cluster.hostIp });
  } catch (error) {
    await cluster.down();
    throw error;
  }
  return () => cluster.down();
}
