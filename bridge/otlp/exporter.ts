import { status } from '@grpc/grpc-js';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Clock, Instant } from '../lib/clock.ts';
import { errorText } from '../lib/errors.ts';
import { ByteBudget } from './byte-budget.ts';
import type { Ingest, IngestResult } from './ingest.ts';
import type { Connection } from './listener.ts';
import { EXPORT_METHOD } from './service.ts';
import { UnaryCall } from './unary-call.ts';

/** OTLP's recommended bound of one request, after decompression. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
const MAX_PENDING_BYTES = 32 * 1024 * 1024;
const MESSAGE_MS = 60_000;
/** Long enough to not be busy waiting, short enough that nobody notices the pause. */
const RETRY_MS = 1000;
/** A token is not corrected within a second. */
const UNAUTHORIZED_RETRY_MS = 5000;
/** ExportLogsServiceResponse without partial_success: all of it is taken. */
const ACCEPTED = Buffer.alloc(0);

/**
 * What became of a call. `cancelled`: the sender had given up before its turn. `not_received`: it ended before its
 * message was complete: too large, too slow, not decompressible, cancelled or past its deadline on the way.
 * `unauthorized`: without an accepted token.
 */
export type RequestOutcome = IngestResult['result'] | 'cancelled' | 'not_received' | 'unauthorized';

export interface ExporterOptions {
  readonly ingest: Ingest;
  readonly clock: Clock;
  /** Bound of one request after decompression. */
  readonly maxMessageBytes?: number;
  /** Bound of all requests that arrive or are not yet answered; one alone always passes. */
  readonly maxPendingBytes?: number;
  /** An export must be there completely by then. */
  readonly messageMs?: number;
  readonly onRequest?: (outcome: RequestOutcome, bytes: number) => void;
  /** A connection exports for the first time: its watch may have missed something. */
  readonly onConnection?: () => void;
}

/** Calls without an accepted token since the start. */
export interface Unauthorized {
  readonly count: number;
  readonly lastAt: Instant | undefined;
}

/** Answers the calls of all connections: who may, how much, and only after the commit. */
export class Exporter {
  readonly #options: ExporterOptions;
  readonly #allows: (authorization: string | undefined) => boolean;
  readonly #budget: ByteBudget;
  readonly #inWork = new Set<Promise<void>>();
  #unauthorized: Unauthorized = { count: 0, lastAt: undefined };
  #draining = false;

  constructor(options: ExporterOptions, allows: (authorization: string | undefined) => boolean) {
    this.#options = options;
    this.#allows = allows;
    this.#budget = new ByteBudget(options.maxPendingBytes ?? MAX_PENDING_BYTES);
  }

  get pendingBytes(): number {
    return this.#budget.held;
  }

  get unauthorized(): Unauthorized {
    return this.#unauthorized;
  }

  handle(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, connection: Connection): void {
    const call = new UnaryCall(stream, headers);
    if (!/^application\/grpc($|[+;])/.test(headers['content-type'] ?? '')) return call.failHttp(415);
    if (!this.#allows(headers.authorization)) return this.#refuse(call);
    if (headers[':method'] !== 'POST' || headers[':path'] !== EXPORT_METHOD.path)
      return call.fail({ code: status.UNIMPLEMENTED, details: 'only OTLP logs are taken here' });
    if (connection.accept()) this.#options.onConnection?.();
    const work = this.#export(call).finally(() => this.#inWork.delete(work));
    this.#inWork.add(work);
  }

  /** Resolves when every call that has begun is answered; those that are not yet in work are refused. */
  async drain(): Promise<void> {
    this.#draining = true;
    await Promise.allSettled(this.#inWork);
  }

  /** UNAUTHENTICATED would make the Collector drop for good what it may send again once its token is right. */
  #refuse(call: UnaryCall): void {
    this.#unauthorized = { count: this.#unauthorized.count + 1, lastAt: this.#options.clock.now() };
    this.#options.onRequest?.('unauthorized', 0);
    const details = 'no accepted bearer token';
    call.fail({ code: status.UNAVAILABLE, details, retryAfterMs: UNAUTHORIZED_RETRY_MS });
  }

  async #export(call: UnaryCall): Promise<void> {
    const share = this.#budget.open();
    const limits = {
      maxBytes: this.#options.maxMessageBytes ?? MAX_MESSAGE_BYTES,
      timeoutMs: this.#options.messageMs ?? MESSAGE_MS,
      share,
    };
    let bytes = 0;
    try {
      // No variable of this function holds the message: it is free as soon as the ingest has it.
      const outcome = await call.receive(limits).then((received) => {
        if ('gone' in received) return 'not_received';
        if ('failure' in received) {
          call.fail(received.failure);
          return received.overload ? 'unavailable' : 'not_received';
        }
        bytes = received.message.length;
        return this.#answer(call, received.message);
      });
      this.#options.onRequest?.(outcome, bytes);
    } finally {
      share.release();
    }
  }

  #answer(call: UnaryCall, message: Buffer): RequestOutcome | Promise<RequestOutcome> {
    if (call.late) {
      call.fail({ code: status.DEADLINE_EXCEEDED, details: 'the deadline passed before its turn' });
      return 'cancelled';
    }
    return this.#take(message).then((result) => {
      reply(call, result);
      return result.result;
    });
  }

  #take(message: Buffer): Promise<IngestResult> {
    if (this.#draining) return Promise.resolve(refusal('the bridge is stopping'));
    if (message.length === 0) return Promise.resolve({ result: 'committed' });
    // INTERNAL or UNKNOWN would make the Collector drop the request.
    const retry = (error: unknown): IngestResult => refusal(`not committed: ${errorText(error)}`);
    try {
      return this.#options.ingest(message, this.#options.clock.now()).catch(retry);
    } catch (error) {
      return Promise.resolve(retry(error));
    }
  }
}

function refusal(error: string): IngestResult {
  return { result: 'unavailable', error, retryAfterMs: RETRY_MS };
}

function reply(call: UnaryCall, result: IngestResult): void {
  if (result.result === 'committed') call.succeed(ACCEPTED);
  else if (result.result === 'undecodable') call.fail({ code: status.INVALID_ARGUMENT, details: result.error });
  else call.fail({ code: status.UNAVAILABLE, details: result.error, retryAfterMs: result.retryAfterMs });
}
