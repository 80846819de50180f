import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import type { Bridge } from '../harness/bridge.ts';
import { startBridge } from '../harness/bridge.ts';
import { until } from '../harness/kube.ts';
import { connectOtlp, encodeLogs, watchBody } from '../otlp-client.ts';
import { startVendors } from '../vendors/start-vendors.ts';
import { ask, cpuSeconds, machine, memory, printTable, quantile, round, say, startChild } from './measure.ts';
import type { ApiCounts, ApiState } from './scale-api.ts';
import { writeKubeconfig } from './scale-kubeconfig.ts';
import type { Population } from './scale-objects.ts';
import { makePopulation } from './scale-objects.ts';

/**
 * How start, audit, memory and commits grow with the number of live objects. The bridge is the real one; the Kubernetes
 * API is simulated, since a control plane with 100,000 objects needs more than this machine. About six minutes;
 * arguments are other sizes: `npm run bench:scale -- 1000 10000`. BRIDGE_NODE_OPTIONS are flags of the bridge's Node.
 */
const NODE_OPTIONS = process.env['BRIDGE_NODE_OPTIONS'] ?? '';
const SIZES = process.argv.slice(2).map(Number);
const OBJECTS = SIZES.length > 0 ? SIZES : [1_000, 10_000, 100_000];
const IDLE_SECONDS = Number(process.env['IDLE_SECONDS'] ?? 60);
const SETTLE_MS = 3_000;
/** For each object, until the hourly pass of the retention is over. */
const RETENTION_MS = 2.5;
const AUDIT_MS = 300_000;
/** CronJobs, Jobs and Pods; Deployments and their ReplicaSets. */
const AUDITED = 5;

interface Start {
  /** From the start of the process until its page answers. */
  readonly readyMs: number;
  /** From the start of the process until every kind is audited. */
  readonly auditedMs: number;
  readonly requests: number;
  readonly megabytes: number;
  readonly peakMb: number;
  readonly rssMb: number;
  readonly cpuSeconds: number;
}

interface Commits {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

interface Result {
  readonly objects: number;
  /** Nothing is known: full objects are listed. */
  readonly first: Start;
  /** Everything is known and nothing has changed. */
  readonly same: Start;
  /** One in a hundred has changed. */
  readonly changed: Start;
  /** Acknowledgement of one record, and of 100, that change a state each. */
  readonly commit: { readonly one: Commits; readonly hundred: Commits };
  readonly storeMb: number;
}

interface Setting {
  readonly api: ChildProcess;
  readonly bridge: Bridge;
  readonly population: Population;
  readonly objects: number;
}

/** When the LIST of each kind was complete, from the log after `from`. */
function listed(logFile: string, from: number): number[] {
  const lines = readFileSync(logFile).subarray(from).toString().split('\n');
  const complete = lines.filter((line) => line.includes('"LIST complete"'));
  return complete.map((line) => Date.parse((JSON.parse(line) as { time: string }).time));
}

/** Starts the bridge and waits until it has audited every kind. */
async function measureStart({ api, bridge, objects }: Setting, turn: number): Promise<Start> {
  await ask(api, { objects, round: turn } satisfies ApiState);
  const from = statSync(bridge.logFile, { throwIfNoEntry: false })?.size ?? 0;
  const began = Date.now();
  await bridge.start();
  const readyMs = Date.now() - began;
  const at = await until(
    'every kind is audited',
    () => {
      const times = listed(bridge.logFile, from);
      return times.length >= AUDITED && Math.max(...times);
    },
    AUDIT_MS,
  );
  const used = cpuSeconds(bridge.pid);
  await pause(SETTLE_MS);
  const { requests, megabytes } = await ask<ApiCounts>(api, 'counts');
  const { nowMb, peakMb } = memory(bridge.pid);
  return {
    readyMs,
    auditedMs: at - began,
    requests,
    megabytes: round(megabytes),
    peakMb,
    rssMb: nowMb,
    cpuSeconds: round(used),
  };
}

/** Sends requests of `perRequest` pods whose container restarted once more, one after the other. */
async function measureCommits(setting: Setting, perRequest: number, requests: number): Promise<Commits> {
  const { population, bridge } = setting;
  const client = connectOtlp(bridge.endpoint);
  const pods = Math.floor(population.count('pods') / 2);
  const latencies: number[] = [];
  for (let request = 0; request < requests; request++) {
    const observedAt = Date.now();
    const records = Array.from({ length: perRequest }, (_, at) => {
      const number = request * perRequest + at;
      return { body: watchBody('MODIFIED', restarted(population, number % pods, number)), observedAt };
    });
    const bytes = encodeLogs(records, { clusterName: 'bench' });
    const began = performance.now();
    const { code, details } = await client.export(bytes);
    if (code !== status.OK) throw new Error(`the bridge did not take an export: ${details}`);
    latencies.push(performance.now() - began);
  }
  client.close();
  return { p50Ms: round(quantile(latencies, 0.5)), p99Ms: round(quantile(latencies, 0.99)) };
}

/** Each call with another number changes the state of the pod. */
function restarted(population: Population, index: number, number: number): object {
  const text = population.json('pods', index, { metadata: false, round: 0 });
  const restarts = `"restartCount":${number + 1}`;
  return JSON.parse(
    text
      .replace(/"restartCount":\d+/, restarts)
      .replace(/"resourceVersion":"\d+"/, `"resourceVersion":"${8e6 + number}"`),
  ) as object;
}

async function measure(api: ChildProcess, port: number, objects: number): Promise<Result & { idle: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-scale-'));
  const vendors = await startVendors();
  const kubeconfig = writeKubeconfig(folder, port);
  const population = await makePopulation(objects);
  const env = {
    LIFECYCLE_BRIDGE__LOG__LEVEL: 'debug',
    LIFECYCLE_BRIDGE__WATCH__DEPLOYMENT: 'true',
    ...(NODE_OPTIONS !== '' && { NODE_OPTIONS }),
  };
  await ask(api, { objects: 0, round: 0 } satisfies ApiState);
  const options = { vendorsUrl: vendors.url, vendorKey: vendors.key, dataDir: folder, env };
  // Makes the store, so that the first measured start compares with the others.
  const bridge = await startBridge({ ...options, kubeconfig });
  await bridge.stop();
  const setting: Setting = { api, bridge, population, objects };
  try {
    const first = await measureStart(setting, 0);
    const monitors = (): boolean => vendors.cronitor.monitors.size === population.count('cronjobs');
    await until('every monitor is there', monitors, AUDIT_MS);
    say(`${objects} objects: first start ${first.auditedMs} ms, peak ${first.peakMb} MiB`);
    const one = await measureCommits(setting, 1, 200);
    const hundred = await measureCommits(setting, 100, 20);
    await bridge.stop();
    const same = await measureStart(setting, 0);
    const idle = objects === OBJECTS.at(-1) ? await idlePercent(bridge.pid, objects) : 0;
    await bridge.stop();
    const changed = await measureStart(setting, 1);
    await bridge.stop();
    const storeMb = Math.round(statSync(bridge.storePath).size / 2 ** 20);
    say(`${objects} objects: audit ${same.auditedMs} ms, with changes ${changed.auditedMs} ms, ${same.peakMb} MiB`);
    return { objects, first, same, changed, commit: { one, hundred }, storeMb, idle };
  } finally {
    await bridge.kill9();
    await vendors.close();
    rmSync(folder, { recursive: true });
  }
}

/** Share of one core that the bridge takes while nothing happens, in percent. */
async function idlePercent(pid: number | undefined, objects: number): Promise<number> {
  say('waiting for the end of the first pass of the retention, which looks at every object 20 ms of each second');
  await pause(5_000 + objects * RETENTION_MS);
  say(`measuring the idle bridge for ${IDLE_SECONDS} s`);
  const before = cpuSeconds(pid);
  await pause(IDLE_SECONDS * 1_000);
  return round(((cpuSeconds(pid) - before) / IDLE_SECONDS) * 100, 2);
}

const api = startChild('scale-api.ts');
const port = await ask<number>(api);
const results: Result[] = [];
let idleCpuPercent = 0;
for (const objects of OBJECTS) {
  try {
    const { idle, ...result } = await measure(api, port, objects);
    idleCpuPercent = idle;
    results.push(result);
  } catch (error) {
    // What was measured before is worth printing.
    say(`${objects} objects: ${String(error)}`);
    process.exitCode = 1;
  }
}
api.disconnect();
const startRows = results.flatMap(({ objects, first, same, changed }) =>
  Object.entries({ first, same, '1 % changed': changed }).map(([start, figures]) => ({ objects, start, ...figures })),
);
printTable(startRows);
printTable(
  results.map(({ objects, commit, storeMb }) => ({
    objects,
    'commit of 1, p50 ms': commit.one.p50Ms,
    'p99 ms': commit.one.p99Ms,
    'of 100, p50 ms': commit.hundred.p50Ms,
    'of 100, p99 ms': commit.hundred.p99Ms,
    storeMb,
  })),
);
console.log(`idle with ${OBJECTS.at(-1)} objects: ${idleCpuPercent} % of a core over ${IDLE_SECONDS} s`);
console.log(
  JSON.stringify({ benchmark: 'scale', machine: machine(), nodeOptions: NODE_OPTIONS, idleCpuPercent, results }),
);
