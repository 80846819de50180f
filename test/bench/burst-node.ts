import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { readKubeAccess } from '../../bridge/cluster/kube-access.ts';
import { Releases } from '../../bridge/lib/releases.ts';
import { packageChart } from '../chart/helm.ts';
import { startMetricsSink } from '../chart/metrics-sink.ts';
import { imageArchives, startFullCluster } from '../harness/full-cluster.ts';
import { createNamespace, until } from '../harness/kube.ts';
import { releaseIn } from '../node/release.ts';
import { valuesFor } from '../node/values.ts';
import { cronJob } from '../node/workloads.ts';
import { startVendors } from '../vendors/start-vendors.ts';
import { makeRelay } from './batch-relay.ts';
import type { BurstStage } from './burst-runs.ts';
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
import { LatencyCluster } from './latency-cluster.ts';
import { ask, machine, onCpuMs, printTable, say, startChild } from './measure.ts';

/**
 * The burst of burst.ts on a real node: the chart with its default values, real containers and their real logs, beside two
 * plain watches. Needs root; four minutes, of which the node takes half. JOBS and SECONDS are other sizes. BATCHES=1 has the
 * queue of a newer Collector between the node's own and the bridge (batch-relay.ts).
 */
const BATCHES = process.env['BATCHES'] === '1';
const CRON_JOBS = 20;
const SETTLE_MS = 30_000;

interface Setting extends BurstStage {
  readonly name: string;
  readonly watch: ChildProcess;
  /** The process of the newer Collector, if there is one. */
  readonly relay: number | undefined;
  /** The metrics of the bridge. */
  readonly metrics: () => Promise<string>;
}

async function set(releases: Releases): Promise<Setting> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  releases.add(() => rmSync(folder, { recursive: true }));
  const name = `bench-${process.pid}`;
  say('starting a node');
  const images = await imageArchives();
  const full = await startFullCluster(name);
  releases.add(() => full.down());
  await full.load(...images);
  const { kubeconfig, hostIp, nodeIp } = full;
  const node = { cluster: name, kubeconfig, hostIp };
  const vendors = await startVendors({ host: hostIp });
  releases.add(() => vendors.close());
  const sink = await startMetricsSink('', hostIp);
  releases.add(() => sink.close());
  const kube = await createNamespace(kubeconfig, 'burst');
  await kube.kubectl(['create', 'secret', 'generic', 'cronitor', `--from-literal=api-key=${vendors.key}`]);
  const works = Array.from({ length: CRON_JOBS }, (_, at) => ({ name: `burst-${at}`, script: 'echo begun; sleep 2' }));
  await kube.apply(...works.map(cronJob));
  say('installing the chart');
  const release = releaseIn(node, kube, 'lb', folder);
  const relay = BATCHES ? await makeRelay(hostIp, nodeIp, folder) : undefined;
  releases.add(() => relay?.close());
  const values = valuesFor(node, vendors, sink);
  await release.apply(await packageChart(), { ...values, ...(relay && { collector: relay.collector }) });
  const relayPid = await relay?.start(kube, release.name);
  await until('every monitor is there', () => vendors.cronitor.monitors.size === CRON_JOBS, REPORTED_MS);
  const cluster = new LatencyCluster(await readKubeAccess(kubeconfig), kube.namespace);
  releases.add(() => cluster.close());
  await cluster.watch();
  const watch = startChild('plain-watch.ts', kubeconfig);
  releases.add(() => void watch.kill());
  await ask(watch);
  await release.settled();
  say(`settling for ${SETTLE_MS / 1000} s`);
  await pause(SETTLE_MS);
  const path = `/api/v1/namespaces/${kube.namespace}/services/lb-bridge:http/proxy/metrics`;
  return { cluster, kube, vendors, name, watch, relay: relayPid, metrics: () => kube.kubectl(['get', '--raw', path]) };
}

/** The process in a pod of this cluster's node whose command line has a word. */
function pidOf(cluster: string, word: string): number {
  const found = readdirSync('/proc').find((pid) => {
    try {
      const of = (file: string): string => readFileSync(`/proc/${Number(pid)}/${file}`, 'utf8');
      const cgroup = of('cgroup');
      return of('cmdline').includes(word) && cgroup.includes(`lb-${cluster}`) && cgroup.includes('kubepods');
    } catch {
      return false;
    }
  });
  if (found === undefined) throw new Error(`no process of the node runs ${word}`);
  return Number(found);
}

async function measure(setting: Setting) {
  const { name, watch, relay, vendors, metrics } = setting;
  const pids = {
    bridge: pidOf(name, 'lifecycle-bridge'),
    Collector: pidOf(name, 'otelcol'),
    ...(relay !== undefined && { 'newer Collector': relay }),
    'two plain watches': watch.pid,
  };
  const cpu = (): number[] => Object.values(pids).map((pid) => onCpuMs(pid));
  say(`${JOBS} Jobs in ${SECONDS} s`);
  const [work, before] = [await workOf(pids.bridge, metrics), cpu()];
  const uids = await startRuns(setting);
  await untilReported(setting, uids);
  const used = cpu().map((ms, at) => (ms - before[at]!) / 1000);
  const bridge = workSince(work, await workOf(pids.bridge, metrics));
  const edges = EDGES.map((edge) => lateness(setting, uids, edge));
  const costs = costsOf(Object.keys(pids), used);
  return { costs, bridge, reported: edges, logsShipped: vendors.cronitor.logs.uploads.length };
}

const releases = new Releases();
try {
  const { costs, bridge, reported, logsShipped } = await measure(await set(releases));
  printTable(costs);
  printTable(reported);
  const sizes = { queue: BATCHES ? 'batches' : 'single', jobs: JOBS, seconds: SECONDS, logsShipped };
  console.log(JSON.stringify({ benchmark: 'burst on a node', machine: machine(), ...sizes, costs, bridge, reported }));
} finally {
  say('stopping');
  await releases.release((error) => console.error(error));
}
process.exit();
