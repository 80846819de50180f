import { EnvHttpProxyAgent } from 'undici';
import type { Dispatcher } from 'undici';
import { lookupPublic, mayBePublic, PRIVATE_ADDRESS } from './public-address.ts';
import { decodeBody } from './content-encoding.ts';
import type { RawBody } from './content-encoding.ts';
import { UserError } from '../lib/errors.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** For everything, from waiting for a connection to the end of the answer. */
  readonly timeoutMs: number;
  /** Longest answer kept; default 1 MiB. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
  /** For an address that an annotation named: it fails with `PRIVATE_ADDRESS` when it is not one of the internet. */
  readonly publicOnly?: boolean;
}

export interface HttpAnswer {
  readonly kind: 'answer';
  readonly status: number;
  /** By their names in lower case; of one that comes twice the first. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
  /** False when the body was cut, too long, or cannot be decoded. */
  readonly complete: boolean;
}

/** `unknown`: the request was on its way, so the vendor may have acted. `detail` names no host, path or header. */
export interface HttpFailure {
  readonly kind: 'failed';
  readonly reason: 'timeout' | 'connection_failed' | 'answer_lost' | 'shutting_down';
  readonly detail: string;
  readonly unknown: boolean;
}

export type HttpResult = HttpAnswer | HttpFailure;

export interface Http {
  /** Never throws and never follows a redirect. */
  request(request: HttpRequest): Promise<HttpResult>;
  close(): Promise<void>;
}

const MIB = 1024 * 1024;

/**
 * The only HTTP client: keep-alive (undici's 4 s: a longer idle connection is more often closed by the vendor just as
 * we write, and then nobody knows whether it was heard) and the proxy variables in both cases.
 */
export function createHttp(env: NodeJS.ProcessEnv = process.env): Http {
  const agent = createAgent(env);
  const publicAgent = createAgent(env, lookupPublic);
  return {
    request: (request) => send(request.publicOnly === true ? publicAgent : agent, request),
    close: async () => void (await Promise.all([agent.close(), publicAgent.close()])),
  };
}

/** `lookup` is for connections of our own: what goes through a proxy is looked up by that. */
function createAgent(env: NodeJS.ProcessEnv, lookup?: typeof lookupPublic): Dispatcher {
  const value = (name: string) => env[name.toLowerCase()] || env[name] || '';
  // `proxy:3128` without a scheme is common, and what curl and Go take.
  const proxy = (name: string) => value(name).replace(/^(?!\w+:\/\/)(?=.)/, 'http://');
  try {
    return new EnvHttpProxyAgent({
      httpProxy: proxy('HTTP_PROXY'),
      httpsProxy: proxy('HTTPS_PROXY'),
      noProxy: value('NO_PROXY'),
      connect: { timeout: 10_000, ...(lookup && { lookup }) },
    });
  } catch {
    // The cause would print the value, and with it the proxy's password.
    throw new UserError('HTTP_PROXY or HTTPS_PROXY is not a proxy URL', 'Set it to http://host:port or unset it');
  }
}

async function send(agent: Dispatcher, request: HttpRequest): Promise<HttpResult> {
  const abort = new AbortController();
  const cancel = () => abort.abort();
  const timer = setTimeout(cancel, request.timeoutMs);
  // Not AbortSignal.any: what listens to it is kept as long as the caller's signal lives, which is as long as we do.
  request.signal?.addEventListener('abort', cancel);
  if (request.signal?.aborted === true) cancel();
  let written = false;
  const tracked = agent.compose(whenWritten(() => (written = true)));
  try {
    const answer = await Promise.race([dispatch(tracked, request, abort.signal), aborted(abort.signal)]);
    const headers = firstOfEach(answer.headers);
    const maxBytes = request.maxBytes ?? MIB;
    const raw = await readBody(answer.body, maxBytes);
    const { text, complete } = await decodeBody(raw, headers['content-encoding'], maxBytes);
    return { kind: 'answer', status: answer.statusCode, headers, body: text, complete };
  } catch (error) {
    return failure(error, written, abort.signal.aborted, request.signal?.aborted === true);
  } finally {
    clearTimeout(timer);
    request.signal?.removeEventListener('abort', cancel);
  }
}

async function dispatch(
  agent: Dispatcher,
  request: HttpRequest,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  const url = new URL(request.url);
  if (request.publicOnly === true && !mayBePublic(url))
    throw Object.assign(new Error('not public'), { code: PRIVATE_ADDRESS });
  return agent.request({
    origin: url.origin,
    path: url.pathname + url.search,
    method: request.method,
    headers: request.headers ?? {},
    body: request.body ?? null,
    signal,
    headersTimeout: request.timeoutMs,
    bodyTimeout: request.timeoutMs,
  });
}

/** Rejects on abort: undici itself notices it only once a connection exists. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = () => reject(new Error('aborted'));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

/** Calls back when a connection exists and the request is about to be written to it. */
function whenWritten(written: () => void): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) =>
    dispatch(options, {
      ...forward(handler),
      onRequestStart(controller, context) {
        written();
        handler.onRequestStart?.(controller, context);
      },
    });
}

function forward(handler: Dispatcher.DispatchHandler): Dispatcher.DispatchHandler {
  return {
    onRequestUpgrade: (...args) => handler.onRequestUpgrade?.(...args),
    onResponseStart: (...args) => handler.onResponseStart?.(...args),
    onResponseData: (...args) => handler.onResponseData?.(...args),
    onResponseEnd: (...args) => handler.onResponseEnd?.(...args),
    onResponseError: (...args) => handler.onResponseError?.(...args),
  };
}

/** What arrived before the end, the limit or a failure: the status line already said what became of the request. */
async function readBody(body: AsyncIterable<Buffer>, maxBytes: number): Promise<RawBody> {
  const chunks: Buffer[] = [];
  let size = 0;
  let complete = true;
  try {
    for await (const chunk of body) {
      chunks.push(chunk.subarray(0, maxBytes - size));
      size += chunk.length;
      if (size > maxBytes) break;
    }
  } catch {
    complete = false;
  }
  return { bytes: Buffer.concat(chunks), complete: complete && size <= maxBytes };
}

/** A proxy may add what the vendor has set already, such as Retry-After. */
function firstOfEach(headers: Dispatcher.ResponseData['headers']): HttpAnswer['headers'] {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
  );
}

function failure(error: unknown, written: boolean, timedOut: boolean, stopped: boolean): HttpFailure {
  const detail = stopped ? 'stopped' : timedOut ? 'no answer in time' : errorCode(error);
  if (stopped) return { kind: 'failed', reason: 'shutting_down', detail, unknown: written };
  if (!written) return { kind: 'failed', reason: 'connection_failed', detail, unknown: false };
  const timeout = timedOut || detail === 'UND_ERR_HEADERS_TIMEOUT' || detail === 'UND_ERR_BODY_TIMEOUT';
  return { kind: 'failed', reason: timeout ? 'timeout' : 'answer_lost', detail, unknown: true };
}

/** The error's code only: messages hold hosts, and sometimes URLs. */
function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return 'error';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error.name;
}
