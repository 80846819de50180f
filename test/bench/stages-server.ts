import type { ServerHttp2Stream } from 'node:http2';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { parentPort, Worker } from 'node:worker_threads';
import { systemClock } from '../../bridge/lib/clock.ts';
import { collectGarbageEarly } from '../../bridge/lib/heap.ts';
import type { Ingest, IngestResult } from '../../bridge/otlp/receive/ingest.ts';
import { startOtlpServer } from '../../bridge/otlp/receive/server.ts';

/**
 * Parts of the way of a record, in a process of its own: `bare` is a server of node:http2 that reads each request and answers
 * it, `receive` the bridge's OTLP server without anything behind it, `thread` the same with a thread that answers at once.
 */
const COMMITTED: IngestResult = { result: 'committed' };

function bare(): Promise<number> {
  const server = createServer();
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.on('data', () => undefined);
    stream.on('end', () => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(Buffer.alloc(5));
    });
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

/** Hands the bytes over and takes an answer for each, all of one turn in one message, as the bridge does. */
function throughThread(): Ingest {
  const worker = new Worker(new URL(import.meta.url));
  let waiting: Uint8Array<ArrayBuffer>[] = [];
  const answers: ((result: IngestResult) => void)[] = [];
  worker.on('message', (count: number) => answers.splice(0, count).forEach((answer) => answer(COMMITTED)));
  const send = (): void => {
    const sent = waiting.splice(0);
    worker.postMessage(
      sent,
      sent.map(({ buffer }) => buffer),
    );
  };
  return (request) =>
    new Promise((resolve) => {
      if (waiting.length === 0) setImmediate(send);
      waiting.push(new Uint8Array(request));
      answers.push(resolve);
    });
}

async function serve(what: string): Promise<number> {
  collectGarbageEarly();
  if (what === 'bare') return bare();
  const ingest = what === 'thread' ? throughThread() : () => Promise.resolve(COMMITTED);
  return (await startOtlpServer({ host: '127.0.0.1', port: 0, clock: systemClock, ingest })).port;
}

if (parentPort === null) {
  process.once('disconnect', () => process.exit());
  process.send?.({ port: await serve(process.argv[2]!) });
} else parentPort.on('message', (sent: readonly Uint8Array[]) => parentPort?.postMessage(sent.length));
