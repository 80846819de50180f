import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { constants } from 'node:http2';
import type { Share } from './byte-budget.ts';
import type { Encoding, Inflated } from './inflate.ts';
import { ACCEPTED_ENCODINGS, decompress, isEncoding, sizeHint } from './inflate.ts';
import type { StatusCode } from './service.ts';
import { status } from './service.ts';
import { encodeRetryStatus, STATUS_DETAILS } from '../../lib/grpc-status.ts';

/** A failed answer. With `retryAfterMs` it carries RetryInfo. */
export interface Failure {
  readonly code: StatusCode;
  readonly details: string;
  readonly retryAfterMs?: number;
}

/** The answer to give instead, or nothing because the caller has gone. `rejected`: it will not be sent again. */
type NoMessage =
  | { readonly failure: Failure; readonly outcome: 'unavailable' | 'not_received' | 'rejected' }
  | { readonly gone: true };

/** The one message of a call, or why there is none. */
export type Received = { readonly message: Buffer } | NoMessage;

export interface ReceiveLimits {
  readonly maxBytes: number;
  /** From the headers to the last byte. */
  readonly timeoutMs: number;
  readonly share: Share;
}

const NOT_WHOLE = 'the message is not whole';
const PREFIX_BYTES = 5;
const MAX_DETAIL_CHARS = 500;
const RETRY_MS = 1000;
const LINGER_MS = 1000;
const MERGED_CHUNKS = 1024;
const ANSWERED = { ':status': 200, 'content-type': 'application/grpc' } as const;
/** gRPC has no use for a date. */
const WITH_TRAILERS = { waitForTrailers: true, sendDate: false } as const;
const SUCCEEDED = { 'grpc-status': String(status.OK) } as const;
/** Not compressed, no bytes. */
const EMPTY_MESSAGE = Buffer.alloc(PREFIX_BYTES);
const UNIT_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/**
 * One unary gRPC call on an HTTP/2 stream. grpc-js' server holds whole messages before anyone can count them, and has
 * no limit of time: a call here counts its bytes as they arrive.
 */
export class UnaryCall {
  readonly #stream: ServerHttp2Stream;
  readonly #encoding: string;
  /** On the monotonic clock: the computer's may be set meanwhile. */
  readonly #deadline: number;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders) {
    this.#stream = stream;
    this.#encoding = String(headers['grpc-encoding'] ?? 'identity');
    const [, count, unit = ''] = /^(\d{1,8})([HMSmun])$/.exec(String(headers['grpc-timeout'])) ?? [];
    this.#deadline = count === undefined ? Infinity : performance.now() + Number(count) * (UNIT_MS[unit] ?? 0);
    // Every reset of a caller is one; 'close' follows it.
    stream.on('error', () => undefined);
  }

  /** The caller has given up, or has no use for an answer any more. */
  get late(): boolean {
    return this.#stream.closed || this.#deadline <= performance.now();
  }

  /** Reads the message of the call: without a promise of its own, since most calls hold one record. Once per call. */
  receive(limits: ReceiveLimits, onReceived: (received: Received) => void): void {
    const encoding = this.#encoding;
    if (!isEncoding(encoding))
      return onReceived(failed(status.UNIMPLEMENTED, `unknown grpc-encoding; known: ${ACCEPTED_ENCODINGS}`));
    this.#read(limits, (body) => {
      if (!('frame' in body)) return onReceived(body);
      const flag = body.frame[0];
      const bytes = body.frame.subarray(PREFIX_BYTES);
      if (flag === 0) return onReceived({ message: bytes });
      if (flag !== 1 || encoding === 'identity')
        return onReceived(failed(status.INTERNAL, 'the compression flag is wrong'));
      inflate(bytes, encoding, limits, onReceived);
    });
  }

  /** Calls back with the frame of the one message, prefix included. */
  #read(
    { maxBytes, timeoutMs, share }: ReceiveLimits,
    onRead: (result: { readonly frame: Buffer } | NoMessage) => void,
  ): void {
    const stream = this.#stream;
    // Undefined when it is over: the listeners live as long as the stream, and the bytes must not.
    let frame: Frame | undefined = new Frame();
    const settle = (result: { readonly frame: Buffer } | NoMessage): void => {
      clearTimeout(timer);
      frame = undefined;
      onRead(result);
    };
    const onData = (chunk: Buffer): void => {
      if (frame === undefined) return;
      const problem = frame.add(chunk, maxBytes) ?? (share.resize(frame.bytes) ? undefined : OVERLOAD);
      if (problem) settle(problem);
    };
    const onClose = (): void => {
      if (frame !== undefined) settle({ gone: true });
    };
    const onEnd = (): void => {
      if (frame?.complete === true) settle({ frame: frame.take() });
      // A reset ends it too.
      else if (frame !== undefined && !stream.closed) settle(failed(status.INTERNAL, NOT_WHOLE));
    };
    const late = (): void =>
      settle(failed(status.UNAVAILABLE, `the message did not arrive within ${timeoutMs} ms`, RETRY_MS));
    const timer = setTimeout(late, timeoutMs);
    stream.on('data', onData).on('end', onEnd).on('close', onClose);
  }

  /** Ends the call with an empty message. A body that is still on its way is no longer read. */
  succeed(): void {
    const stream = this.#stream;
    if (stream.closed) return;
    stream.respond(ANSWERED, WITH_TRAILERS);
    stream.on('wantTrailers', () => stream.sendTrailers(SUCCEEDED));
    stream.end(EMPTY_MESSAGE);
  }

  fail({ code, details, retryAfterMs }: Failure): void {
    const text = details.slice(0, MAX_DETAIL_CHARS).toWellFormed();
    this.#end({
      ':status': 200,
      'content-type': 'application/grpc',
      'grpc-status': String(code),
      'grpc-message': text.replaceAll(/[^ -$&-~]/gu, encodeURIComponent),
      ...(code === status.UNIMPLEMENTED && { 'grpc-accept-encoding': ACCEPTED_ENCODINGS }),
      ...(retryAfterMs !== undefined && {
        [STATUS_DETAILS]: encodeRetryStatus(code, text, retryAfterMs).toString('base64'),
      }),
    });
  }

  /** Answers a request that is not gRPC. */
  failHttp(code: number): void {
    this.#end({ ':status': code });
  }

  #end(headers: OutgoingHttpHeaders): void {
    if (this.#stream.closed) return;
    const stream = this.#stream;
    stream.respond(headers, { endStream: true });
    // A reset would overtake the answer. Clients end their side when they have it; one that goes on sending is cut off.
    stream.resume();
    const timer = setTimeout(() => stream.close(constants.NGHTTP2_NO_ERROR), LINGER_MS);
    stream.once('close', () => clearTimeout(timer));
  }
}

/** How far the one message of a call has come. */
class Frame {
  bytes = 0;
  /** With the prefix; undefined as long as that is not whole. */
  #length: number | undefined;
  readonly #chunks: Buffer[] = [];
  #small: Buffer[] = [];

  get complete(): boolean {
    return this.bytes === this.#length;
  }

  /** In memory of its own, not of a pool: so the message can be handed to another thread without one more copy. */
  take(): Buffer {
    const frame = Buffer.allocUnsafeSlow(this.bytes);
    let at = 0;
    for (const chunk of [...this.#chunks, ...this.#small]) at += chunk.copy(frame, at);
    return frame;
  }

  /** The reason to stop reading, if any. */
  add(chunk: Buffer, maxBytes: number): NoMessage | undefined {
    this.bytes += chunk.length;
    this.#small.push(chunk);
    // A message that comes byte by byte would cost hundreds of times its size.
    if (this.#small.length === MERGED_CHUNKS) {
      this.#chunks.push(Buffer.concat(this.#small));
      this.#small = [];
    }
    if (this.bytes < PREFIX_BYTES) return undefined;
    this.#length ??= PREFIX_BYTES + Buffer.concat(this.#small, PREFIX_BYTES).readUInt32BE(1);
    if (this.#length - PREFIX_BYTES > maxBytes) return tooLarge(maxBytes);
    if (this.bytes > this.#length) return failed(status.INTERNAL, 'more than one message');
    return undefined;
  }
}

function inflate(
  bytes: Buffer,
  encoding: Exclude<Encoding, 'identity'>,
  { maxBytes, share }: ReceiveLimits,
  onReceived: (received: Received) => void,
): void {
  if (!share.resize(Math.min(Math.max(sizeHint(bytes, encoding), bytes.length), maxBytes))) return onReceived(OVERLOAD);
  const take = (message: Inflated): void => {
    if (message === 'too_large') onReceived(tooLarge(maxBytes));
    else if (message === 'broken') onReceived(failed(status.INTERNAL, `the message is not ${encoding}`));
    else onReceived(share.resize(message.length) ? { message } : OVERLOAD);
  };
  const inflated = decompress(bytes, encoding, maxBytes);
  if (inflated instanceof Promise) void inflated.then(take);
  else take(inflated);
}

function failed(code: StatusCode, details: string, retryAfterMs?: number): NoMessage {
  return retryAfterMs === undefined
    ? { failure: { code, details }, outcome: 'rejected' }
    : { failure: { code, details, retryAfterMs }, outcome: 'not_received' };
}

/** Final: the sender must make smaller requests. */
function tooLarge(maxBytes: number): NoMessage {
  return failed(status.RESOURCE_EXHAUSTED, `the message is larger than ${maxBytes} bytes`);
}

const OVERLOAD: NoMessage = {
  failure: {
    code: status.UNAVAILABLE,
    details: 'too many bytes wait for their commit',
    retryAfterMs: RETRY_MS,
  },
  outcome: 'unavailable',
};
