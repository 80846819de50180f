import type { ChildProcess } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { readKubeAccess } from '../../bridge/cluster/kube-access.ts';
import { Releases } from '../../bridge/lib/releases.ts';
import { until } from '../harness/kube.ts';
import { cronJob } from '../e2e/workloads.ts';
import {
  costsOf,
  EDGES,
  JOBS,
  lateness,
  REPORTED_MS,
  SECONDS,
  startRuns,
  untilReported,
  workOf,
  workSince,
} from './burst-runs.ts';
import type { LogApi } from './log-api.ts';
import { startLogApi } from './log-api.ts';
import { ask, machine, onCpuMs, printTable, round, say, startChild } from './measure.ts';
import type { Stage } from './stage.ts';
import { setStage } from './stage.ts';

/**
 * What 100 Jobs in 69 s cost, their logs shipped, and how late a vendor hears of them: control plane of scripts/cluster, real
 * Collector, real bridge, simulated vendor; the logs come from before the API server, whose simulated kubelets have none.
 * Beside them two plain watches, of Jobs and of Pods, by the Kubernetes client of Node. CPU by the kernel's nanoseconds. Three
 * minutes. JOBS and SECONDS are other sizes; PROFILE=folder leaves CPU profiles of the bridge's threads.
 */
const PROFILE = process.env['PROFILE'];
const CRON_JOBS = 20;
/** The bridge is started, audited and idle by then. */
const SETTLE_MS = 15_000;

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
  await until('every monitor is there', () => stage.vendors.cronitor.monitors.size === CRON_JOBS, REPORTED_MS);
  const watch = startChild('plain-watch.ts', stage.kubeconfig);
  releases.add(() => void watch.kill());
  await ask(watch);
  await stage.bridge.settled();
  say(`settling for ${SETTLE_MS / 1000} s`);
  await pause(SETTLE_MS);
  return { ...stage, logs: logs!, watch };
}

async function measure(setting: Setting) {
  const { bridge, collector, watch, vendors, logs } = setting;
  const pids = { bridge: bridge.pid, Collector: collector.pid, 'two plain watches': watch.pid };
  const cpu = (): number[] => Object.values(pids).map((pid) => onCpuMs(pid));
  say(`${JOBS} Jobs in ${SECONDS} s`);
  const metrics = async (): Promise<string> => (await fetch(`${bridge.pageUrl}metrics`)).text();
  const [work, before, began] = [await workOf(bridge.pid, metrics), cpu(), Date.now()];
  const uids = await startRuns(setting);
  const begunIn = round((Date.now() - began) / 1000);
  await untilReported(setting, uids);
  const costs = costsOf(
    Object.keys(pids),
    cpu().map((ms, at) => (ms - before[at]!) / 1000),
  );
  const bridgeWork = workSince(work, await workOf(bridge.pid, metrics));
  const edges = EDGES.map((edge) => lateness(setting, uids, edge));
  return {
    begunIn,
    costs,
    bridge: bridgeWork,
    reported: edges,
    logsRead: logs.reads(),
    logsShipped: vendors.cronitor.logs.uploads.length,
  };
}

const releases = new Releases();
try {
  const setting = await set(releases);
  const { costs, reported, ...rest } = await measure(setting);
  await setting.bridge.stop(); // leaves its profile
  printTable(costs);
  printTable(reported);
  console.log(
    JSON.stringify({ benchmark: 'burst', machine: machine(), jobs: JOBS, seconds: SECONDS, costs, reported, ...rest }),
  );
} finally {
  say('stopping');
  await releases.release((error) => console.error(error));
}
process.exit();
