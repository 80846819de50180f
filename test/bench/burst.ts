import type { ChildProcess } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { readKubeAccess } from '../../bridge/cluster/kube-access.ts';
import { Releases } from '../../bridge/lib/releases.ts';
import type { KubeObject } from '../harness/kube.ts';
import { until } from '../harness/kube.ts';
import { cronJob } from '../e2e/workloads.ts';
import type { Edge } from './latency-cluster.ts';
import type { LogApi } from './log-api.ts';
import { startLogApi } from './log-api.ts';
import { ask, machine, onCpuMs, printTable, quantile, round, say, startChild } from './measure.ts';
import type { Stage } from './stage.ts';
import { setStage } from './stage.ts';

/**
 * What 100 Jobs in 69 s cost, their logs shipped, and how late a vendor hears of them: control plane of scripts/cluster, real
 * Collector, real bridge, simulated vendor; the logs come from before the API server, whose simulated kubelets have none.
 * Beside them two plain watches, of Jobs and of Pods, by the Kubernetes client of Node. CPU by the kernel's nanoseconds. Three
 * minutes. JOBS and SECONDS are other sizes; PROFILE=folder leaves CPU profiles of the bridge's threads.
 */
const JOBS = Number(process.env['JOBS'] ?? 100);
const SECONDS = Number(process.env['SECONDS'] ?? 69);
const PROFILE = process.env['PROFILE'];
const CRON_JOBS = 20;
/** The bridge is started, audited and idle by then. */
const SETTLE_MS = 15_000;
const TOLD_MS = 120_000;
const EDGES: readonly Edge[] = ['run', 'complete'];

interface Setting extends Stage {
  readonly logs: LogApi;
  readonly watch: ChildProcess;
}

async function set(releases: Releases): Promise<Setting> {
  let logs: LogApi | undefined;
  const env = PROFILE === undefined ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${PROFILE}` };
  const before = async (kubeconfig: string, folder: string): Promise<string> => {
    logs = await startLogApi(await readKubeAccess(kubeconfig), folder);
    releases.add(() => logs?.close());
    return logs.kubeconfig;
  };
  const stage = await setStage(releases, { env, addressLimit: true, before });
  const names = Array.from({ length: CRON_JOBS }, (_, number) => `burst-${number}`);
  await stage.kube.apply(...names.map((name) => cronJob({ name, pod: { run: '2s' } })));
  await until('every monitor is there', () => stage.vendors.cronitor.monitors.size === CRON_JOBS, TOLD_MS);
  const watch = startChild('plain-watch.ts', stage.kubeconfig);
  releases.add(() => void watch.kill());
  await ask(watch);
  await stage.bridge.settled();
  say(`settling for ${SETTLE_MS / 1000} s`);
  await pause(SETTLE_MS);
  return { ...stage, logs: logs!, watch };
}

/** Begins the runs at even times; returns their UIDs. */
async function startRuns({ cluster, kube }: Setting): Promise<string[]> {
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

/** Until the vendor has both edges and the log of each run; what is missing then, the figures tell. */
async function told({ vendors }: Setting, uids: readonly string[]): Promise<void> {
  const have = (): boolean => {
    const pings = new Set(vendors.cronitor.pings.map(({ query }) => `${query.series} ${query.state}`));
    const shipped = new Set(vendors.cronitor.logs.uploads.map(({ series }) => series));
    return uids.every((uid) => shipped.has(uid) && EDGES.every((edge) => pings.has(`${uid} ${edge}`)));
  };
  await until('every run is told', have, TOLD_MS).catch((error: unknown) => say(String(error)));
}

/** From the moment at which a plain watch saw an edge until the vendor had it, in ms. */
function lateness({ cluster, vendors }: Setting, uids: readonly string[], edge: Edge) {
  const at = new Map(vendors.cronitor.pings.map(({ at, query }) => [`${query.series} ${query.state}`, at]));
  const keys = uids.map((uid) => `${uid} ${edge}`);
  const late = keys.map((key) => at.get(key)! - cluster.seen.get(key)!).filter((ms) => !Number.isNaN(ms));
  const of = (share: number): number => Math.round(quantile(late, share));
  return { told: edge, runs: JOBS, missing: JOBS - late.length, p50Ms: of(0.5), p95Ms: of(0.95), maxMs: of(1) };
}

async function measure(setting: Setting) {
  const { bridge, collector, watch, vendors, logs } = setting;
  const pids = { bridge: bridge.pid, Collector: collector.pid, 'two plain watches': watch.pid };
  const cpu = (): number[] => Object.values(pids).map((pid) => onCpuMs(pid));
  say(`${JOBS} Jobs in ${SECONDS} s`);
  const [before, began] = [cpu(), Date.now()];
  const uids = await startRuns(setting);
  const begunIn = round((Date.now() - began) / 1000);
  await told(setting, uids);
  const used = cpu().map((ms, at) => (ms - before[at]!) / 1000);
  const costs = Object.keys(pids).map((what, at) => ({
    what,
    'CPU s': round(used[at]!, 2),
    'times the plain watches': round(used[at]! / used[2]!, 2),
  }));
  const edges = EDGES.map((edge) => lateness(setting, uids, edge));
  return { begunIn, costs, told: edges, logsRead: logs.reads(), logsShipped: vendors.cronitor.logs.uploads.length };
}

const releases = new Releases();
try {
  const setting = await set(releases);
  const { costs, told, ...rest } = await measure(setting);
  await setting.bridge.stop(); // leaves its profile
  printTable(costs);
  printTable(told);
  console.log(
    JSON.stringify({ benchmark: 'burst', machine: machine(), jobs: JOBS, seconds: SECONDS, costs, told, ...rest }),
  );
} finally {
  say('stopping');
  await releases.release((error) => console.error(error));
}
process.exit();
