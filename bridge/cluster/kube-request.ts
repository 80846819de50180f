import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';

import type { Instant } from '../lib/clock.ts';
import { errorText } from '../lib/errors.ts';
import type { HttpFailure, HttpResult } from '../sinks/http.ts';
import type { KubeRequest } from '../sinks/module.ts';
import type { KubeAccess } from './kube-access.ts';

export const JSON_TYPE = 'application/json';
/** How long the API is asked to watch before it ends that: a connection that is half open is noticed soon after. */
export const WATCH_MS = 60_000;
const SLACK_MS = 15_000;
const TIMEOUT_MS = 30_000;
/** A connection that was idle for longer is not used again: the other side may be about to close it. */
const IDLE_MS = 15_000;
/** etcd takes no object of more than 1.5 MiB, and JSON makes it longer. */
const MAX_LINE_BYTES = 8 * 1024 * 1024;
const MAX_REFUSAL_BYTES = 64 * 1024;

/** What a watch brings. */
export interface WatchReader {
  /** The API watches from now on; by its own clock it is `at`. */
  opened(at: Instant | undefined): void;
  /** Whole lines in their order. No more is read before it is fulfilled; when it rejects, the watch ends. */
  take(lines: readonly string[]): Promise<void>;
}

export interface Connection {
  readonly access: KubeAccess;
  readonly agent: http.Agent;
  readonly readAt: number;
}

/** Through the proxy that the kubeconfig or the environment names. */
export function connection(access: KubeAccess): Connection {
  const { server, proxyUrl } = access;
  const proxyEnv = proxyUrl === undefined ? process.env : { HTTP_PROXY: proxyUrl, HTTPS_PROXY: proxyUrl };
  const options = { keepAlive: true, timeout: IDLE_MS, proxyEnv };
  const agent = server.startsWith('http:') ? new http.Agent(options) : new https.Agent(options);
  return { access, agent, readAt: performance.now() };
}

export interface ApiRequest {
  /** Default GET. */
  readonly method?: KubeRequest['method'] | 'DELETE';
  readonly path: string;
  readonly signal: AbortSignal;
  readonly accept: string;
  readonly body?: string | undefined;
  /** Content type of the body; default JSON. */
  readonly type?: string | undefined;
  /** More of the answer is not kept: the last of it is. */
  readonly maxBytes: number;
}

interface RawAnswer {
  readonly status: number;
  readonly text: Buffer;
  readonly bytes: number;
  readonly headers: http.IncomingHttpHeaders;
}

/** Sends a request and reads the whole answer; rejects when there is none. */
export async function request(to: Connection, asked: ApiRequest): Promise<RawAnswer> {
  return readAll(await send(to, asked, TIMEOUT_MS), asked.maxBytes);
}

/**
 * GET of a watch: its lines go to `reader` until the API ends it. An answer without status 200 is read as a text.
 * Rejects when there is no answer, when nothing comes for longer than the API watches, and as `reader.take` does.
 */
export async function watch(
  to: Connection,
  path: string,
  reader: WatchReader,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly text: string }> {
  const response = await send(to, { path, signal, accept: JSON_TYPE }, WATCH_MS + SLACK_MS);
  const { statusCode: status = 0 } = response;
  if (status !== 200) return { status, text: (await readAll(response, MAX_REFUSAL_BYTES)).text.toString() };
  reader.opened(dateOf(response.headers));
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of response as AsyncIterable<Buffer>) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const end = bytes.lastIndexOf('\n') + 1;
    rest = bytes.subarray(end);
    if (rest.length > MAX_LINE_BYTES) throw new Error(`an event of more than ${MAX_LINE_BYTES} bytes`);
    if (end > 0) await reader.take(bytes.toString('utf8', 0, end - 1).split('\n'));
  }
  return { status, text: '' };
}

/** The API's own time, in whole seconds. */
export function dateOf({ date = '' }: http.IncomingHttpHeaders): Instant | undefined {
  return Date.parse(date) || undefined;
}

/** Sends a request and says what became of it, also where there was no answer. */
export async function exchange(
  to: Connection,
  asked: KubeRequest & { readonly signal: AbortSignal },
): Promise<HttpResult> {
  let written = false;
  try {
    const onSent = (): void => void (written = true);
    const response = await send(to, { accept: JSON_TYPE, ...asked }, to.access.timeoutMs ?? TIMEOUT_MS, onSent);
    const { status, text, bytes, headers } = await readAll(response, MAX_LINE_BYTES);
    const single = Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]);
    return {
      kind: 'answer',
      status,
      headers: Object.fromEntries(single) as Record<string, string | undefined>,
      body: text.toString(),
      complete: bytes <= MAX_LINE_BYTES,
    };
  } catch (error) {
    return failure(error, written, asked.signal.aborted);
  }
}

function failure(error: unknown, written: boolean, stopped: boolean): HttpFailure {
  const detail = stopped ? 'stopped' : errorText(error);
  if (stopped) return { kind: 'failed', reason: 'shutting_down', detail, unknown: written };
  if (!written) return { kind: 'failed', reason: 'connection_failed', detail, unknown: false };
  return { kind: 'failed', reason: error instanceof NoAnswer ? 'timeout' : 'answer_lost', detail, unknown: true };
}

class NoAnswer extends Error {}

/** `onSent` is called when a connection exists, to which the request is written at once. */
function send(
  { access, agent }: Connection,
  { method = 'GET', path, signal, accept, body, type = JSON_TYPE }: Omit<ApiRequest, 'maxBytes'>,
  timeout: number,
  onSent?: () => void,
): Promise<http.IncomingMessage> {
  const { server, headers, proxyUrl: _proxy, timeoutMs: _timeout, ...tls } = access;
  const url = new URL(server.replace(/\/$/, '') + path);
  const typed = body === undefined ? {} : { 'content-type': type };
  const options = { ...tls, method, agent, signal, timeout, headers: { ...headers, ...typed, accept } };
  return new Promise((resolve, reject) => {
    const call = (url.protocol === 'http:' ? http : https).request(url, options, resolve);
    if (onSent !== undefined) call.on('socket', (socket) => whenConnected(socket, onSent));
    call.on('timeout', () => call.destroy(new NoAnswer(`no answer within ${timeout / 1000} s`)));
    call.on('error', reject);
    call.end(body);
  });
}

function whenConnected(socket: Socket, then: () => void): void {
  if (!socket.connecting) then();
  else socket.once('encrypted' in socket ? 'secureConnect' : 'connect', then);
}

async function readAll(response: http.IncomingMessage, maxBytes: number): Promise<RawAnswer> {
  const tail = new Tail(maxBytes);
  for await (const chunk of response as AsyncIterable<Buffer>) tail.add(chunk);
  const { statusCode = 0, headers } = response;
  return { status: statusCode, text: tail.text(), bytes: tail.bytes, headers };
}

/** The end of a stream, in memory of about that size. */
class Tail {
  bytes = 0;
  readonly #max: number;
  readonly #chunks: Buffer[] = [];
  #kept = 0;

  constructor(max: number) {
    this.#max = max;
  }

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.bytes += chunk.length;
    this.#kept += chunk.length;
    while (this.#kept - this.#chunks[0]!.length >= this.#max) this.#kept -= this.#chunks.shift()!.length;
  }

  text(): Buffer {
    const all = Buffer.concat(this.#chunks);
    return all.length <= this.#max ? all : all.subarray(all.length - this.#max);
  }
}
