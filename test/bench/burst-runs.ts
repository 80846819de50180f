import { setTimeout as pause } from 'node:timers/promises';
import type { Kube, KubeObject } from '../harness/kube.ts';
import { until } from '../harness/kube.ts';
import type { Vendors } from '../vendors/start-vendors.ts';
import type { Edge, LatencyCluster } from './latency-cluster.ts';
import { onCpuByThread, quantile, round, say } from './measure.ts';

export const JOBS = Number(process.env['JOBS'] ?? 100);
export const SECONDS = Number(process.env['SECONDS'] ?? 69);
export const REPORTED_MS = 120_000;
export const EDGES: readonly Edge[] = ['run', 'complete'];

/** Where runs of CronJobs are started, and who hears of them. */
export interface BurstStage {
  readonly cluster: LatencyCluster;
  readonly kube: Kube;
  readonly vendors: Vendors;
}

/** Begins the runs at even times; returns their UIDs. */
export async function startRuns({ cluster, kube }: BurstStage): Promise<string[]> {
  const owners: readonly KubeObject[] = await kube.list('cronjobs');
  const began = Date.now();
  const starts: Promise<string>[] = [];
  for (let run = 0; run < JOBS; run++) {
    await pause(Math.max(0, began + (run * SECONDS * 1000) / JOBS - Date.now()));
    const owner = owners[run % owners.length]!;
    starts.push(cluster.startRun(owner as never, `${owner.metadata.name}-${run}`));
  }
  return Promise.all(starts);
}

/** Until the vendor has both edges and the log of each run; what is missing then, the figures show. */
export async function untilReported({ vendors }: BurstStage, uids: readonly string[]): Promise<void> {
  const have = (): boolean => {
    const pings = new Set(vendors.cronitor.pings.map(({ query }) => `${query.series} ${query.state}`));
    const shipped = new Set(vendors.cronitor.logs.uploads.map(({ series }) => series));
    return uids.every((uid) => shipped.has(uid) && EDGES.every((edge) => pings.has(`${uid} ${edge}`)));
  };
  await until('every run is reported', have, REPORTED_MS).catch((error: unknown) => say(String(error)));
}

/** From the moment at which a plain watch saw an edge until the vendor had it, in ms. */
export function lateness({ cluster, vendors }: BurstStage, uids: readonly string[], edge: Edge) {
  const at = new Map(vendors.cronitor.pings.map(({ at, query }) => [`${query.series} ${query.state}`, at]));
  const keys = uids.map((uid) => `${uid} ${edge}`);
  const late = keys.map((key) => at.get(key)! - cluster.seen.get(key)!).filter((ms) => !Number.isNaN(ms));
  const of = (share: number): number => Math.round(quantile(late, share));
  return { reported: edge, runs: JOBS, missing: JOBS - late.length, p50Ms: of(0.5), p95Ms: of(0.95), maxMs: of(1) };
}

/** What each of `names` used, in CPU seconds, the last being the plain watches. */
export function costsOf(names: readonly string[], used: readonly number[]) {
  return names.map((what, at) => ({
    what,
    'CPU s': round(used[at]!, 2),
    'times the plain watches': round(used[at]! / used.at(-1)!, 2),
  }));
}

/** What the bridge has done and used since its start, to be compared with a later one. */
export interface BridgeWork {
  readonly threads: Readonly<Record<string, number>>;
  readonly requests: number;
  readonly records: number;
  readonly commits: number;
}

export async function workOf(pid: number | undefined, metrics: () => Promise<string>): Promise<BridgeWork> {
  const text = await metrics();
  const sum = (name: string): number =>
    [...text.matchAll(new RegExp(`^lifecycle_bridge_${name}(?:\\{[^}]*\\})? (\\d+)`, 'gm'))].reduce(
      (total, [, value]) => total + Number(value),
      0,
    );
  return {
    threads: onCpuByThread(pid),
    requests: sum('requests_total'),
    records: sum('records_total'),
    commits: sum('commit_duration_seconds_count'),
  };
}

/** The CPU seconds of a burst by threads, and those from the start until it: loading, the first LISTs, the audits. */
export function workSince(before: BridgeWork, after: BridgeWork) {
  const seconds = (ms: number): number => round(ms / 1000, 2);
  const threads = Object.entries(after.threads)
    .map(([name, ms]) => [name, seconds(ms - (before.threads[name] ?? 0))] as const)
    .filter(([, used]) => used > 0.01);
  return {
    requests: after.requests - before.requests,
    records: after.records - before.records,
    commits: after.commits - before.commits,
    threads: Object.fromEntries(threads),
    'before, CPU s': seconds(Object.values(before.threads).reduce((sum, ms) => sum + ms, 0)),
  };
}
