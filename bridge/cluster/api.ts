import http from 'node:http';
import https from 'node:https';
import type { Instant } from '../lib/clock.ts';
import { errorText } from '../lib/errors.ts';
import { sha256Hex } from '../lib/ids.ts';
import type { KubeAccess } from './kube-access.ts';
import { readKubeAccess } from './kube-access.ts';

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
}

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
  const send = async (path: string, signal: AbortSignal, accept: string, body?: string): Promise<ApiAnswer> => {
    try {
      if (performance.now() - current.readAt >= REFRESH_MS) await refresh();
      const answer = await ask(current, path, signal, accept, body);
      if (answer.status !== UNAUTHORIZED) return answer;
      await refresh();
      return await ask(current, path, signal, accept, body);
    } catch (error) {
      return { kind: 'failed', error: errorText(error) };
    }
  };
  return {
    server,
    caHash: ca === undefined ? undefined : hashCa(ca),
    get: (path, signal, accept = JSON_TYPE) => send(path, signal, accept),
    create: (path, object, signal) => send(path, signal, JSON_TYPE, JSON.stringify(object)),
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
async function ask(
  { access, agent }: Connection,
  path: string,
  signal: AbortSignal,
  accept: string,
  body: string | undefined,
): Promise<Extract<ApiAnswer, { kind: 'answer' }>> {
  const { server, headers, proxyUrl: _proxy, ...tls } = access;
  const url = new URL(server.replace(/\/$/, '') + path);
  const method = body === undefined ? 'GET' : 'POST';
  const type = body === undefined ? {} : { 'content-type': JSON_TYPE };
  const options = { ...tls, method, agent, signal, timeout: TIMEOUT_MS, headers: { ...headers, ...type, accept } };
  const { status, text, date } = await request(url, options, body);
  const at = Date.parse(date) || undefined;
  return { kind: 'answer', status, at, body: JSON.parse(text) as { [key: string]: unknown } };
}

function request(
  url: URL,
  options: https.RequestOptions,
  body: string | undefined,
): Promise<{ status: number; text: string; date: string }> {
  return new Promise((resolve, reject) => {
    const call = (url.protocol === 'http:' ? http : https).request(url, options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode = 0, headers } = response;
        resolve({ status: statusCode, text: Buffer.concat(chunks).toString('utf8'), date: headers.date ?? '' });
      });
    });
    call.on('timeout', () => call.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
    call.on('error', reject);
    call.end(body);
  });
}
