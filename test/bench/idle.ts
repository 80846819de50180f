import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { connectOtlp } from '../../bridge/lib/otlp-client.ts';
import type { Bridge } from '../harness/bridge.ts';
import { startBridge } from '../harness/bridge.ts';
import { until } from '../harness/kube.ts';
import { startVendors } from '../vendors/start-vendors.ts';
import { ask, machine, onCpuMs, printTable, round, say, startChild } from './measure.ts';
import type { ApiState } from './scale-api.ts';
import { writeKubeconfig } from './scale-kubeconfig.ts';

/**
 * What the bridge costs while nothing happens, beside a bare Node process that sends its worker thread one message a
 * second: with an empty store and no cluster, and with 20,000 objects, kubelet's probes, a scrape every 30 s and two
 * audits, a Collector connected. All three at once, by the kernel's nanoseconds on a CPU: clock ticks hide or invent such
 * costs. 17 minutes; IDLE_SECONDS and OBJECTS are other times and sizes.
 */
const IDLE_SECONDS = Number(process.env['IDLE_SECONDS'] ?? 660);
const OBJECTS = Number(process.env['OBJECTS'] ?? 20_000);
/**
 * Until the audits that a start and a Collector begin are over (100 objects a second are read, most of them pods), the
 * retention has seen every object and V8 has compiled what it will.
 */
const SETTLE_MS = 60_000 + OBJECTS * 10;
const AUDIT_MS = 300_000;
/** Those of the chart. */
const LIVENESS_MS = 30_000;
const READINESS_MS = 10_000;
const SCRAPE_MS = 30_000;

function request(url: string, agent: Agent | false): void {
  get(url, { agent }, (response) => response.resume()).on('error', () => undefined);
}

/** kubelet opens a connection for each probe, who scrapes keeps one. */
const SCRAPER = new Agent({ keepAlive: true });

function startAsking(pageUrl: string): () => void {
  const timers = [
    setInterval(() => request(`${pageUrl}livez`, false), LIVENESS_MS),
    setInterval(() => request(`${pageUrl}readyz`, false), READINESS_MS),
    setInterval(() => request(`${pageUrl}metrics`, SCRAPER), SCRAPE_MS),
  ];
  return () => timers.forEach((timer) => clearInterval(timer));
}

async function withCluster(folder: string, api: ChildProcess, vendors: Vendors): Promise<Bridge> {
  mkdirSync(folder);
  const port = await ask<number>(api);
  await ask(api, { objects: OBJECTS, round: 0 } satisfies ApiState);
  const kubeconfig = writeKubeconfig(folder, port);
  const bridge = await startBridge({ ...vendorsOf(vendors), dataDir: folder, kubeconfig });
  const cronJobs = Math.round(OBJECTS * 0.05);
  await until('every monitor is there', () => vendors.cronitor.monitors.size === cronJobs, AUDIT_MS);
  // A Collector with nothing to send: from now on its watches are looked after.
  await connectOtlp(bridge.endpoint).export(Buffer.alloc(0), { deadlineMs: 60_000 });
  return bridge;
}

type Vendors = Awaited<ReturnType<typeof startVendors>>;
const vendorsOf = ({ url, key }: Vendors) => ({ vendorsUrl: url, vendorKey: key });

const folder = mkdtempSync(join(tmpdir(), 'bench-idle-'));
const [vendors, bareVendors] = [await startVendors(), await startVendors()];
const full = await withCluster(join(folder, 'full'), startChild('scale-api.ts'), vendors);
const empty = await startBridge({ ...vendorsOf(bareVendors), dataDir: join(folder, 'empty') });
const bare = startChild('idle-bare.ts');
const stopAsking = startAsking(full.pageUrl);
try {
  say(`settling for ${SETTLE_MS / 1000} s, then measuring for ${IDLE_SECONDS} s`);
  await pause(SETTLE_MS);
  const pids = { bare: bare.pid, 'empty store': empty.pid, [`${OBJECTS} objects`]: full.pid };
  const before = Object.values(pids).map((pid) => onCpuMs(pid));
  await pause(IDLE_SECONDS * 1000);
  const used = Object.values(pids).map((pid, at) => onCpuMs(pid) - before[at]!);
  const rows = Object.keys(pids).map((what, at) => ({
    what,
    'CPU ms per minute': round((used[at]! / IDLE_SECONDS) * 60),
    '% of a core': round(used[at]! / IDLE_SECONDS / 10, 3),
    'times the bare process': round(used[at]! / used[0]!, 2),
  }));
  printTable(rows);
  console.log(JSON.stringify({ benchmark: 'idle', machine: machine(), seconds: IDLE_SECONDS, rows }));
} finally {
  stopAsking();
  await Promise.all([full.stop(), empty.stop()]);
  await Promise.all([vendors.close(), bareVendors.close()]);
  rmSync(folder, { recursive: true });
  process.exit();
}
