import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configSchema } from '../../bridge/config/schema.ts';
import { startWorker } from '../../bridge/ingest/thread/client.ts';
import { systemClock } from '../../bridge/lib/clock.ts';
import { collectGarbageEarly } from '../../bridge/lib/heap.ts';
import { startOtlpServer } from '../../bridge/otlp/receive/server.ts';

/** The bridge's way of a record up to its commit, in a process of its own: gRPC server, worker thread, store. */
collectGarbageEarly();
const folder = mkdtempSync(join(tmpdir(), 'bench-ingest-'));
const followsEvents = process.argv.includes('events');
const config = configSchema.parse({
  store: { path: join(folder, 'bridge.db') },
  cronitor: { default: { apiKey: 'none' } },
  ...(followsEvents && { watch: { Event: true } }),
});
let [records, commits] = [0, 0];
// Before the recording, so that its transitions are announced.
const startedAt = Date.parse('2026-01-01T00:00:00Z');
const worker = await startWorker(
  { config, startedAt },
  (committed) => {
    for (const { count } of committed.records) records += count;
    commits++;
  },
  (error) => {
    throw error;
  },
);
const server = await startOtlpServer({
  host: '127.0.0.1',
  port: 0,
  clock: systemClock,
  ingest: (request, receivedAt) => worker.calls.ingest(request, receivedAt),
});

async function stop(): Promise<void> {
  await server.drain(1_000);
  await worker.calls.close();
  await worker.stop();
  rmSync(folder, { recursive: true });
  process.disconnect?.();
}

async function report(): Promise<void> {
  await worker.calls.probe(); // what was committed before is counted after this
  const { user, system } = process.cpuUsage();
  const rssMb = process.memoryUsage.rss() / 2 ** 20;
  process.send?.({ cpuMs: (user + system) / 1000, rssMb, records, commits });
}

process.on('message', (message) => void (message === 'stop' ? stop() : report()));
process.send?.({ port: server.port });
