import type { IncomingHttpHeaders } from 'node:http';
import { EnvHttpProxyAgent } from 'undici';
import type { Dispatcher } from 'undici';
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
}

export interface HttpAnswer {
  readonly kind: 'answer';
  readonly status: number;
  readonly headers: Readonly<IncomingHttpHeaders>;
  readonly body: string;
  /** False when the body was cut: too long, or the connection ended within it. */
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
  return {
    request: (request) => send(agent, request),
    close: () => agent.close(),
  };
}

function createAgent(env: NodeJS.ProcessEnv): Dispatcher {
  const value = (name: string) => env[name.toLowerCase()] || env[name] || '';
  // `proxy:3128` without a scheme is common, and what curl and Go take.
  const proxy = (name: string) => value(name).replace(/^(?!\w+:\/\/)(?=.)/, 'http://');
  try {
    return new EnvHttpProxyAgent({
      httpProxy: proxy('HTTP_PROXY'),
      httpsProxy: proxy('HTTPS_PROXY'),
      noProxy: value('NO_PROXY'),
      connect: { timeout: 10_000 },
    });
  } catch {
    // The cause would print the value, and with it the proxy's password.
    throw new UserError('HTTP_PROXY or HTTPS_PROXY is no proxy URL', 'Set it to http://host:port or unset it');
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
    const { text, complete } = await readBody(answer.body, request.maxBytes ?? MIB);
    return { kind: 'answer', status: answer.statusCode, headers: answer.headers, body: text, complete };
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
async function readBody(body: AsyncIterable<Buffer>, maxBytes: number): Promise<{ text: string; complete: boolean }> {
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
  return { text: Buffer.concat(chunks).toString(), complete: complete && size <= maxBytes };
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
