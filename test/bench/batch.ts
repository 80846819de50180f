import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Releases } from '../../bridge/lib/releases.ts';
import { startBridge } from '../harness/bridge.ts';
import { connectOtlp, readRequests } from '../otlp-client.ts';
import { startFedCollector } from '../replay/fed-collector.ts';
import { readMetric } from '../harness/metrics.ts';
import { startVendors } from '../vendors/start-vendors.ts';
import { machine, onCpuMs, printTable, round, say } from './measure.ts';

/**
 * What a queue that sends batches saves: the records of a real node, twice and at the pace of a burst, through two of the
 * newer Collector at once, one with batch.yaml and one without, each to a bridge of its own. A minute and a half; SECONDS is
 * another time.
 */
const SECONDS = Number(process.env['SECONDS'] ?? 69);
const COPIES = 2;
const SETTLE_MS = 15_000;
/** Until the last batch is committed. */
const REST_MS = 3_000;
const RECORDING = join(import.meta.dirname, '../fixtures/recordings/node.bin.gz');
const UID = /[0-9a-f]{8}(?=-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})/g;

/** The recording with other UIDs: objects that nobody has seen. */
function copy(requests: readonly Buffer[], number: number): Buffer[] {
  const other = (uid: string): string => (number + 16).toString(16) + uid.slice(2);
  return requests.map((request) => Buffer.from(request.toString('latin1').replace(UID, other), 'latin1'));
}

async function way(releases: Releases, batch: boolean) {
  const folder = mkdtempSync(join(tmpdir(), 'bench-batch-'));
  releases.add(() => rmSync(folder, { recursive: true }));
  const vendors = await startVendors();
  releases.add(() => vendors.close());
  const bridge = await startBridge({ vendorsUrl: vendors.url, vendorKey: vendors.key, dataDir: folder });
  releases.add(() => bridge.kill9());
  const dataDir = join(folder, 'collector');
  mkdirSync(dataDir);
  const { endpoint: bridgeEndpoint } = bridge;
  const collector = await startFedCollector({ program: 'otelcol-next', batch, bridgeEndpoint, dataDir });
  releases.add(() => collector.kill9());
  const client = connectOtlp(collector.endpoint);
  releases.add(() => client.close());
  const metric = (name: string): Promise<number> => readMetric(`${bridge.pageUrl}metrics`, `lifecycle_bridge_${name} `);
  const cpu = (): readonly [number, number] => [onCpuMs(bridge.pid), onCpuMs(collector.pid)];
  return { batch, client, metric, cpu };
}

const releases = new Releases();
try {
  const ways = [await way(releases, false), await way(releases, true)];
  const requests = await readRequests(RECORDING);
  const all = Array.from({ length: COPIES }, (_, number) => copy(requests, number)).flat();
  say(`settling for ${SETTLE_MS / 1000} s, then ${all.length} requests in ${SECONDS} s`);
  await pause(SETTLE_MS);
  const [before, began] = [ways.map(({ cpu }) => cpu()), Date.now()];
  const sent: Promise<unknown>[] = [];
  for (const [at, request] of all.entries()) {
    await pause(Math.max(0, began + (at * SECONDS * 1000) / all.length - Date.now()));
    for (const { client } of ways) sent.push(client.export(request));
  }
  await Promise.all(sent);
  await pause(REST_MS);
  const rows = await Promise.all(
    ways.map(async ({ batch, metric, cpu }, at) => {
      const [bridge, collector] = cpu().map((ms, which) => round((ms - before[at]![which]!) / 1000, 2));
      const [asked, commits] = ['requests_total{outcome="committed"}', 'commit_duration_seconds_count'];
      const counts = { requests: await metric(asked), commits: await metric(commits) };
      return { queue: batch ? 'batches' : 'single', 'bridge CPU s': bridge!, 'Collector CPU s': collector!, ...counts };
    }),
  );
  printTable(rows);
  console.log(JSON.stringify({ benchmark: 'batch', machine: machine(), seconds: SECONDS, records: all.length, rows }));
} finally {
  await releases.release((error) => console.error(error));
}
process.exit();
