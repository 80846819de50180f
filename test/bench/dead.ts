import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startBridge } from '../harness/bridge.ts';
import { until } from '../harness/kube.ts';
import { readMetric } from '../harness/metrics.ts';
import { connectOtlp, encodeLogs } from '../otlp-client.ts';
import { startVendors } from '../vendors/start-vendors.ts';
import { ask, machine, onCpuMs, printTable, quantile, round, say, startChild } from './measure.ts';
import type { ApiCounts, ApiLive, ApiState } from './scale-api.ts';
import { writeKubeconfig } from './scale-kubeconfig.ts';

/**
 * How late runs are reported whose Collector has no watch any more, and what that costs the Kubernetes API: by LISTs alone,
 * which is how a bridge without the verb `watch` does it, and by the bridge's own watch. The bridge is the real one, the
 * API is simulated, a Job comes to be each second, all settings are the defaults. Both at once, a quarter of an hour;
 * OBJECTS, SECONDS and INTERVAL are other sizes.
 */
const OBJECTS = Number(process.env['OBJECTS'] ?? 20_000);
const SECONDS = Number(process.env['SECONDS'] ?? 180);
/** Of the audit; by default the bridge's own. */
const INTERVAL = process.env['INTERVAL'] ?? '5m';
const PER_SECOND = 1;
const START_MS = 600_000;

interface Row {
  readonly by: string;
  /** From the first run that no stream brought until it was reported. */
  readonly foundAfterS: number;
  /** Of the runs that came to be once the bridge watched, or said that the watch is dead, until `SECONDS` later. */
  readonly runs: number;
  readonly p50S: number;
  readonly p95S: number;
  readonly maxS: number;
  readonly requestsPerMinute: number;
  readonly megabytesPerMinute: number;
  readonly bridgeCpuMsPerMinute: number;
}

async function measure(folder: string, by: string, mayWatch: boolean): Promise<Row> {
  mkdirSync(folder);
  const api = startChild('scale-api.ts');
  const vendors = await startVendors();
  const port = await ask<number>(api);
  await ask(api, { objects: OBJECTS, round: 0 } satisfies ApiState);
  const bridge = await startBridge({
    vendorsUrl: vendors.url,
    vendorKey: vendors.key,
    dataDir: folder,
    kubeconfig: writeKubeconfig(folder, port),
    env: { LIFECYCLE_BRIDGE__CLUSTER__AUDIT__INTERVAL: INTERVAL },
  });
  const metric = (name: string) => readMetric(`${bridge.pageUrl}metrics`, `lifecycle_bridge_${name}`);
  const lists = () => metric('lists_total{kind="Job",result="complete"}');
  const collector = connectOtlp(bridge.endpoint);
  try {
    await until('a LIST of Jobs', async () => (await lists()) >= 1, START_MS);
    await collector.export(encodeLogs([], { clusterName: 'bench' }));
    // One when a Collector connects, and one that says from which version on its stream should bring everything.
    await until('two more', async () => (await lists()) >= 3, START_MS);
    await ask(api, { perSecond: PER_SECOND, watch: mayWatch } satisfies ApiLive);
    const began = Date.now();
    const pings = () => vendors.cronitor.pings.filter(({ query }) => query.state === 'complete');
    await until('the first run is reported', () => pings().length > 0, START_MS);
    const foundAfterS = round((pings()[0]!.at - began) / 1000);
    const knows = async (): Promise<boolean> => (await metric(`watch_${mayWatch ? 'own' : 'dead'}{kind="Job"}`)) === 1;
    await until('the bridge knows', knows, START_MS);
    const [from, before, cpuBefore] = [Date.now(), await ask<ApiCounts>(api, 'counts'), onCpuMs(bridge.pid)];
    say(`${by}: first run reported after ${foundAfterS} s; measuring for ${SECONDS} s`);
    await pause(SECONDS * 1000);
    const [after, cpuAfter] = [await ask<ApiCounts>(api, 'counts'), onCpuMs(bridge.pid)];
    const to = Date.now();
    // Runs of the last seconds are reported with the next LIST.
    await until('every run is reported', () => Number(pings().at(-1)!.query.stamp) * 1000 > to, START_MS);
    const stamps = pings().map(({ at, query }) => ({
      edge: Number(query.stamp) * 1000,
      late: at / 1000 - Number(query.stamp),
    }));
    const late = stamps.filter(({ edge }) => edge >= from && edge < to).map((each) => each.late);
    const perMinute = (value: number): number => round((value / SECONDS) * 60);
    return {
      by,
      foundAfterS,
      runs: late.length,
      p50S: round(quantile(late, 0.5)),
      p95S: round(quantile(late, 0.95)),
      maxS: round(Math.max(...late)),
      requestsPerMinute: perMinute(after.requests - before.requests),
      megabytesPerMinute: perMinute(after.megabytes - before.megabytes),
      bridgeCpuMsPerMinute: perMinute(cpuAfter - cpuBefore),
    };
  } finally {
    collector.close();
    await bridge.kill9();
    await vendors.close();
    api.disconnect();
  }
}

const folder = mkdtempSync(join(tmpdir(), 'bench-dead-'));
try {
  const rows = await Promise.all([
    measure(join(folder, 'list'), 'LISTs alone', false),
    measure(join(folder, 'watch'), 'own watch', true),
  ]);
  printTable(rows.map((row) => ({ ...row })));
  console.log(JSON.stringify({ benchmark: 'dead', machine: machine(), objects: OBJECTS, seconds: SECONDS, rows }));
} finally {
  rmSync(folder, { recursive: true });
}
