import { status } from '@grpc/grpc-js';
import * as fc from 'fast-check';
import http2 from 'node:http2';
import net from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../../../test/fixtures/eventually.ts';
import { READING } from '../../../test/fixtures/default-sink.ts';
import { encodeLogs, watchBody } from '../../../test/otlp-client.ts';
import { readRequest } from '../../ingest/batch.ts';
import { Releases } from '../../lib/releases.ts';
import { connectOtlp } from '../../lib/otlp-client.ts';
import { EXPORT_PATH } from '../receive/service.ts';
import type { TestServer } from '../receive/test-server.ts';
import { connectHttp2, frame, openCall, startTestServer } from '../receive/test-server.ts';

/** FUZZ_SEED=… runs the same again. */
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31);
const MAX_MESSAGE_BYTES = 1024 * 1024;
const good = encodeLogs([
  {
    body: watchBody('ADDED', {
      kind: 'Job',
      apiVersion: 'batch/v1',
      metadata: { uid: 'u', name: 'n', resourceVersion: '1' },
    }),
  },
]);

const releases = new Releases();
let server: TestServer;
let taken = 0;

beforeAll(async () => {
  process.stderr.write(`FUZZ_SEED=${seed}\n`);
  server = await startTestServer(releases, {
    maxMessageBytes: MAX_MESSAGE_BYTES,
    maxPendingBytes: 64 * MAX_MESSAGE_BYTES,
    maxConnections: 1000,
    ingest: async (request, receivedAt) => {
      taken += 1;
      const { undecodable } = readRequest(request, receivedAt, READING);
      return undecodable === undefined ? { result: 'committed' } : { result: 'undecodable', error: undecodable };
    },
  });
});
afterAll(() => releases.release());

/** What a good request is answered once nothing is held any more. */
async function afterwards(): Promise<status> {
  const client = connectOtlp(server.address);
  try {
    await eventually(() => expect(server.report().pendingBytes).toBe(0));
    return (await client.export(good)).code;
  } finally {
    client.close();
  }
}

interface Case {
  readonly headers: http2.OutgoingHttpHeaders;
  readonly body: Buffer;
  readonly cuts: readonly number[];
  /** All that may be answered. */
  readonly answers: readonly string[];
}

const DECIDED_BY_CONTENT = ['grpc 0', 'grpc 3'];

const mutated = fc
  .tuple(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 8 }), fc.nat(good.length))
  .map(([changes, length]) => {
    const bytes = Buffer.from(good);
    for (const [at, value] of changes) bytes[at] = value;
    return changes.length % 2 === 0 ? bytes : bytes.subarray(0, length);
  });
const payload = fc.oneof(
  mutated,
  fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
);
const call = (body: Buffer, answers: string[], headers: http2.OutgoingHttpHeaders = {}): Omit<Case, 'cuts'> => ({
  headers,
  body,
  answers,
});
const gzip = { 'grpc-encoding': 'gzip' };
const odd = fc.constantFrom('', 'br', 'zstd', 'GZIP', 'gzip,identity', '__proto__', 'toString', 'x'.repeat(1000));
const wrongPath = fc.constantFrom('/', '/x', `${EXPORT_PATH}/`, EXPORT_PATH.toLowerCase(), '/%00', '/?');
const wrongType = fc.constantFrom('', 'text/plain', 'application/json', 'application/grpc-web', 'application/grpcx');
const anyHeader = fc.record({
  'grpc-timeout': fc.constantFrom('30S', '1H', 'x', '-1S', '999999999S', ''),
  'x-any': fc.string({ unit: 'grapheme-ascii', maxLength: 50 }).map((text) => text.trim()),
});

const shape: fc.Arbitrary<Omit<Case, 'cuts'>> = fc.oneof(
  payload.map((bytes) => call(frame(bytes), DECIDED_BY_CONTENT)),
  payload.map((bytes) => call(frame(gzipSync(bytes), 1), DECIDED_BY_CONTENT, gzip)),
  fc.tuple(payload, fc.integer({ min: 2, max: 255 })).map(([bytes, flag]) => call(frame(bytes, flag), ['grpc 13'])),
  fc
    .tuple(payload, fc.integer({ min: 2, max: 255 }))
    .map(([bytes, flag]) => call(frame(gzipSync(bytes), flag), ['grpc 13'], gzip)),
  payload.map((bytes) => call(frame(bytes, 1), ['grpc 13'])),
  payload.map((bytes) => call(frame(gzipSync(bytes).subarray(0, -9), 1), ['grpc 13'], gzip)),
  fc.tuple(payload, fc.nat(4)).map(([bytes, cut]) => call(frame(bytes).subarray(0, cut), ['grpc 13'])),
  payload.map((bytes) => call(frame(bytes, 0, bytes.length + 1), ['grpc 13'])),
  payload.map((bytes) => call(Buffer.concat([frame(bytes), frame(bytes)]), ['grpc 13'])),
  fc.integer({ min: MAX_MESSAGE_BYTES + 1, max: 2 ** 32 - 1 }).map((size) => call(frame('x', 0, size), ['grpc 8'])),
  fc.constant(call(frame(gzipSync(Buffer.alloc(MAX_MESSAGE_BYTES + 1)), 1), ['grpc 8'], gzip)),
  odd.map((name) => call(frame(good), ['grpc 12'], { 'grpc-encoding': name })),
  wrongPath.map((path) => call(frame(good), ['grpc 12'], { ':path': path })),
  wrongType.map((type) => call(frame(good), ['http 415'], { 'content-type': type })),
  fc.constantFrom('GET', 'PUT', 'DELETE').map((method) => call(frame(good), ['grpc 12'], { ':method': method })),
);
const cases: fc.Arbitrary<Case> = fc
  .tuple(shape, anyHeader, fc.array(fc.nat(2000), { maxLength: 5 }))
  .map(([shape, more, cuts]) => ({
    ...shape,
    headers: { ...more, ...shape.headers },
    cuts: cuts.toSorted((a, b) => a - b),
  }));

test('every call is answered as it must be, whatever it holds', async () => {
  const session = connectHttp2(releases, server);
  const rss = process.memoryUsage.rss();
  const property = fc.asyncProperty(fc.array(cases, { minLength: 1, maxLength: 20 }), async (cases) => {
    const answers = cases.map(({ headers, body, cuts }) => {
      const { stream, ended } = openCall(session, headers);
      let from = 0;
      for (const cut of cuts.filter((cut) => cut < body.length)) {
        stream.write(body.subarray(from, cut));
        from = cut;
      }
      stream.end(body.subarray(from));
      return ended;
    });
    for (const [at, answer] of answers.entries()) expect(cases[at]?.answers).toContain(await answer);
  });
  await fc.assert(property, { seed, numRuns: 100 });
  expect(session.destroyed).toBe(false);
  expect(process.memoryUsage.rss() - rss).toBeLessThan(200 * 1024 * 1024);
  expect(taken).toBeGreaterThan(0);
  expect(await afterwards()).toBe(status.OK);
});

test('calls that are given up at any byte leave nothing behind', async () => {
  const property = fc.asyncProperty(cases, fc.nat(2000), async ({ headers, body }, at) => {
    const session = connectHttp2(releases, server);
    const { stream } = openCall(session, headers);
    stream.write(body.subarray(0, at));
    await new Promise((resolve) => session.ping(resolve));
    if (at % 2 === 0) session.destroy();
    else stream.close(http2.constants.NGHTTP2_CANCEL);
    await new Promise((resolve) => setImmediate(resolve));
    session.destroy();
  });
  await fc.assert(property, { seed, numRuns: 100 });
  expect(await afterwards()).toBe(status.OK);
});

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const noise = fc.uint8Array({ minLength: 1, maxLength: 4000 }).map((bytes) => Buffer.from(bytes));
const http2Frame = fc
  .tuple(fc.uint8Array({ maxLength: 300 }), fc.nat(12), fc.nat(255), fc.nat(9), fc.option(fc.nat(2 ** 24 - 1)))
  .map(([bytes, type, flags, stream, length]) => {
    const head = Buffer.alloc(9);
    head.writeUIntBE(length ?? bytes.length, 0, 3);
    head[3] = type;
    head[4] = flags;
    head.writeUInt32BE(stream, 5);
    return Buffer.concat([head, bytes]);
  });
const frames = fc.array(http2Frame, { minLength: 1, maxLength: 20 }).map((all) => Buffer.concat(all));
const SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
const sockets = fc.oneof(
  noise,
  noise.map((bytes) => Buffer.concat([PREFACE, bytes])),
  frames.map((bytes) => Buffer.concat([PREFACE, SETTINGS, bytes])),
  fc.constant(Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')),
);

test('random bytes and random HTTP/2 frames on the socket harm nobody', async () => {
  const client = connectOtlp(server.address);
  releases.add(() => client.close());
  expect((await client.export(good)).code).toBe(status.OK);
  const property = fc.asyncProperty(sockets, async (bytes) => {
    const socket = net
      .connect(server.port, '127.0.0.1')
      .on('error', () => undefined)
      .resume();
    await new Promise((resolve) => socket.write(bytes, resolve));
    socket.end();
    socket.destroySoon();
  });
  await fc.assert(property, { seed, numRuns: 300 });
  expect((await client.export(good)).code).toBe(status.OK);
  expect(await afterwards()).toBe(status.OK);
  await eventually(() => expect(server.report().connections).toBeLessThan(20));
});
