import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Releases } from '../../bridge/lib/releases.ts';
import { startBridge } from '../harness/bridge.ts';
import { until } from '../harness/kube.ts';
import { connectOtlp } from '../otlp-client.ts';
import type { KubeJson } from '../replay/objects.ts';
import { cronJob, exported, job, podOfJob } from '../replay/objects.ts';
import type { OtlpReceiver } from '../vendors/otlp-receiver.ts';
import { startOtlpReceiver } from '../vendors/otlp-receiver.ts';
import { startVendors } from '../vendors/start-vendors.ts';
import { machine, onCpuMs, printTable, round, say } from './measure.ts';

/**
 * What traces and lifecycle logs cost: the same runs at the same time to two bridges, of which one exports them too. 1,000 runs a
 * minute, each a Job with one pod, to 200 CronJobs at Cronitor. Two minutes; RUNS and SECONDS are other amounts.
 */
const RUNS = Number(process.env['RUNS'] ?? 1000);
const SECONDS = Number(process.env['SECONDS'] ?? 60);
const CRON_JOBS = 200;
const FIRST_MS = 5_000;
const TRACED_MS = 180_000;

const began = Math.floor(Date.now() / 1000) * 1000;
const at = (ms: number): string => new Date(began + ms).toISOString().replace(/\.\d+Z$/, 'Z');

/** The pod of a Job when it has ended. */
function pod(number: number): KubeJson {
  const terminated = { exitCode: 0, reason: 'Completed', startedAt: at(0), finishedAt: at(1000) };
  const containerStatuses = [{ name: 'main', image: 'busybox', restartCount: 0, state: { terminated } }];
  const containers = [{ name: 'main', image: 'busybox' }];
  return podOfJob(number, at(0), { phase: 'Succeeded', containerStatuses }, { containers });
}

async function way(releases: Releases, receiver?: OtlpReceiver) {
  const folder = mkdtempSync(join(tmpdir(), 'bench-traces-'));
  releases.add(() => rmSync(folder, { recursive: true }));
  const vendors = await startVendors();
  releases.add(() => vendors.close());
  const env = receiver === undefined ? {} : { LIFECYCLE_BRIDGE__OPENTELEMETRY__BACKEND__ENDPOINT: receiver.endpoint };
  const bridge = await startBridge({ vendorsUrl: vendors.url, vendorKey: vendors.key, dataDir: folder, env });
  releases.add(() => bridge.kill9());
  const client = connectOtlp(bridge.endpoint);
  releases.add(() => client.close());
  const send = async (...objects: readonly KubeJson[]): Promise<void> => {
    const request = exported(...objects);
    await until('acknowledged', async () => (await client.export(request)).response !== undefined);
  };
  return { bridge, vendors, send };
}

const releases = new Releases();
try {
  say(JSON.stringify(machine()));
  const receiver = await startOtlpReceiver();
  releases.add(() => receiver.stop());
  const ways = { without: await way(releases), with: await way(releases, receiver) };
  const both = Object.values(ways);
  const cronJobs = Array.from({ length: CRON_JOBS }, (_, number) => cronJob(number, '0 0 1 1 *'));
  await Promise.all(both.map(({ send }) => send(...cronJobs)));
  await pause(FIRST_MS);
  const before = both.map(({ bridge }) => onCpuMs(bridge.pid));
  const start = Date.now();
  for (let number = 0; number < RUNS; number++) {
    await pause(Math.max(0, start + (number * SECONDS * 1000) / RUNS - Date.now()));
    const owner = number % CRON_JOBS;
    for (const object of [job(number, owner, 'running'), pod(number), job(number, owner, 'complete')])
      await Promise.all(both.map(({ send }) => send(object)));
  }
  const fedSeconds = (Date.now() - start) / 1000;
  const traced = (): number => new Set(receiver.spans().map(({ traceId }) => traceId)).size;
  const isReported = ({ vendors }: (typeof both)[number]): boolean => vendors.cronitor.pings.length >= 2 * RUNS;
  await until('every run is reported and has its trace', () => both.every(isReported) && traced() === RUNS, TRACED_MS);
  const used = both.map(({ bridge }, index) => (onCpuMs(bridge.pid) - before[index]!) / 1000);
  printTable(
    Object.keys(ways).map((name, index) => ({
      'traces and logs': name,
      runs: RUNS,
      's for all': round(fedSeconds),
      'CPU s': round(used[index]!, 2),
      'ms for each run': round((used[index]! * 1000) / RUNS, 2),
    })),
  );
  say(
    `ratio ${round(used[1]! / used[0]!, 2)}; ${receiver.spans().length} spans, ${receiver.logs().length} log records`,
  );
} finally {
  await releases.release();
}
