import http from 'node:http';
import https from 'node:https';
import type { Instant } from '../lib/clock.ts';
import { errorText } from '../lib/errors.ts';
import { sha256Hex } from '../lib/ids.ts';
import type { KubeAccess } from './kube-access.ts';
import { readKubeAccess } from './kube-access.ts';
import { decodeKubeProtobuf, KUBE_PROTOBUF } from './kube-protobuf.ts';

/** Answer of the Kubernetes API; `failed` is no answer at all. */
export type ApiAnswer =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly body: { readonly [key: string]: unknown };
      /** The API's own time, in whole seconds. */
      readonly at?: Instant | undefined;
    }
  | { readonly kind: 'failed'; readonly error: string };

export interface KubeApi {
  /** Where it is, for messages. */
  readonly server: string;
  /** SHA-256 of the certificate authority, if the configuration has one. */
  readonly caHash: string | undefined;
  /** GET of a path with its query; never throws. */
  get(path: string, signal: AbortSignal, accept?: string): Promise<ApiAnswer>;
  /** POST of a new object to the path of its resource; never throws. */
  create(path: string, object: object, signal: AbortSignal): Promise<ApiAnswer>;
  /** GET of a text of which only the last `maxBytes` are kept, however long it is; never throws. */
  tail(path: string, maxBytes: number, signal: AbortSignal): Promise<TailAnswer>;
}

/** `bytes` is the length of the whole text; without status 200 the text is the API's own words. */
export type TailAnswer =
  | { readonly kind: 'answer'; readonly status: number; readonly text: Buffer; readonly bytes: number }
  | { readonly kind: 'failed'; readonly error: string };

const TIMEOUT_MS = 30_000;
/** A connection that was idle for longer is not used again: the other side may be about to close it. */
const IDLE_MS = 15_000;
/** Credentials are read again after this, and at once when they are refused: tokens and certificates are rotated. */
const REFRESH_MS = 10 * 60_000;
const UNAUTHORIZED = 401;
const JSON_TYPE = 'application/json';

/** The Kubernetes API that the configuration names. Rejects as `readKubeAccess` does. */
export async function connectKube(kubeconfig: string | undefined): Promise<KubeApi> {
  const read = (): Promise<KubeAccess> => readKubeAccess(kubeconfig);
  return kubeApi(await read(), read);
}

/** The Kubernetes API by an access that is there; `read` tells it again. */
export function kubeApi(first: KubeAccess, read: () => Promise<KubeAccess>): KubeApi {
  const { server, ca } = first;
  let current = connection(first);
  const refresh = async (): Promise<void> => {
    const { agent } = current;
    current = connection(await read());
    agent.destroy();
  };
  const authorized = async <A extends { readonly status: number }>(
    send: (connection: Connection) => Promise<A>,
  ): Promise<({ kind: 'answer' } & A) | { kind: 'failed'; error: string }> => {
    try {
      if (performance.now() - current.readAt >= REFRESH_MS) await refresh();
      const answer = await send(current);
      if (answer.status !== UNAUTHORIZED) return { kind: 'answer', ...answer };
      await refresh();
      return { kind: 'answer', ...(await send(current)) };
    } catch (error) {
      return { kind: 'failed', error: errorText(error) };
    }
  };
  return {
    server,
    caHash: ca === undefined ? undefined : hashCa(ca),
    get: (path, signal, accept = JSON_TYPE) => authorized((to) => ask(to, path, signal, accept)),
    create: (path, object, signal) => authorized((to) => ask(to, path, signal, JSON_TYPE, JSON.stringify(object))),
    tail: (path, maxBytes, signal) => authorized((to) => request(to, { path, signal, accept: '*/*', maxBytes })),
  };
}

interface Connection {
  readonly access: KubeAccess;
  readonly agent: http.Agent;
  readonly readAt: number;
}

/** Through the proxy that the kubeconfig or the environment names. */
function connection(access: KubeAccess): Connection {
  const { server, proxyUrl } = access;
  const proxyEnv = proxyUrl === undefined ? process.env : { HTTP_PROXY: proxyUrl, HTTPS_PROXY: proxyUrl };
  const options = { keepAlive: true, timeout: IDLE_MS, proxyEnv };
  const agent = server.startsWith('http:') ? new http.Agent(options) : new https.Agent(options);
  return { access, agent, readAt: performance.now() };
}

/** The certificates themselves, so that their order in a file and the text around them mean nothing. */
function hashCa(pem: string): string {
  const certificates = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [pem];
  const plain = certificates.map((text) => text.replaceAll(/\s/g, '')).toSorted();
  return sha256Hex(plain.join('\n'));
}

/** GET, or with a body POST. */
async function ask(connection: Connection, path: string, signal: AbortSignal, accept: string, body?: string) {
  const { status, text, headers } = await request(connection, { path, signal, accept, body, maxBytes: Infinity });
  const isProtobuf = headers['content-type']?.startsWith(KUBE_PROTOBUF) === true;
  const parsed = isProtobuf ? decodeKubeProtobuf(text) : (JSON.parse(text.toString()) as { [key: string]: unknown });
  return { status, at: Date.parse(headers.date ?? '') || undefined, body: parsed };
}

interface ApiRequest {
  readonly path: string;
  readonly signal: AbortSignal;
  readonly accept: string;
  readonly body?: string | undefined;
  /** More of the answer is not kept: the last of it is. */
  readonly maxBytes: number;
}

interface RawAnswer {
  readonly status: number;
  readonly text: Buffer;
  readonly bytes: number;
  readonly headers: http.IncomingHttpHeaders;
}

function request(
  { access, agent }: Connection,
  { path, signal, accept, body, maxBytes }: ApiRequest,
): Promise<RawAnswer> {
  const { server, headers, proxyUrl: _proxy, ...tls } = access;
  const url = new URL(server.replace(/\/$/, '') + path);
  const method = body === undefined ? 'GET' : 'POST';
  const type = body === undefined ? {} : { 'content-type': JSON_TYPE };
  const options = { ...tls, method, agent, signal, timeout: TIMEOUT_MS, headers: { ...headers, ...type, accept } };
  return new Promise((resolve, reject) => {
    const call = (url.protocol === 'http:' ? http : https).request(url, options, (response) => {
      const tail = new Tail(maxBytes);
      response.on('data', (chunk: Buffer) => tail.add(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode = 0, headers } = response;
        resolve({ status: statusCode, text: tail.text(), bytes: tail.bytes, headers });
      });
    });
    call.on('timeout', () => call.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
    call.on('error', reject);
    call.end(body);
  });
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
