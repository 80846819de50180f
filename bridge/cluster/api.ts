import type { Instant } from '../lib/clock.ts';
import { errorText } from '../lib/errors.ts';
import { sha256Hex } from '../lib/ids.ts';
import type { HttpResult } from '../sinks/http.ts';
import type { Kube, KubeRequest } from '../sinks/module.ts';
import type { KubeAccess } from './kube-access.ts';
import { readKubeAccess } from './kube-access.ts';
import { decodeKubeProtobuf, itemsDigest, KUBE_PROTOBUF } from './kube-protobuf.ts';
import type { ApiRequest, Connection, WatchReader } from './kube-request.ts';
import { connection, dateOf, exchange, JSON_TYPE, request, watch } from './kube-request.ts';

/** Answer of the Kubernetes API; `failed` means that there was none. */
export type ApiAnswer =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly body: { readonly [key: string]: unknown };
      /** The API's own time, in whole seconds. */
      readonly at?: Instant | undefined;
      /** What the items of a metadata LIST are, in short; undefined when it is not in protobuf. */
      readonly digest?: (() => string | undefined) | undefined;
    }
  | { readonly kind: 'failed'; readonly error: string };

export interface KubeApi {
  /** Where it is, for messages. */
  readonly server: string;
  /** SHA-256 of the certificate authority, if the configuration has one. */
  readonly caHash: string | undefined;
  /** GET of a path with its query; never throws. */
  get(path: string, signal: AbortSignal, accept?: string): Promise<ApiAnswer>;
  /** Any request whose answer counts with its headers; never throws. */
  send(asked: KubeRequest, signal: AbortSignal): Promise<HttpResult>;
  /** DELETE of one object; never throws. */
  remove(path: string, signal: AbortSignal): Promise<ApiAnswer>;
  /** GET of a watch until its end; never throws. Without status 200 the text is the API's own words. */
  watch(path: string, reader: WatchReader, signal: AbortSignal): Promise<WatchEnd>;
  /** GET of a text of which only the last `maxBytes` are kept, however long it is; never throws. */
  tail(path: string, maxBytes: number, signal: AbortSignal): Promise<TailAnswer>;
}

/** Status 200: it was watched until the API ended that in order. */
export type WatchEnd =
  | { readonly kind: 'answer'; readonly status: number; readonly text: string }
  | { readonly kind: 'failed'; readonly error: string };

/** `bytes` is the length of the whole text; without status 200 the text is the API's own words. */
export type TailAnswer =
  | { readonly kind: 'answer'; readonly status: number; readonly text: Buffer; readonly bytes: number }
  | { readonly kind: 'failed'; readonly error: string };

/** Credentials are read again after this, and at once when they are refused: tokens and certificates are rotated. */
const REFRESH_MS = 10 * 60_000;
const UNAUTHORIZED = 401;

/** The Kubernetes API that the configuration names. Rejects as `readKubeAccess` does. */
export async function connectKube(kubeconfig: string | undefined): Promise<KubeApi> {
  const read = (): Promise<KubeAccess> => readKubeAccess(kubeconfig);
  return kubeApi(await read(), read);
}

/** The Kubernetes API by an access that is there; `read` reads it again. */
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
    get: (path, signal, accept = JSON_TYPE) => authorized((to) => ask(to, { path, signal, accept })),
    async send(asked, signal) {
      const sent = await authorized(async (to) => {
        const result = await exchange(to, { ...asked, signal });
        return { status: result.kind === 'answer' ? result.status : 0, result };
      });
      if (sent.kind === 'answer') return sent.result;
      return { kind: 'failed', reason: 'connection_failed', detail: sent.error, unknown: false };
    },
    remove: (path, signal) => authorized((to) => ask(to, { method: 'DELETE', path, signal, accept: JSON_TYPE })),
    watch: (path, reader, signal) => authorized((to) => watch(to, path, reader, signal)),
    tail: (path, maxBytes, signal) => authorized((to) => request(to, { path, signal, accept: '*/*', maxBytes })),
  };
}

/** The part of it that a sink may use. */
export function kubeOf(api: KubeApi, scope: Kube['scope']): Kube {
  return { scope, send: (asked, signal) => api.send(asked, signal) };
}

/** The certificates themselves, so that their order in a file and the text around them mean nothing. */
function hashCa(pem: string): string {
  const certificates = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [pem];
  const plain = certificates.map((text) => text.replaceAll(/\s/g, '')).toSorted();
  return sha256Hex(plain.join('\n'));
}

async function ask(connection: Connection, asked: Omit<ApiRequest, 'maxBytes'>) {
  const { status, text, headers } = await request(connection, { ...asked, maxBytes: Infinity });
  const isProtobuf = headers['content-type']?.startsWith(KUBE_PROTOBUF) === true;
  const parsed = isProtobuf ? decodeKubeProtobuf(text) : (JSON.parse(text.toString()) as { [key: string]: unknown });
  return { status, at: dateOf(headers), body: parsed, digest: isProtobuf ? () => itemsDigest(text) : undefined };
}
