import * as grpc from '@grpc/grpc-js';
import type { Clock } from '../lib/clock.ts';
import { systemClock } from '../lib/clock.ts';
import { errorText, UserError } from '../lib/errors.ts';
import { enlargeWindows } from './flow-control.ts';
import type { Ingest, IngestResult } from './ingest.ts';
import { EXPORT_METHOD } from './service.ts';
import { encodeRetryStatus, STATUS_DETAILS } from './status.ts';

/** OTLP's recommended bound of one request, after decompression. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
const MAX_PENDING_BYTES = 128 * 1024 * 1024;
const MAX_STREAMS = 128;
const MAX_PEERS = 1024;
/** Long enough to not be busy waiting, short enough that nobody notices the pause. */
const RETRY_MS = 1000;
const MAX_DETAIL_CHARS = 500;
/** ExportLogsServiceResponse without partial_success: all of it is taken. */
const ACCEPTED = Buffer.alloc(0);

/**
 * What became of a call. `cancelled`: the sender had given up before its turn. `not_received`: it ended before its
 * message was complete: too large, not decompressible, cancelled or past its deadline on the way.
 */
export type RequestOutcome = IngestResult['result'] | 'cancelled' | 'not_received';

export interface OtlpServerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly ingest: Ingest;
  readonly clock: Clock;
  /** Bound of one request after decompression. */
  readonly maxMessageBytes?: number;
  /** Bound of all requests that are taken and not yet answered; one always passes. */
  readonly maxPendingBytes?: number;
  readonly onRequest?: (outcome: RequestOutcome, bytes: number) => void;
  /** A connection exports for the first time: its watch may have missed something. */
  readonly onConnection?: () => void;
}

export interface OtlpServer {
  readonly port: number;
  /** Refuses new calls (retryable), answers those in work, then closes; at the latest after `graceMs`. */
  drain(graceMs: number): Promise<void>;
}

type Answer = grpc.sendUnaryData<Buffer>;
type Call = grpc.ServerUnaryCall<Buffer, Buffer>;

// grpc-js would write its own lines to stderr; what matters of them reaches the log through errors.
grpc.setLogVerbosity(grpc.logVerbosity.NONE);

/** Serves OTLP/gRPC logs: acknowledges after the commit. Throws a `UserError` when it cannot listen. */
export async function startOtlpServer(options: OtlpServerOptions): Promise<OtlpServer> {
  const exporter = new Exporter(options);
  const server = new grpc.Server({
    'grpc.max_receive_message_length': options.maxMessageBytes ?? MAX_MESSAGE_BYTES,
    'grpc.max_concurrent_streams': MAX_STREAMS,
    // A Collector's connection lives for months: find out within 80 s when its node is gone, never end it for its age.
    'grpc.keepalive_time_ms': 60_000,
    'grpc.keepalive_timeout_ms': 20_000,
    // Without it, forceShutdown of grpc-js 1.14.7 knows no sessions and ends none.
    'grpc.enable_channelz': 1,
    interceptors: [watchReceipt(() => options.onRequest?.('not_received', 0))],
  });
  server.addService(
    { Export: EXPORT_METHOD },
    { Export: (call: Call, answer: Answer) => exporter.handle(call, answer) },
  );
  const port = await listen(server, options.host, options.port);
  enlargeWindows(server);
  return { port, drain: (graceMs) => drain(server, exporter, graceMs) };
}

class Exporter {
  readonly #options: OtlpServerOptions;
  readonly #peers = new Set<string>();
  readonly #inWork = new Set<Promise<void>>();
  #pendingBytes = 0;
  #draining = false;

  constructor(options: OtlpServerOptions) {
    this.#options = options;
  }

  handle(call: Call, answer: Answer): void {
    const work = this.#handle(call, answer).finally(() => this.#inWork.delete(work));
    this.#inWork.add(work);
  }

  /** Resolves when every call taken before is answered; later ones are refused. */
  async drain(): Promise<void> {
    this.#draining = true;
    await Promise.allSettled(this.#inWork);
  }

  async #handle(call: Call, answer: Answer): Promise<void> {
    const bytes = call.request.length;
    if (call.cancelled || Number(call.getDeadline()) <= systemClock.now()) {
      this.#options.onRequest?.('cancelled', bytes);
      return answer({ code: grpc.status.DEADLINE_EXCEEDED, details: 'the deadline passed before its turn' });
    }
    this.#meet(call.getPeer());
    this.#pendingBytes += bytes;
    const result = await this.#take(call.request);
    this.#pendingBytes -= bytes;
    this.#options.onRequest?.(result.result, bytes);
    reply(result, answer);
  }

  async #take(request: Buffer): Promise<IngestResult> {
    if (this.#draining) return refusal('the bridge is stopping');
    if (request.length === 0) return { result: 'committed' };
    const limit = this.#options.maxPendingBytes ?? MAX_PENDING_BYTES;
    if (this.#pendingBytes > Math.max(limit, request.length)) return refusal('too much is waiting for its commit');
    try {
      return await this.#options.ingest(request, this.#options.clock.now());
    } catch (error) {
      // INTERNAL or UNKNOWN would make the Collector drop the request.
      return refusal(`not committed: ${errorText(error)}`);
    }
  }

  #meet(peer: string): void {
    if (this.#peers.has(peer)) return;
    if (this.#peers.size >= MAX_PEERS) this.#peers.clear();
    this.#peers.add(peer);
    this.#options.onConnection?.();
  }
}

function refusal(error: string): IngestResult {
  return { result: 'unavailable', error, retryAfterMs: RETRY_MS };
}

function reply(result: IngestResult, answer: Answer): void {
  if (result.result === 'committed') return answer(null, ACCEPTED);
  // grpc-js percent-encodes the text, which fails on half a surrogate pair.
  const details = result.error.slice(0, MAX_DETAIL_CHARS).toWellFormed();
  if (result.result === 'undecodable') return answer({ code: grpc.status.INVALID_ARGUMENT, details });
  const metadata = new grpc.Metadata();
  metadata.set(STATUS_DETAILS, encodeRetryStatus(grpc.status.UNAVAILABLE, details, result.retryAfterMs));
  answer({ code: grpc.status.UNAVAILABLE, details, metadata });
}

/** Tells of calls that end before their handler: grpc-js refuses too large messages by itself. */
function watchReceipt(onLost: () => void): grpc.ServerInterceptor {
  return (_method, call) => {
    let received = false;
    return new grpc.ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMessage: (message: Buffer, next) => {
            received = true;
            next(message);
          },
          onCancel: () => {
            if (!received) onLost();
          },
        }),
    });
  };
}

function listen(server: grpc.Server, host: string, port: number): Promise<number> {
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return new Promise((resolve, reject) => {
    server.bindAsync(address, grpc.ServerCredentials.createInsecure(), (error, bound) => {
      if (!error) return resolve(bound);
      // grpc-js wraps the reason: "No address added out of total 1 resolved errors: [listen EADDRINUSE: …]".
      const reason = /\[(.*)\]$/s.exec(error.message)?.[1] ?? error.message;
      const next = 'Stop what listens there, or choose another address (otlp.host and otlp.port; record: --listen).';
      reject(new UserError(`OTLP cannot listen on ${address}: ${reason}`, next));
    });
  });
}

async function drain(server: grpc.Server, exporter: Exporter, graceMs: number): Promise<void> {
  const { promise: graceOver, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, graceMs);
  const closed = exporter.drain().then(() => new Promise<void>((done) => server.tryShutdown(() => done())));
  await Promise.race([closed, graceOver]);
  clearTimeout(timer);
  server.forceShutdown();
}
