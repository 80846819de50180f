import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { Releases } from '../../bridge/lib/releases.ts';
import type { Bridge } from '../harness/bridge.ts';
import { startBridge } from '../harness/bridge.ts';
import { startCluster } from '../harness/cluster.ts';
import type { Collector } from '../harness/collector.ts';
import { startCollector } from '../harness/collector.ts';
import type { Kube, KubeObject } from '../harness/kube.ts';
import { createNamespace, until } from '../harness/kube.ts';
import { cronJob } from '../e2e/workloads.ts';
import type { PingQuery } from '../vendors/cronitor-rules.ts';
import type { Vendors } from '../vendors/start-vendors.ts';
import { startVendors } from '../vendors/start-vendors.ts';
import type { Api } from './api.ts';
import { openApi, runCronJob } from './api.ts';

/** Seed of everything random in this run; FAULT_SEED repeats one. */
export const SEED = Number(process.env['FAULT_SEED'] ?? Date.now() % 1_000_000);

/** FAULTS=short: fewer runs and no long waits, for CI; a scenario that cannot be short is `it.skipIf(SHORT)`. */
export const SHORT = process.env['FAULTS'] === 'short';

/** Settings with which the audit finds within seconds what it finds within minutes by default. */
export const FAST_AUDIT = {
  LIFECYCLE_BRIDGE__CLUSTER__AUDIT__INTERVAL: '2s',
  LIFECYCLE_BRIDGE__CLUSTER__AUDIT__GRACE: '4s',
};

/** A small generator of numbers in [0, 1) that a seed repeats (mulberry32). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Everything real: cluster, Collector, bridge, vendor simulator. */
export interface Stage {
  /** Name of the lite cluster, for scripts/cluster. */
  readonly cluster: string;
  readonly kubeconfig: string;
  /** Removed at the end. */
  readonly dataDir: string;
  readonly kube: Kube;
  readonly api: Api;
  readonly vendors: Vendors;
  readonly bridge: Bridge;
  readonly collector: Collector;
  /** Another Collector on the same cluster and bridge. */
  secondCollector(): Promise<Collector>;
  close(): Promise<void>;
}

/** What a file of the suite wants otherwise. */
export interface StageOptions {
  /** More settings of the bridge. */
  readonly env?: Readonly<Record<string, string>>;
  /** Folder of the bridge's store, if it is not to be one of the stage's own. */
  readonly bridgeDir?: string;
  /** Holds the token that the Collectors send. */
  readonly tokenFile?: string;
  /** Who the bridge and the Collector are in the cluster; without it they may do everything. */
  readonly accounts?: (kube: Kube, kubeconfig: string, dataDir: string) => Promise<Accounts>;
  /** Sets something between the Collectors and the bridge: the host:port for the former, from that of the latter. */
  readonly between?: (bridgeEndpoint: string) => Promise<string>;
}

/** Paths of kubeconfigs. */
export interface Accounts {
  readonly bridge: string;
  readonly collector: string;
}

/** Sets the stage of one file of the suite; each has a cluster of its own, so that files run side by side. */
export async function setStage(name: string, options: StageOptions = {}): Promise<Stage> {
  console.log(`FAULT_SEED=${SEED}`);
  const releases = new Releases();
  return setWith(releases, name, options).catch(async (error: unknown) => {
    await releases.release();
    throw error;
  });
}

async function setWith(releases: Releases, name: string, options: StageOptions): Promise<Stage> {
  const dataDir = mkdtempSync(join(tmpdir(), 'faults-'));
  releases.add(() => rmSync(dataDir, { recursive: true }));
  const clusterName = `${name}-${process.pid}`;
  const cluster = await startCluster(clusterName);
  releases.add(() => cluster.stop());
  const { kubeconfig } = cluster;
  const kube = await createNamespace(kubeconfig, 'faults');
  releases.add(() => kube.removeNamespace());
  const api = await openApi(kubeconfig);
  releases.add(() => api.close());
  const vendors = await startVendors();
  releases.add(() => vendors.close());
  const { env = {}, bridgeDir = dataDir, tokenFile, accounts, between } = options;
  const account = (await accounts?.(kube, kubeconfig, dataDir)) ?? { bridge: kubeconfig, collector: kubeconfig };
  const vendor = { vendorsUrl: vendors.url, vendorKey: vendors.key };
  const bridge = await startBridge({ ...vendor, dataDir: bridgeDir, kubeconfig: account.bridge, env });
  releases.add(async () => void (await bridge.stop()));
  const bridgeEndpoint = (await between?.(bridge.endpoint)) ?? bridge.endpoint;
  const collect = async (name: string): Promise<Collector> => {
    const token = tokenFile === undefined ? {} : { tokenFile };
    const { pageUrl: bridgePageUrl } = bridge;
    const options = { kubeconfig: account.collector, bridgeEndpoint, bridgePageUrl, clusterName: 'faults', ...token };
    const collector = await startCollector({ ...options, dataDir: join(dataDir, name) });
    releases.add(() => collector.stop());
    return collector;
  };
  const collector = await collect('collector');
  const close = (): Promise<void> => releases.release();
  return {
    cluster: clusterName,
    kubeconfig,
    dataDir,
    kube,
    api,
    vendors,
    bridge,
    collector,
    secondCollector: () => collect('second'),
    close,
  };
}

export interface Started {
  readonly job: KubeObject;
  readonly end: 'complete' | 'fail';
}

export interface RunOptions {
  /** How long each takes. */
  readonly run?: string;
  /** Jobs stay after their end; else those before the last few are removed soon. */
  readonly keep?: boolean;
  /** Jobs are removed as soon as they have ended: what the stream loses of them no LIST shows. */
  readonly vanish?: boolean;
}

/** Two CronJobs, one that succeeds and one that fails at once. */
export async function makeCronJobs(
  { kube }: Stage,
  name: string,
  { run = '1s', keep = false, vanish = false }: RunOptions = {},
): Promise<void> {
  const job = vanish ? { ttlSecondsAfterFinished: 0 } : {};
  const cronJobs = [
    cronJob({ name: `${name}-ok`, pod: { run }, job, keep }),
    cronJob({ name: `${name}-bad`, pod: { run, exit: '3' }, job: { ...job, backoffLimit: 0 }, keep }),
  ];
  await kube.apply(...cronJobs);
}

/** Starts run number `n`; every third fails. */
export async function startRun({ kube, api }: Stage, name: string, n: number): Promise<Started> {
  const bad = n % 3 === 0;
  const job = await runCronJob(api, kube.namespace, `${name}-${bad ? 'bad' : 'ok'}`, `${name}-${n}`);
  return { job, end: bad ? 'fail' : 'complete' };
}

/** Starts runs one after the other while `disturb` does its work between them. */
export async function runs(
  stage: Stage,
  name: string,
  count: number,
  disturb: (n: number) => Promise<void> = async () => undefined,
  options: RunOptions = {},
): Promise<Started[]> {
  await makeCronJobs(stage, name, options);
  const started: Started[] = [];
  for (let n = 0; n < count; n++) {
    started.push(await startRun(stage, name, n));
    await disturb(n);
  }
  return started;
}

/** Repeats `disturb` until `work` is done. */
export async function during<T>(work: Promise<T>, disturb: () => Promise<void>): Promise<T> {
  const over = new AbortController();
  const done = work.finally(() => over.abort());
  done.catch(() => undefined); // awaited below
  while (!over.signal.aborted) await disturb();
  return done;
}

/** The pings of a run that Cronitor has, in order: `state stamp`. */
export const pingsOf = ({ vendors }: Stage, { metadata }: KubeObject): string[] =>
  vendors.cronitor.pings
    .filter(({ query }) => query.series === metadata.uid)
    .map(({ query }) => `${query.state} ${query.stamp}`);

/** A ping whose answer was lost comes again, the same and before the next one: it is here once. */
export const onceEach = (pings: readonly string[]): string[] => pings.filter((ping, n) => ping !== pings[n - 1]);

/** How often the bridge did not learn what became of a ping: so often it may have come again. */
async function lostAnswers({ bridge }: Stage, { metadata }: KubeObject, ping: string): Promise<number> {
  const { deliveries } = (await (await fetch(`${bridge.pageUrl}api/runs/${metadata.uid}`)).json()) as {
    deliveries: readonly { payload: { query?: PingQuery }; unknownOutcomes: number }[];
  };
  const of = deliveries.find(({ payload: { query } }) => `${query?.state} ${query?.stamp}` === ping);
  return of?.unknownOutcomes ?? 0;
}

/**
 * Waits for both pings of each run, then proves that each came once and in order: again only if the bridge had to give up
 * waiting for the answer, which a machine that stands still makes it do, or if `repeats`. Returns how many came again.
 */
export async function expectReported(
  stage: Stage,
  runs: readonly Started[],
  { repeats = false } = {},
): Promise<number> {
  const open = (): string[] =>
    runs
      .filter(({ job, end }) => !pingsOf(stage, job).some((ping) => ping.startsWith(end)))
      .map(({ job }) => job.metadata.name);
  await until('every run has ended at the vendor', () => open().length === 0, 240_000).catch(async (error: unknown) => {
    // Whether it is the bridge that does not report, or the cluster that does not end them.
    const cluster = await stage.kube.kubectl(['get', 'jobs,pods', '--output=wide']).catch(String);
    throw new Error(`${String(error)}: ${open().join(', ')} (seed ${SEED})\n${cluster}`);
  });
  let repeated = 0;
  for (const { job, end } of runs) {
    const all = pingsOf(stage, job);
    const reported = onceEach(all);
    repeated += all.length - reported.length;
    for (const ping of reported) {
      const more = all.filter((other) => other === ping).length - 1;
      if (more > 0 && !repeats)
        expect(more, `${ping}, seed ${SEED}`).toBeLessThanOrEqual(await lostAnswers(stage, job, ping));
    }
    expect(
      reported.map((ping) => ping.split(' ')[0]),
      `${job.metadata.name}, seed ${SEED}`,
    ).toEqual(['run', end]);
  }
  expect(stage.vendors.cronitor.autoCreated).toEqual([]);
  return repeated;
}
