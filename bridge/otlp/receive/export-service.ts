import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Clock, Instant } from '../../lib/clock.ts';
import { errorText } from '../../lib/errors.ts';
import { ByteBudget } from './byte-budget.ts';
import type { Ingest, IngestResult } from './ingest.ts';
import type { Connection } from './listener.ts';
import { EXPORT_PATH, status } from './service.ts';
import type { Failure } from './unary-call.ts';
import { UnaryCall } from './unary-call.ts';

/** OTLP's recommended bound of one request, after decompression. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
const MAX_PENDING_BYTES = 32 * 1024 * 1024;
const MESSAGE_MS = 60_000;
/** Long enough to not be busy waiting, short enough that nobody notices the pause. */
const RETRY_MS = 1000;
/** A token is not corrected within a second. */
const UNAUTHORIZED_RETRY_MS = 5000;

/**
 * What became of a call. `cancelled`: the sender had given up before its turn. `not_received`: it ended before its
 * message was complete: too slow, cancelled or past its deadline on the way. `unauthorized`: without an accepted token.
 * `rejected`: answered so that it is not sent again: too large, not whole, not decompressible, no OTLP logs.
 */
export type RequestOutcome = IngestResult['result'] | 'cancelled' | 'not_received' | 'unauthorized' | 'rejected';

export interface ExporterOptions {
  readonly ingest: Ingest;
  readonly clock: Clock;
  /** Bound of one request after decompression. */
  readonly maxMessageBytes?: number;
  /** Bound of all requests that arrive or are not yet answered; one alone always passes. */
  readonly maxPendingBytes?: number;
  /** An export must be there completely by then. */
  readonly messageMs?: number;
  /** `why` only of what was rejected. */
  readonly onRequest?: (outcome: RequestOutcome, bytes: number, why?: string) => void;
  /** A connection exports for the first time: its watch may have missed something. */
  readonly onConnection?: () => void;
}

/** A call has its outcome; `why` only of what was rejected. */
type Ended = (outcome: RequestOutcome, bytes: number, why?: string) => void;

/** Calls that were refused since the start, and why the last was. */
export interface Refused {
  readonly count: number;
  readonly last: { readonly at: Instant; readonly why: string } | undefined;
}

const NONE: Refused = { count: 0, last: undefined };

/** Answers the calls of all connections: who may, how much, and only after the commit. */
export class ExportService {
  readonly #options: ExporterOptions;
  readonly #allows: (authorization: string | undefined) => boolean;
  readonly #budget: ByteBudget;
  /** Calls that have begun and are not answered. */
  #inWork = 0;
  readonly #drained = Promise.withResolvers<void>();
  #unauthorized = NONE;
  #rejected = NONE;
  #draining = false;

  constructor(options: ExporterOptions, allows: (authorization: string | undefined) => boolean) {
    this.#options = options;
    this.#allows = allows;
    this.#budget = new ByteBudget(options.maxPendingBytes ?? MAX_PENDING_BYTES);
  }

  get pendingBytes(): number {
    return this.#budget.held;
  }

  /** Without an accepted token: they come again. */
  get unauthorized(): Refused {
    return this.#unauthorized;
  }

  /** For good: what they held is lost to the stream. */
  get rejected(): Refused {
    return this.#rejected;
  }

  handle(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, connection: Connection): void {
    const call = new UnaryCall(stream, headers);
    if (!/^application\/grpc($|[+;])/.test(headers['content-type'] ?? '')) return this.#rejectHttp(call);
    if (!this.#allows(headers.authorization)) return this.#refuse(call);
    if (headers[':method'] !== 'POST' || headers[':path'] !== EXPORT_PATH)
      return this.#reject(call, { code: status.UNIMPLEMENTED, details: 'only OTLP logs are taken here' });
    if (connection.accept()) this.#options.onConnection?.();
    if (this.#draining) return this.#stopping(call);
    this.#export(call);
  }

  /** Refuses new calls from now on; resolves when every call that has begun is answered. */
  async drain(): Promise<void> {
    this.#draining = true;
    if (this.#inWork > 0) await this.#drained.promise;
  }

  /** UNAUTHENTICATED would make the Collector drop for good what it may send again once its token is right. */
  #refuse(call: UnaryCall): void {
    const details = 'no accepted bearer token';
    this.#unauthorized = this.#counted(this.#unauthorized, details);
    this.#options.onRequest?.('unauthorized', 0);
    call.fail({ code: status.UNAVAILABLE, details, retryAfterMs: UNAUTHORIZED_RETRY_MS });
  }

  #stopping(call: UnaryCall): void {
    this.#options.onRequest?.('unavailable', 0);
    reply(call, refusal('the bridge is stopping'));
  }

  #reject(call: UnaryCall, failure: Failure): void {
    call.fail(failure);
    this.#reportRejected(failure.details);
  }

  #rejectHttp(call: UnaryCall): void {
    call.failHttp(415);
    this.#reportRejected('it is not gRPC');
  }

  #reportRejected(why: string): void {
    this.#rejected = this.#counted(this.#rejected, why);
    this.#options.onRequest?.('rejected', 0, why);
  }

  #counted({ count }: Refused, why: string): Refused {
    return { count: count + 1, last: { at: this.#options.clock.now(), why } };
  }

  #export(call: UnaryCall): void {
    const share = this.#budget.open();
    const limits = {
      maxBytes: this.#options.maxMessageBytes ?? MAX_MESSAGE_BYTES,
      timeoutMs: this.#options.messageMs ?? MESSAGE_MS,
      share,
    };
    this.#inWork++;
    const end: Ended = (outcome, bytes, why) => {
      share.release();
      this.#inWork--;
      if (this.#draining && this.#inWork === 0) this.#drained.resolve();
      if (why !== undefined) this.#rejected = this.#counted(this.#rejected, why);
      this.#options.onRequest?.(outcome, bytes, why);
    };
    // No variable of this function holds the message: it is free as soon as the ingest has it.
    call.receive(limits, (received) => {
      if ('message' in received) return this.#answer(call, received.message, end);
      if ('gone' in received) return end('not_received', 0);
      const { outcome, failure } = received;
      call.fail(failure);
      end(outcome, 0, outcome === 'rejected' ? failure.details : undefined);
    });
  }

  #answer(call: UnaryCall, message: Buffer, end: Ended): void {
    const bytes = message.length;
    if (call.late) {
      call.fail({ code: status.DEADLINE_EXCEEDED, details: 'the deadline passed before its turn' });
      return end('cancelled', bytes);
    }
    void this.#take(message).then((result) => {
      reply(call, result);
      end(result.result, bytes);
    });
  }

  #take(message: Buffer): Promise<IngestResult> {
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
  if (result.result === 'committed') call.succeed();
  else if (result.result === 'undecodable') call.fail({ code: status.INVALID_ARGUMENT, details: result.error });
  else call.fail({ code: status.UNAVAILABLE, details: result.error, retryAfterMs: result.retryAfterMs });
}
