import type { TestProject } from 'vitest/node';
import { imageArchives, startFullCluster } from './harness/cluster.ts';

declare module 'vitest' {
  interface ProvidedContext {
    readonly node: RealNode | undefined;
  }
}

/** The node that all files of this suite share. */
export interface RealNode {
  /** For scripts/cluster. */
  readonly cluster: string;
  readonly kubeconfig: string;
  /** Where pods reach this process. */
  readonly hostIp: string;
}

/** Starts a full cluster with all images on it; returns what removes it. Without root there is none, and what needs it is skipped. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
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
