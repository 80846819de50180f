import { status } from '@grpc/grpc-js';
import { createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Releases } from '../../bridge/lib/releases.ts';
import { systemClock } from '../../bridge/lib/clock.ts';
import { otlpSchema } from '../../bridge/sinks/otlp/config.ts';
import { createOtlpDeliverer } from '../../bridge/sinks/otlp/deliver.ts';
import { run, story, transition } from '../../bridge/sinks/otlp/fixtures.ts';
import type { ClaimedIntent, Deliverer, Delivery, JournalEntry } from '../../bridge/sinks/sink.ts';
import type { OtlpReceiver } from '../vendors/otlp-receiver.ts';
import { startOtlpReceiver } from '../vendors/otlp-receiver.ts';
import { secretForms } from './sink-case.ts';

/**
 * The rules of `sink-contract.ts` for a sink that speaks gRPC, in the same words. What is not here: a pause until a date
 * (RetryInfo has a duration only), desired rows (there are none), refusals by HTTP status (a receiver answers with gRPC
 * codes; `deliver.test.ts` has the table of OTLP), and the part behind the outbox, whose order, restarts and dry run need
 * nothing of a sink but the answers that are tried here.
 */
const SECRET = 'contract/secret+token';
const releases = new Releases();
let receiver: OtlpReceiver;
let relay: Relay;
let sink: Deliverer;
let stop: AbortController;

beforeEach(async () => {
  receiver = await startOtlpReceiver();
  relay = await startRelay(Number(new URL(receiver.endpoint).port));
  releases.add(() => receiver.stop());
  releases.add(() => relay.close());
  sink = sinkAt(relay.port);
  stop = new AbortController();
});
afterEach(() => releases.release());

function sinkAt(port: number): Deliverer {
  const endpoint = `http://127.0.0.1:${port}`;
  const config = otlpSchema.parse({ endpoint, headers: `authorization: Bearer ${SECRET}` });
  const made = createOtlpDeliverer('contract', config, { clock: systemClock, clusterName: 'c', pageUrl: undefined });
  releases.add(() => made.close?.());
  return made;
}

const uidOf = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

function intent(number: number): ClaimedIntent {
  const uid = uidOf(number);
  const row = { key: `${uid}/settled`, lane: uid, payload: { run: uid }, limits: [], transitionId: `${uid}/settled` };
  const of = story({ run: run({ uid }) });
  return { ...row, story: of, seq: number, destination: sink.destination, attempt: 1 };
}

const entry: JournalEntry = { seq: 1, transition: transition(), run: run() };

const send = {
  'an intent': async () => (await sink.deliver([intent(1)], stop.signal))[0]!,
  'the journal': () => sink.journal!.export([entry], stop.signal),
} satisfies Record<string, () => Promise<Delivery>>;

/** What arrived: ids of spans and names of events. */
const arrived = (): string[] => [
  ...receiver.spans().map(({ traceId, spanId }) => `${traceId}/${spanId}`),
  ...receiver.logs().map(({ eventName, at }) => `${eventName}/${at}`),
];

describe.each(['an intent', 'the journal'] as const)('the sink contract of OpenTelemetry of %s', (what) => {
  const sent = send[what];

  it('delivers', async () => {
    expect(await sent()).toEqual({ outcome: 'delivered' });
  });

  it('tries again after UNAVAILABLE, at the time of RetryInfo', async () => {
    receiver.refuse(status.UNAVAILABLE);
    expect(await sent()).toMatchObject({ outcome: 'retry', reason: 'server_error' });
    receiver.refuse(status.UNAVAILABLE, 7_000);
    expect(await sent()).toMatchObject({ outcome: 'retry', afterMs: 7_000 });
    receiver.accept();
    expect(await sent()).toEqual({ outcome: 'delivered' });
  });

  it('holds after RESOURCE_EXHAUSTED, for RetryInfo', async () => {
    receiver.refuse(status.RESOURCE_EXHAUSTED, 30_000);
    const hold = { key: 'opentelemetry/contract' };
    expect(await sent()).toMatchObject({ outcome: 'retry', reason: 'rate_limited', afterMs: 30_000, hold });
  });

  it('takes what is not gRPC for a bad answer', async () => {
    for (const httpStatus of [200, 302, 404, 500]) {
      const port = await startHttp2(httpStatus);
      sink = sinkAt(port);
      expect({ httpStatus, ...(await sent()) }).toMatchObject({ httpStatus, outcome: 'retry', reason: 'bad_answer' });
    }
  });

  it('does not know what became of a request without an answer, and repeats it with the same ids', async () => {
    await sent();
    const first = arrived();
    relay.swallow();
    const lost = sent();
    await expect.poll(() => arrived().length, { timeout: 10_000 }).toBe(2 * first.length);
    relay.cut();
    expect(await lost).toMatchObject({ outcome: 'retry', reason: 'answer_lost', unknown: true });
    expect(await sent()).toEqual({ outcome: 'delivered' });
    expect(arrived()).toEqual([...first, ...first, ...first]);
  });

  it('knows that an unreachable receiver heard nothing', async () => {
    await relay.close();
    const hold = { key: expect.any(String) };
    expect(await sent()).toMatchObject({ outcome: 'retry', reason: 'connection_failed', unknown: false, hold });
  });

  it('says nothing secret, even when the receiver echoes it', async () => {
    const forms = secretForms([SECRET, `Bearer ${SECRET}`]);
    const codes = [status.UNAVAILABLE, status.UNAUTHENTICATED, status.PERMISSION_DENIED, status.INVALID_ARGUMENT];
    const said: Delivery[] = [];
    for (const code of codes) {
      receiver.refuse(code, undefined, forms.join(' '));
      said.push(await sent());
    }
    receiver.accept();
    for (const rejected of [0, 1]) {
      receiver.refusePart(rejected, forms.join(' '));
      said.push(await sent());
    }
    for (const form of forms) expect(JSON.stringify(said)).not.toContain(form);
    expect(said.every(({ detail = '' }) => detail.includes('[redacted]'))).toBe(true);
  });

  it('bounds what it repeats of the receiver', async () => {
    receiver.refuse(status.INVALID_ARGUMENT, undefined, 'x'.repeat(10_000));
    expect(JSON.stringify(await sent()).length).toBeLessThan(2_000);
    receiver.accept();
    receiver.refusePart(1, 'x'.repeat(100_000));
    expect(JSON.stringify(await sent()).length).toBeLessThan(2_000);
  });

  it('stops when its signal aborts, and tries later', async () => {
    stop.abort();
    expect(await sent()).toMatchObject({ outcome: 'retry', reason: 'shutting_down', unknown: false });
    expect(arrived()).toEqual([]);
  });

  it('stops in the middle of a request, of which it does not know what became', async () => {
    await sent();
    const before = arrived().length;
    relay.swallow();
    const late = sent();
    await expect.poll(() => arrived().length, { timeout: 10_000 }).toBeGreaterThan(before);
    stop.abort();
    expect(await late).toMatchObject({ outcome: 'retry', reason: 'shutting_down', unknown: true });
  });
});

describe('the sink contract of OpenTelemetry', () => {
  it('answers a batch row by row, in its order', async () => {
    const { story: _, ...unknown } = intent(2);
    const deliveries = await sink.deliver([intent(1), unknown, intent(3)], stop.signal);
    expect(deliveries.map(({ outcome }) => outcome)).toEqual(['delivered', 'drop', 'delivered']);
    const traces = new Set(receiver.spans().map(({ traceId }) => traceId));
    expect(traces).toEqual(new Set([1, 3].map((number) => uidOf(number).replaceAll('-', ''))));
  });
});

interface Relay {
  readonly port: number;
  /** From now on no byte of the receiver comes back. */
  swallow(): void;
  /** Ends all connections; the next ones get answers. */
  cut(): void;
  close(): Promise<void>;
}

/** Stands between sink and receiver, so that an answer can be lost after the request was processed. */
async function startRelay(to: number): Promise<Relay> {
  const sockets = new Set<Socket>();
  let swallows = false;
  const server = createServer((near) => {
    const far = connect(to, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => (near.destroy(), far.destroy(), sockets.delete(socket)));
    }
    near.pipe(far);
    far.on('data', (bytes) => !swallows && near.write(bytes));
  });
  const end = (): void => sockets.forEach((socket) => socket.destroy());
  return {
    port: await listen(server),
    swallow: () => void (swallows = true),
    cut: () => ((swallows = false), end()),
    close: async () => {
      if (!server.listening) return;
      const closed = new Promise((resolve) => server.close(resolve));
      end();
      await closed;
    },
  };
}

/** A server that answers every call with this status, and no gRPC. */
async function startHttp2(httpStatus: number): Promise<number> {
  const server = createHttp2Server((request, response) => {
    request.resume();
    response.writeHead(httpStatus, { 'content-type': 'text/html' }).end('<html>not gRPC</html>');
  });
  releases.add(() => void server.close());
  return listen(server);
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}
