import * as http2 from 'node:http2';
import { gzipSync } from 'node:zlib';
import { loadRecords } from './ingest-records.ts';

/** What a run of the client gets, and what it answers. */
export interface Load {
  readonly port: number;
  readonly records: 'changing' | 'mixed' | 'events';
  readonly perRequest: number;
  readonly requests: number;
  /** Requests before those that are timed. */
  readonly warmUp: number;
  readonly inFlight: number;
  /** `none` as in collector-config; default gzip, as the exporter has it without a word. */
  readonly compression?: 'gzip' | 'none';
}
export interface Sent {
  readonly ms: number;
  /** Of one request, in ms. */
  readonly p50: number;
  readonly p99: number;
}

const EXPORT = {
  ':method': 'POST',
  ':path': '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
  'content-type': 'application/grpc',
  te: 'trailers',
};
const GZIPPED = { ...EXPORT, 'grpc-encoding': 'gzip' };

/** gRPC's frame of a message. Made before the run: the client shares the server's cores. */
function frame(message: Uint8Array, isGzipped: boolean): Buffer {
  const body = isGzipped ? gzipSync(message, { level: 1 }) : message;
  const head = Buffer.alloc(5);
  head[0] = Number(isGzipped);
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}

/** Sends one export; resolves when it is acknowledged. */
function send(session: http2.ClientHttp2Session, body: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = session.request(body[0] === 1 ? GZIPPED : EXPORT);
    let status: unknown;
    stream.on('response', (headers) => (status = headers['grpc-status'] ?? status));
    stream.on('trailers', (trailers) => (status = trailers['grpc-status']));
    stream.on('error', reject);
    stream.on('end', () => (status === '0' ? resolve() : reject(new Error(`gRPC status ${String(status)}`))));
    stream.resume();
    stream.end(body);
  });
}

async function sendAll(
  session: http2.ClientHttp2Session,
  bodies: readonly Buffer[],
  inFlight: number,
): Promise<number[]> {
  const latencies: number[] = [];
  let next = 0;
  const sender = async (): Promise<void> => {
    for (let body = bodies[next++]; body !== undefined; body = bodies[next++]) {
      const began = performance.now();
      await send(session, body);
      latencies.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, sender));
  return latencies.toSorted((a, b) => a - b);
}

async function run({ port, records: kind, perRequest, requests, warmUp, inFlight, compression }: Load): Promise<void> {
  const isGzipped = compression !== 'none';
  const records = await loadRecords();
  const count = (warmUp + requests) * perRequest;
  const made = records[kind](count);
  const bodies: Buffer[] = [];
  for (let at = 0; at < count; at += perRequest)
    bodies.push(frame(Buffer.concat(made.slice(at, at + perRequest)), isGzipped));
  const session = http2.connect(`http://127.0.0.1:${port}`);
  await send(session, frame(records.first, isGzipped));
  await sendAll(session, bodies.slice(0, warmUp), inFlight);
  process.send?.('warm');
  const began = performance.now();
  const latencies = await sendAll(session, bodies.slice(warmUp), inFlight);
  const ms = performance.now() - began;
  const at = (part: number): number => latencies[Math.floor((latencies.length - 1) * part)] ?? 0;
  process.send?.({ ms, p50: at(0.5), p99: at(0.99) } satisfies Sent);
  session.close();
  process.disconnect?.();
}

process.once('message', (load: Load) => void run(load));
