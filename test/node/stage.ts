import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject } from 'vitest';
import { Releases } from '../../bridge/lib/releases.ts';
import type { Tree } from '../chart/helm.ts';
import { type MetricsSink, startMetricsSink } from '../chart/metrics-sink.ts';
import { createNamespace, type Kube, type KubeObject, until } from '../harness/kube.ts';
import { startVendors, type Vendors } from '../vendors/start-vendors.ts';
import { type Release, releaseIn } from './release.ts';
import type { RealNode } from './setup.ts';
import { valuesFor } from './values.ts';
import { cronJob, type Work } from './workloads.ts';

/** What one file of the suite has for itself on the shared node: a restricted namespace, vendors, a backend. */
export interface Stage {
  readonly node: RealNode;
  readonly kube: Kube;
  readonly vendors: Vendors;
  readonly sink: MetricsSink;
  /** A namespace that enforces the Pod Security Standard "restricted", removed at the end. */
  namespace(prefix: string): Promise<Kube>;
  release(name: string, kube?: Kube): Release;
  /** Values with which a release runs on this node and reports to this process. */
  values(more?: Tree): Tree;
  /** Starts a run of a CronJob that `make` has made. */
  start(work: Work, run: string): Promise<KubeObject>;
  make(...works: readonly Work[]): Promise<void>;
  close(): Promise<void>;
}

export async function setStage(name: string): Promise<Stage> {
  const releases = new Releases();
  const node = inject('node');
  if (node === undefined) throw new Error('the node needs root');
  const folder = mkdtempSync(join(tmpdir(), 'node-'));
  releases.add(() => rmSync(folder, { recursive: true }));
  const vendors = await startVendors({ host: node.hostIp });
  releases.add(() => vendors.close());
  const sink = await startMetricsSink('', node.hostIp);
  releases.add(() => sink.close());
  const namespace = async (prefix: string): Promise<Kube> => {
    const kube = await createNamespace(node.kubeconfig, prefix);
    releases.add(() => kube.removeNamespace());
    await kube.kubectl(['label', 'namespace', kube.namespace, 'pod-security.kubernetes.io/enforce=restricted']);
    await kube.kubectl(['create', 'secret', 'generic', 'cronitor', `--from-literal=api-key=${vendors.key}`]);
    return kube;
  };
  const kube = await namespace(name);
  return {
    node,
    kube,
    vendors,
    sink,
    namespace,
    release: (release, where = kube) => releaseIn(node, where, release, folder),
    values: (more = {}) => ({ ...valuesFor(node, vendors, sink), ...more }),
    make: (...works) => kube.apply(...works.map(cronJob)),
    start: (work, run) => kube.runCronJob(work.name, run),
    close: () => releases.release(),
  };
}

/** A run, how it must end at the vendor, and with which message. */
export interface Expected {
  readonly job: KubeObject;
  readonly end: 'complete' | 'fail';
  readonly message?: RegExp;
}

/** Waits until each run has ended at Cronitor, then proves that it was reported once and in order, of its own monitor. */
export async function expectReported({ vendors, kube }: Stage, runs: readonly Expected[]): Promise<void> {
  const { cronitor } = vendors;
  const pings = (uid: string) => cronitor.pings.filter(({ query }) => query.series === uid);
  const open = (): readonly string[] =>
    runs
      .filter(({ job: { metadata }, end }) => !pings(metadata.uid).some(({ query }) => query.state === end))
      .map(({ job }) => job.metadata.name);
  await until('every run has ended at the vendor', () => open().length === 0, 180_000).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${open().join(', ')}`);
  });
  for (const { job, end, message = /^$/ } of runs) {
    const reported = pings(job.metadata.uid);
    const states = reported.map(({ query }) => query.state);
    expect(states.slice(0, 2), `the run ${job.metadata.name}`).toEqual(['run', end]);
    // The end of its log follows when its pod is still there to be read.
    expect(['', 'logs'], `after the run ${job.metadata.name}`).toContain(states.slice(2).join(' '));
    expect(reported[1]?.query.message ?? '').toMatch(message);
    const owner = (job.metadata as unknown as { ownerReferences: [{ name: string; uid: string }] }).ownerReferences[0];
    expect(new Set(reported.map(({ monitor }) => monitor))).toEqual(new Set([owner.uid]));
    expect(cronitor.monitors.get(owner.uid)?.name).toBe(`${kube.namespace}/${owner.name}`);
  }
  expect([cronitor.violations, cronitor.autoCreated]).toEqual([[], []]);
}
