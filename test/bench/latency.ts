import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Releases } from '../../bridge/lib/releases.ts';
import { until } from '../harness/kube.ts';
import type { KubeObject } from '../harness/kube.ts';
import { cronJob } from '../e2e/workloads.ts';
import type { Edge } from './latency-cluster.ts';
import { machine, printTable, quantile, round, say } from './measure.ts';
import type { Stage } from './stage.ts';
import { setStage, usage } from './stage.ts';

/**
 * From the moment at which a plain watch sees a run begin or end until the vendor has the request about it: control
 * plane of scripts/cluster, real Collector, real bridge, simulated vendor, runs of 50 CronJobs. About three minutes;
 * arguments are other rates: `npm run bench:latency -- 5 20`.
 */
const CRON_JOBS = 50;
/** At most this many runs a second keep below the 50 requests a second that Cronitor allows an address. */
const LIMITED_RATE = 24;
const RATES = process.argv.slice(2).map(Number);
const RUNS_PER_SECOND = RATES.length > 0 ? RATES : [1, 5, 10, 20, 50];
const ROW_MS = Number(process.env['ROW_SECONDS'] ?? 20) * 1_000;
const REPORTED_MS = 60_000;

interface Row {
  readonly runsPerSecond: number;
  readonly runs: number;
  /** Beginnings and ends that had not arrived a minute later. */
  readonly missing: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** CPU, in cores: of the control plane with its simulated nodes, the Collector, the bridge, and this process. */
  readonly controlPlaneCores: number;
  readonly collectorCores: number;
  readonly bridgeCores: number;
  readonly benchCores: number;
  /** Runs a second that were really begun. */
  readonly reached: number;
}

interface Setting extends Stage {
  readonly owners: readonly KubeObject[];
}

/** Begins runs at even times, whatever becomes of those before; returns their UIDs. */
async function startRuns({ cluster, owners }: Setting, perSecond: number): Promise<string[]> {
  const began = Date.now();
  const count = Math.round((perSecond * ROW_MS) / 1000);
  const starts: Promise<string>[] = [];
  for (let run = 0; run < count; run++) {
    const waitMs = began + (run * 1000) / perSecond - Date.now();
    if (waitMs > 0) await pause(waitMs);
    const owner = owners[run % owners.length]!;
    starts.push(cluster.startRun(owner as never, `${owner.metadata.name}-${perSecond}-${run}`));
  }
  return Promise.all(starts);
}

async function measure(setting: Setting, perSecond: number): Promise<Row> {
  const { cluster, vendors } = setting;
  const before = usage(setting);
  const began = Date.now();
  const uids = await startRuns(setting, perSecond);
  const startedMs = Date.now() - began;
  const keys = uids.flatMap((uid) => (['run', 'complete'] as Edge[]).map((edge) => `${uid} ${edge}`));
  const reported = (): Map<string, number> =>
    new Map(vendors.cronitor.pings.map(({ at, query }) => [`${query.series} ${query.state}`, at]));
  // A row that is not complete says so; it does not end the bench.
  await until(
    `both pings of ${uids.length} runs`,
    () => {
      const found = reported();
      return keys.every((key) => found.has(key));
    },
    REPORTED_MS,
  ).catch((error: unknown) => say(String(error)));
  const arrived = reported();
  const seconds = (Date.now() - began) / 1000;
  const cores = usage(setting).map((used, at) => round((used - before[at]!) / seconds, 2));
  const latencies = keys.flatMap((key) => {
    const [at, seen] = [arrived.get(key), cluster.seen.get(key)];
    return at === undefined || seen === undefined ? [] : [at - seen];
  });
  const row = {
    runsPerSecond: perSecond,
    runs: uids.length,
    missing: keys.length - latencies.length,
    p50Ms: Math.round(quantile(latencies, 0.5)),
    p99Ms: Math.round(quantile(latencies, 0.99)),
    maxMs: Math.round(Math.max(...latencies)),
    controlPlaneCores: cores[0]!,
    collectorCores: cores[1]!,
    bridgeCores: cores[2]!,
    benchCores: cores[3]!,
    reached: round((uids.length / startedMs) * 1000),
  };
  say(`${perSecond} runs/s: p50 ${row.p50Ms} ms, p99 ${row.p99Ms} ms`);
  return row;
}

/** A stage with the CronJobs known at the vendor. */
async function withCronJobs(stage: Stage): Promise<Setting> {
  const { kube, vendors } = stage;
  const names = Array.from({ length: CRON_JOBS }, (_, number) => `job-${number}`);
  await kube.apply(...names.map((name) => cronJob({ name, pod: { run: '1s' } })));
  await until('every monitor is there', () => vendors.cronitor.monitors.size === CRON_JOBS, REPORTED_MS);
  return { ...stage, owners: await kube.list('cronjobs') };
}

const releases = new Releases();
const env: Record<string, string> = {};
const rows: Row[] = [];
try {
  const setting = await withCronJobs(await setStage(releases, { env, addressLimit: false }));
  say('warming up');
  await measure(setting, 2);
  for (const perSecond of RUNS_PER_SECOND) {
    if (perSecond > LIMITED_RATE && env['NODE_OPTIONS'] === undefined) {
      env['NODE_OPTIONS'] = `--import=${join(import.meta.dirname, 'no-address-limit.ts')}`;
      await setting.bridge.stop();
      await setting.bridge.start();
      await measure(setting, 3);
    }
    rows.push(await measure(setting, perSecond));
  }
} finally {
  say('stopping');
  await releases.release((error) => console.error(error));
}
printTable(rows.map((row) => ({ ...row })));
console.log(JSON.stringify({ benchmark: 'latency', machine: machine(), cronJobs: CRON_JOBS, rows }));
process.exit(0);
