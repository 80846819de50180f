import { status } from '@grpc/grpc-js';
import { once } from 'node:events';
import http2 from 'node:http2';
import net from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { eventually } from '../../../test/fixtures/eventually.ts';
import { Releases } from '../../lib/releases.ts';
import { connectOtlp, type OtlpClient } from '../../lib/otlp-client.ts';
import type { TestServer } from '../receive/test-server.ts';
import { connectHttp2, frame, openCall, startTestServer } from '../receive/test-server.ts';

const MIB = 1024 * 1024;
const { OK, UNAVAILABLE } = status;
let releases: Releases;

beforeEach(() => {
  releases = new Releases();
});
afterEach(() => releases.release());

function connect(server: TestServer): OtlpClient {
  const client = connectOtlp(server.address);
  releases.add(() => client.close());
  return client;
}

async function sends(client: OtlpClient): Promise<status> {
  return (await client.export(Buffer.from('good'), { deadlineMs: 30_000 })).code;
}

/** Resolves when all that was written before has reached the server. */
const reached = (session: http2.ClientHttp2Session) => new Promise((resolve) => session.ping(resolve));

describe('connections', () => {
  test('beyond their number further ones are refused and counted; when one has gone, the next may come', async () => {
    const server = await startTestServer(releases, { maxConnections: 2 });
    const [first, second, third] = [connect(server), connect(server), connect(server)] as const;
    expect([await sends(first), await sends(second), await sends(third)]).toEqual([OK, OK, UNAVAILABLE]);
    expect(server.refused[0]).toBe('limit');
    expect(server.warnings).toEqual(['OTLP connection refused: more than 2 connections']);
    expect(await sends(first)).toBe(OK);
    second.close();
    await eventually(async () => expect(await sends(third)).toBe(OK));
  });

  test('idle ones keep nobody out: the longest idle one goes for the next', async () => {
    const server = await startTestServer(releases, { maxConnections: 4 });
    const [first, second] = [connect(server), connect(server)] as const;
    expect(await sends(first)).toBe(OK);
    const idle = Array.from({ length: 10 }, () =>
      net
        .connect(server.port, '127.0.0.1')
        .on('error', () => undefined)
        .resume(),
    );
    releases.add(() => idle.forEach((socket) => socket.destroy()));
    await eventually(() => expect(idle.filter(({ closed }) => closed).length).toBe(7));
    expect(await sends(second)).toBe(OK);
    await eventually(() => expect(idle.filter(({ closed }) => closed).length).toBe(8));
    expect(await sends(first)).toBe(OK);
    expect(server.refused).toEqual(Array.from({ length: 8 }, () => 'limit'));
  });

  test('one that has a call under way keeps its place, one that had its last long ago may lose it', async () => {
    const server = await startTestServer(releases, { maxConnections: 1, firstCallMs: 100 });
    const session = connectHttp2(releases, server);
    await once(session, 'connect');
    const { stream, ended } = openCall(session);
    await reached(session);
    expect(await sends(connect(server))).toBe(UNAVAILABLE);
    stream.end(frame('good'));
    expect(await ended).toBe('grpc 0');
    const later = connect(server);
    await eventually(async () => expect(await sends(later)).toBe(OK));
  });

  test('one that makes no accepted call is ended, also when it only sends wrong tokens', async () => {
    const onConnection = vi.fn<() => void>();
    const server = await startTestServer(releases, { firstCallMs: 500, token: 'right', onConnection });
    const good = connectOtlp(server.address, { token: 'right' });
    releases.add(() => good.close());
    await eventually(async () => expect(await sends(good)).toBe(OK));
    const before = server.refused.length;
    const socket = net
      .connect(server.port, '127.0.0.1')
      .on('error', () => undefined)
      .resume();
    const silent = connectHttp2(releases, server);
    const wrong = connectHttp2(releases, server);
    void openCall(wrong, { authorization: 'Bearer wrong' });
    const closed = (): boolean[] => [socket.closed, silent.closed, wrong.closed];
    await eventually(() => expect(closed()).toEqual([true, true, true]));
    expect(server.refused.slice(before)).toEqual(['no_call', 'no_call', 'no_call']);
    await eventually(() => expect(server.report().connections).toBe(1));
    expect(await sends(good)).toBe(OK);
    expect(onConnection).toHaveBeenCalledOnce();
  });

  test('128 calls at once on one connection, the 129th is refused by HTTP/2', async () => {
    const server = await startTestServer(releases);
    const session = connectHttp2(releases, server);
    await eventually(() => expect(session.remoteSettings.maxConcurrentStreams).toBe(128));
  });

  test('a flood of calls that are reset at once ends its connection, and no other', async () => {
    const server = await startTestServer(releases);
    const client = connect(server);
    expect(await sends(client)).toBe(OK);
    const session = connectHttp2(releases, server);
    await reached(session);
    let calls = 0;
    while (!session.destroyed && calls < 50_000) {
      const { stream } = openCall(session);
      stream.close(http2.constants.NGHTTP2_CANCEL);
      calls += 1;
      if (calls % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(session.destroyed).toBe(true);
    expect(calls).toBeLessThan(20_000);
    expect(await sends(client)).toBe(OK);
    await eventually(() => expect(server.report()).toMatchObject({ pendingBytes: 0, connections: 1 }));
  });

  test.each<[string, http2.OutgoingHttpHeaders]>([
    ['many', Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`x-${i}`, 'v']))],
    ['large', { 'x-large': 'v'.repeat(200_000) }],
  ])('a call with %s headers is refused, the next one is served', async (_name, headers) => {
    const server = await startTestServer(releases);
    const session = connectHttp2(releases, server);
    await reached(session);
    const { stream, ended } = openCall(session, headers);
    stream.end(frame('x'));
    expect(await ended).toBe('reset');
    expect(server.taken).toEqual([]);
    expect(await sends(connect(server))).toBe(OK);
  });
});

describe('slow senders', () => {
  test('a message that is not there in time ends its call, however often a byte comes', async () => {
    const server = await startTestServer(releases, { messageMs: 200 });
    const session = connectHttp2(releases, server);
    const [stuck, trickle] = [openCall(session), openCall(session)];
    stuck.stream.write(frame('x'.repeat(1000)).subarray(0, 500));
    trickle.stream.write(frame('', 0, 1000));
    const drip = setInterval(() => trickle.stream.write('x'), 10);
    expect(await Promise.all([stuck.ended, trickle.ended])).toEqual([`grpc ${UNAVAILABLE}`, `grpc ${UNAVAILABLE}`]);
    clearInterval(drip);
    expect(server.taken).toEqual([]);
    expect(server.outcomes).toEqual(['not_received', 'not_received']);
    expect(server.report().pendingBytes).toBe(0);
    expect(await sends(connect(server))).toBe(OK);
  });

  test('a message byte by byte is taken as one', async () => {
    const server = await startTestServer(releases);
    const { stream, ended } = openCall(connectHttp2(releases, server));
    const text = 'abc'.repeat(1000);
    for (const byte of frame(text)) stream.write(Buffer.from([byte]));
    stream.end();
    expect(await ended).toBe('grpc 0');
    expect(server.taken).toEqual([text]);
  });
});

describe('bytes on their way', () => {
  test('all calls of all connections together hold no more than the bound; the others are to be sent again', async () => {
    const server = await startTestServer(releases, { maxPendingBytes: 4 * MIB });
    const sessions = [connectHttp2(releases, server), connectHttp2(releases, server)];
    const half = frame(Buffer.alloc(MIB - 5), 0, 2 * MIB);
    const calls = sessions.flatMap((session) => Array.from({ length: 20 }, () => openCall(session)));
    const ended: string[] = [];
    for (const call of calls) void call.ended.then((how) => ended.push(how));
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, server.report().pendingBytes)), 1);
    for (const { stream } of calls) stream.write(half);
    await eventually(() => expect(ended).toHaveLength(36));
    clearInterval(watch);
    expect(new Set(ended)).toEqual(new Set([`grpc ${UNAVAILABLE}`]));
    expect(Math.max(most, server.report().pendingBytes)).toBeLessThanOrEqual(4 * MIB);
    expect(await sends(connect(server))).toBe(UNAVAILABLE);
    for (const session of sessions) session.destroy();
    await eventually(() => expect(server.report().pendingBytes).toBe(0));
    expect(await sends(connect(server))).toBe(OK);
  });

  test('a small request that becomes large counts with its real size, whatever its trailer says', async () => {
    const server = await startTestServer(releases, {
      maxPendingBytes: 8 * MIB,
      ingest: () => new Promise(() => undefined),
    });
    const session = connectHttp2(releases, server);
    const honest = gzipSync(Buffer.alloc(6 * MIB));
    // The last member alone decides what the trailer says.
    const lying = Buffer.concat([honest, gzipSync(Buffer.alloc(1))]);
    const calls = [honest, lying, lying, honest].map((bytes) => {
      const call = openCall(session, { 'grpc-encoding': 'gzip' });
      call.stream.end(frame(bytes, 1));
      return call.ended;
    });
    const refused = await Promise.all([
      Promise.race(calls),
      ...calls.slice(1).map((call) => Promise.race([call, calls[0]])),
    ]);
    expect(new Set(refused)).toEqual(new Set([`grpc ${UNAVAILABLE}`]));
    expect(server.report().pendingBytes).toBe(6 * MIB);
  });
});
