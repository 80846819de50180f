import { status } from '@grpc/grpc-js';
import http2 from 'node:http2';
import { afterEach, expect, test, vi } from 'vitest';
import { eventually } from '../../../test/fixtures/eventually.ts';
import { connectOtlp } from '../../../test/otlp-client.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Ingest, IngestResult } from './ingest.ts';
import { startOtlpServer, type RequestOutcome } from './server.ts';

const committed: IngestResult = { result: 'committed' };

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function start(ingest: Ingest) {
  const outcomes: RequestOutcome[] = [];
  const server = await startOtlpServer({
    host: '127.0.0.1',
    port: 0,
    clock: systemClock,
    ingest,
    onRequest: (outcome) => outcomes.push(outcome),
  });
  const session = http2.connect(`http://127.0.0.1:${server.port}`);
  closing.push(
    () => server.drain(0),
    () => session.destroy(),
  );
  return { server, session, outcomes };
}

test('a call past its deadline when its turn comes is not ingested', async () => {
  const taken: string[] = [];
  const { session, outcomes } = await start(async (request) => {
    taken.push(Buffer.from(request).toString());
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300); // a busy thread
    return committed;
  });
  const slow = open(session);
  const late = open(session, { 'grpc-timeout': '150m' });
  await new Promise((resolve) => session.ping(resolve)); // the server has seen both headers
  slow.stream.end(frame('slow'));
  late.stream.end(frame('late'));
  expect(await slow.code).toBe(status.OK);
  expect(await late.code).toBe(status.DEADLINE_EXCEEDED);
  expect(taken).toEqual(['slow']);
  expect(outcomes.toSorted()).toEqual(['cancelled', 'committed']);
});

test('a call that is cancelled while its message is on the way is not ingested', async () => {
  const ingest = vi.fn<Ingest>(async () => committed);
  const { session, outcomes } = await start(ingest);
  const { stream } = open(session);
  stream.on('error', () => undefined);
  stream.write(frame('half').subarray(0, 7));
  await new Promise((resolve) => session.ping(resolve));
  stream.close(http2.constants.NGHTTP2_CANCEL);
  await eventually(() => expect(outcomes).toEqual(['not_received']));
  expect(ingest).not.toHaveBeenCalled();
});

test('work that has begun goes on when its caller gives up', async () => {
  const work = Promise.withResolvers<IngestResult>();
  const ingest = vi.fn<Ingest>(() => work.promise);
  const { server, outcomes } = await start(ingest);
  const client = connectOtlp(`127.0.0.1:${server.port}`);
  closing.push(() => client.close());
  const abort = new AbortController();
  const reply = client.export(Buffer.from('x'), { signal: abort.signal });
  await eventually(() => expect(ingest).toHaveBeenCalledOnce());
  abort.abort();
  expect((await reply).code).toBe(status.CANCELLED);
  work.resolve(committed);
  await eventually(() => expect(outcomes).toEqual(['committed']));
});

function open(session: http2.ClientHttp2Session, headers: Record<string, string> = {}) {
  const stream = session.request({
    ':method': 'POST',
    ':path': '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  const code = new Promise<number>((resolve) => {
    const read = (headers: http2.IncomingHttpHeaders): void => {
      if (headers['grpc-status'] !== undefined) resolve(Number(headers['grpc-status']));
    };
    stream.on('response', read).on('trailers', read).resume();
  });
  return { stream, code };
}

function frame(text: string): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(text.length, 1);
  return Buffer.concat([head, Buffer.from(text)]);
}
