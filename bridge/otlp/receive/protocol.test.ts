import { status } from '@grpc/grpc-js';
import http2 from 'node:http2';
import { deflateSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { eventually } from '../../../test/fixtures/eventually.ts';
import { Releases } from '../../lib/releases.ts';
import type { IngestResult } from './ingest.ts';
import { decodeRetryDelay } from '../../lib/grpc-status.ts';
import { connectHttp2, frame, openCall, startTestServer } from './test-server.ts';

const { OK, INTERNAL, INVALID_ARGUMENT, UNIMPLEMENTED, UNAVAILABLE } = status;
let releases: Releases;

beforeEach(() => {
  releases = new Releases();
});
afterEach(() => releases.release());

/** The first headers of an answer, and whether they are all of it. */
function answerOf(stream: http2.ClientHttp2Stream): Promise<{ headers: http2.IncomingHttpHeaders; whole: boolean }> {
  return new Promise((resolve) =>
    stream.on('response', (headers, flags) =>
      resolve({ headers, whole: (flags & http2.constants.NGHTTP2_FLAG_END_STREAM) !== 0 }),
    ),
  );
}

describe('what a gRPC client may do', () => {
  test.each<[string, http2.OutgoingHttpHeaders, Buffer, string]>([
    ['the name of the message format', { 'content-type': 'application/grpc+proto' }, frame('x'), 'x'],
    ['no "te: trailers"', { te: undefined }, frame('x'), 'x'],
    ['a compression that this message does not use', { 'grpc-encoding': 'gzip' }, frame('x'), 'x'],
    ['gzip', { 'grpc-encoding': 'gzip' }, frame(gzipSync('x'), 1), 'x'],
    ['deflate', { 'grpc-encoding': 'deflate' }, frame(deflateSync('x'), 1), 'x'],
    ['a deadline that is none', { 'grpc-timeout': 'soon' }, frame('x'), 'x'],
  ])('%s', async (_name, headers, body, taken) => {
    const server = await startTestServer(releases);
    const { stream, ended } = openCall(connectHttp2(releases, server), headers);
    stream.end(body);
    expect(await ended).toBe(`grpc ${OK}`);
    expect(server.taken).toEqual([taken]);
  });

  test('a message of no bytes, as it is or compressed, is an export without records', async () => {
    const server = await startTestServer(releases);
    const session = connectHttp2(releases, server);
    const [plain, gzip] = [openCall(session), openCall(session, { 'grpc-encoding': 'gzip' })];
    plain.stream.end(frame(''));
    gzip.stream.end(frame(gzipSync(''), 1));
    expect([await plain.ended, await gzip.ended]).toEqual([`grpc ${OK}`, `grpc ${OK}`]);
    expect(server.taken).toEqual([]);
    expect(server.outcomes).toEqual(['committed', 'committed']);
  });
});

describe('what is refused for good', () => {
  test('a call without a message, or with two', async () => {
    const server = await startTestServer(releases);
    const session = connectHttp2(releases, server);
    const [none, two] = [openCall(session, {}, { endStream: true }), openCall(session)];
    two.stream.end(Buffer.concat([frame('x'), frame('y')]));
    expect([await none.ended, await two.ended]).toEqual([`grpc ${INTERNAL}`, `grpc ${INTERNAL}`]);
    expect(server.taken).toEqual([]);
  });

  test('an unknown compression, with those that are known; in headers alone', async () => {
    const server = await startTestServer(releases);
    const { stream } = openCall(connectHttp2(releases, server), { 'grpc-encoding': 'snappy' });
    expect(await answerOf(stream)).toMatchObject({
      headers: {
        ':status': 200,
        'content-type': 'application/grpc',
        'grpc-status': String(UNIMPLEMENTED),
        'grpc-accept-encoding': 'identity,gzip,deflate',
      },
      whole: true,
    });
  });

  test('is counted and logged with why, as no sender sends it again', async () => {
    const server = await startTestServer(releases);
    const session = connectHttp2(releases, server);
    const traces = openCall(session, { ':path': '/opentelemetry.proto.collector.trace.v1.TraceService/Export' });
    expect(await traces.ended).toBe(`grpc ${UNIMPLEMENTED}`);
    const web = openCall(session, { 'content-type': 'text/html' });
    expect(await web.ended).toBe('http 415');
    const { stream, ended } = openCall(session, { 'grpc-encoding': 'snappy' });
    stream.end(frame('x', 1));
    expect(await ended).toBe(`grpc ${UNIMPLEMENTED}`);
    expect(server.outcomes).toEqual(['rejected', 'rejected', 'rejected']);
    expect(server.warnings).toEqual(['an export was refused for good: only OTLP logs are taken here']);
    expect(server.report().rejected).toMatchObject({ count: 3, lastWhy: expect.stringContaining('grpc-encoding') });
    expect(server.notes()).toEqual([
      expect.stringMatching(/^3 exports were refused since the start for good, the last at 20.*grpc-encoding/),
    ]);
  });
});

test('a refusal is headers alone, its text percent-encoded, its delay as RetryInfo', async () => {
  const error = 'disk füll: 100%\n';
  const server = await startTestServer(releases, {
    ingest: async () => ({ result: 'unavailable', error, retryAfterMs: 2500 }),
  });
  const { stream } = openCall(connectHttp2(releases, server));
  stream.end(frame('x'));
  const { headers, whole } = await answerOf(stream);
  expect(whole).toBe(true);
  expect(headers).toMatchObject({
    'grpc-status': String(UNAVAILABLE),
    'grpc-message': 'disk f%C3%BCll: 100%25%0A',
  });
  const details = Buffer.from(String(headers['grpc-status-details-bin']), 'base64');
  expect(decodeRetryDelay(details)).toBe(2500);
});

test('undecodable bytes carry no delay: they would be the same again', async () => {
  const server = await startTestServer(releases, { ingest: async () => ({ result: 'undecodable', error: 'no' }) });
  const { stream } = openCall(connectHttp2(releases, server));
  stream.end(frame('x'));
  const { headers } = await answerOf(stream);
  expect(headers['grpc-status']).toBe(String(INVALID_ARGUMENT));
  expect(headers['grpc-status-details-bin']).toBeUndefined();
});

test('at the end connections get GOAWAY, after the answer of what is in work', async () => {
  const work = Promise.withResolvers<IngestResult>();
  const ingest = vi.fn<() => Promise<IngestResult>>(() => work.promise);
  const server = await startTestServer(releases, { ingest });
  const session = connectHttp2(releases, server);
  const happened: string[] = [];
  session.on('goaway', (code) => happened.push(`goaway ${code}`)).on('close', () => happened.push('closed'));
  const { stream, ended } = openCall(session);
  void ended.then((how) => happened.push(how));
  stream.end(frame('x'));
  await eventually(() => expect(ingest).toHaveBeenCalledOnce());
  const drained = server.drain(10_000);
  const late = openCall(session);
  expect(await late.ended).toBe(`grpc ${UNAVAILABLE}`);
  expect(happened).toEqual([]);
  work.resolve({ result: 'committed' });
  await drained;
  await eventually(() => expect(new Set(happened)).toEqual(new Set(['closed', 'goaway 0', 'grpc 0'])));
});
