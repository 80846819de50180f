import * as grpc from '@grpc/grpc-js';
import http2 from 'node:http2';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { eventually } from '../../../test/fixtures/eventually.ts';
import { connectOtlp, encodeLogs, type OtlpClient } from '../../../test/otlp-client.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Ingest, IngestResult } from './ingest.ts';
import { startOtlpServer, type OtlpServer, type OtlpServerOptions, type RequestOutcome } from './server.ts';

const { OK, CANCELLED, INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNIMPLEMENTED, UNAVAILABLE } = grpc.status;
const MIB = 1024 * 1024;
const committed: IngestResult = { result: 'committed' };

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

interface Started {
  readonly server: OtlpServer;
  readonly client: OtlpClient;
  readonly outcomes: [RequestOutcome, number][];
}

async function start(ingest: Ingest, options: Partial<OtlpServerOptions> = {}): Promise<Started> {
  const outcomes: [RequestOutcome, number][] = [];
  const server = await startOtlpServer({
    host: '127.0.0.1',
    port: 0,
    clock: systemClock,
    ingest,
    onRequest: (outcome, bytes) => outcomes.push([outcome, bytes]),
    ...options,
  });
  closing.push(() => server.drain(0));
  return { server, client: connect(server), outcomes };
}

function connect(server: OtlpServer, options?: { gzip: boolean }): OtlpClient {
  const client = connectOtlp(`127.0.0.1:${server.port}`, options);
  closing.push(() => client.close());
  return client;
}

/** An ingest whose answers the test gives, one by one. */
function held() {
  const waiting: ((result: IngestResult) => void)[] = [];
  const ingest: Ingest = () => new Promise((resolve) => waiting.push(resolve));
  return {
    ingest,
    waiting,
    taken: (count: number) => eventually(() => expect(waiting).toHaveLength(count)),
    answer: (result: IngestResult) => waiting.splice(0).forEach((resolve) => resolve(result)),
  };
}

describe('acknowledging', () => {
  test.each([true, false])('a committed export is acknowledged without partial success (gzip: %s)', async (gzip) => {
    const taken: [string, number][] = [];
    const { server } = await start(
      async (request, receivedAt) => {
        taken.push([Buffer.from(request).toString('hex'), receivedAt]);
        return committed;
      },
      { clock: { now: () => 42 } },
    );
    const request = encodeLogs([{ body: { kind: 'Job' } }]);
    const reply = await connect(server, { gzip }).export(request);
    expect(reply).toMatchObject({ code: OK, response: Buffer.alloc(0) });
    expect(taken).toEqual([[request.toString('hex'), 42]]);
  });

  test('no answer before the commit', async () => {
    const { ingest, taken, answer } = held();
    const { client } = await start(ingest);
    let answered = false;
    const reply = client.export(encodeLogs([{ body: 1 }])).finally(() => (answered = true));
    await taken(1);
    expect(answered).toBe(false);
    answer(committed);
    expect((await reply).code).toBe(OK);
  });

  test('an empty request is a success and no work', async () => {
    const ingest = vi.fn<Ingest>(async () => committed);
    const { client, outcomes } = await start(ingest);
    expect((await client.export(new Uint8Array())).code).toBe(OK);
    expect(ingest).not.toHaveBeenCalled();
    expect(outcomes).toEqual([['committed', 0]]);
  });

  test('undecodable bytes are refused for good', async () => {
    const { client, outcomes } = await start(async () => ({ result: 'undecodable', error: 'half a pair \ud800' }));
    const reply = await client.export(Buffer.from('garbage'));
    expect(reply).toMatchObject({ code: INVALID_ARGUMENT, details: 'half a pair \ufffd', retryAfterMs: undefined });
    expect(outcomes).toEqual([['undecodable', 7]]);
  });

  test('what cannot be committed now is refused with the delay after which to come back', async () => {
    const { client, outcomes } = await start(async () => ({
      result: 'unavailable',
      error: 'disk full',
      retryAfterMs: 2500,
    }));
    const reply = await client.export(Buffer.from('x'));
    expect(reply).toMatchObject({ code: UNAVAILABLE, details: 'disk full', retryAfterMs: 2500 });
    expect(outcomes).toEqual([['unavailable', 1]]);
  });

  test.each<[string, Ingest]>([
    ['rejects', () => Promise.reject(new Error('bug'))],
    [
      'throws',
      () => {
        throw new Error('bug');
      },
    ],
  ])('an ingest that %s is retried, not dropped', async (_name, ingest) => {
    const { client } = await start(ingest);
    expect(await client.export(Buffer.from('x'))).toMatchObject({
      code: UNAVAILABLE,
      details: 'not committed: bug',
      retryAfterMs: 1000,
    });
  });

  test('other signals are unimplemented', async () => {
    const { server } = await start(async () => committed);
    const client = new grpc.Client(`127.0.0.1:${server.port}`, grpc.credentials.createInsecure());
    closing.push(() => client.close());
    const path = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
    const same = (bytes: Buffer): Buffer => bytes;
    const code = await new Promise((resolve) =>
      client.makeUnaryRequest(path, same, same, Buffer.alloc(1), (error) => resolve(error?.code)),
    );
    expect(code).toBe(UNIMPLEMENTED);
  });
});

describe('bounds', () => {
  test.each([true, false])('64 MiB pass, one byte more is refused for good (gzip: %s)', async (gzip) => {
    const sizes: number[] = [];
    const { server, outcomes } = await start(async (request) => {
      sizes.push(request.length);
      return committed;
    });
    const client = connect(server, { gzip });
    expect((await client.export(Buffer.alloc(64 * MIB))).code).toBe(OK);
    const reply = await client.export(Buffer.alloc(64 * MIB + 1));
    expect(reply).toMatchObject({ code: RESOURCE_EXHAUSTED, retryAfterMs: undefined });
    expect(sizes).toEqual([64 * MIB]);
    await eventually(() =>
      expect(outcomes).toEqual([
        ['committed', 64 * MIB],
        ['rejected', 0],
      ]),
    );
    expect((await client.export(Buffer.alloc(5))).code).toBe(OK);
  });

  test('beyond the bytes that may wait for their commit, calls are refused at once and retryable', async () => {
    const { ingest, taken, answer } = held();
    const { client } = await start(ingest, { maxPendingBytes: 100 });
    const first = client.export(Buffer.alloc(60));
    await taken(1);
    expect(await client.export(Buffer.alloc(60))).toMatchObject({ code: UNAVAILABLE, retryAfterMs: 1000 });
    const fits = client.export(Buffer.alloc(40));
    await taken(2);
    answer(committed);
    expect([(await first).code, (await fits).code]).toEqual([OK, OK]);
    const again = client.export(Buffer.alloc(60));
    await taken(1);
    answer(committed);
    expect((await again).code).toBe(OK);
  });

  test('one request always passes, however large', async () => {
    const { ingest, taken, answer } = held();
    const { client } = await start(ingest, { maxPendingBytes: 100 });
    const large = client.export(Buffer.alloc(500));
    await taken(1);
    expect((await client.export(Buffer.alloc(500))).code).toBe(UNAVAILABLE);
    answer(committed);
    expect((await large).code).toBe(OK);
  });
});

describe('draining', () => {
  test('new calls are refused and retryable, those in work are answered after their commit, then the port closes', async () => {
    const { ingest, taken, answer } = held();
    const { server, client } = await start(ingest);
    const inWork = client.export(Buffer.from('first'));
    await taken(1);
    let drained = false;
    const drain = server.drain(10_000).then(() => (drained = true));
    expect(await client.export(Buffer.from('second'))).toMatchObject({
      code: UNAVAILABLE,
      details: 'the bridge is stopping',
      retryAfterMs: 1000,
    });
    expect(drained).toBe(false);
    answer(committed);
    expect((await inWork).code).toBe(OK);
    await drain;
    expect((await client.export(Buffer.from('third'))).code).toBe(UNAVAILABLE);
  });

  test('work that never ends is cut off after the grace time, and the sender will retry', async () => {
    const { ingest, taken } = held();
    const { server, client } = await start(ingest);
    const inWork = client.export(Buffer.from('first'));
    await taken(1);
    await server.drain(50);
    expect([UNAVAILABLE, CANCELLED]).toContain((await inWork).code);
  });
});

describe('connections', () => {
  test('the first export of each connection is reported', async () => {
    const onConnection = vi.fn<() => void>();
    const { server, client } = await start(async () => committed, { onConnection });
    await client.export(Buffer.from('a'));
    await client.export(Buffer.from('b'));
    expect(onConnection).toHaveBeenCalledTimes(1);
    await connect(server).export(Buffer.from('c'));
    expect(onConnection).toHaveBeenCalledTimes(2);
  });

  test('the receive windows of a connection and its streams are large', async () => {
    const { server } = await start(async () => committed);
    const session = http2.connect(`http://127.0.0.1:${server.port}`);
    closing.push(() => session.destroy());
    await eventually(() => {
      expect(session.remoteSettings.initialWindowSize).toBe(4 * MIB);
      expect(session.state.remoteWindowSize).toBe(4 * MIB);
    });
  });

  test('a port in use is reported with what to do', async () => {
    const { server } = await start(async () => committed);
    const second = startOtlpServer({
      host: '127.0.0.1',
      port: server.port,
      clock: systemClock,
      ingest: async () => committed,
    });
    await expect(second).rejects.toMatchObject({ name: 'UserError', next: expect.stringContaining('choose another') });
  });
});
