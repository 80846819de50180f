import { existsSync, readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { Cluster } from '@kubernetes/client-node';
import { KubeConfig } from '@kubernetes/client-node';
import type { Instant } from '../lib/clock.ts';
import { errorText, UserError } from '../lib/errors.ts';
import { sha256Hex } from '../lib/ids.ts';

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
}

const TIMEOUT_MS = 30_000;
const NEXT =
  'Set cluster.kubeconfig or KUBECONFIG to a readable kubeconfig file, or cluster.list: false to run without.';

/**
 * The Kubernetes API by kubeconfig, KUBECONFIG, ~/.kube/config or the pod's service account, proxies included, as
 * @kubernetes/client-node reads them. Throws a UserError when there is none of them, or one without a cluster.
 */
export function connectKube(kubeconfig: string | undefined): KubeApi {
  const config = new KubeConfig();
  try {
    if (kubeconfig === undefined) config.loadFromDefault();
    else config.loadFromFile(kubeconfig);
  } catch (error) {
    throw new UserError(`the Kubernetes configuration cannot be read: ${errorText(error).split('\n')[0]}`, NEXT);
  }
  const server = config.getCurrentCluster()?.server;
  if (server === undefined) throw new UserError('the Kubernetes configuration names no current cluster', NEXT);
  // What the library falls back to; no cluster of today answers there.
  if (kubeconfig === undefined && server === 'http://localhost:8080')
    throw new UserError('there is no Kubernetes configuration: no kubeconfig and no service account of a pod', NEXT);
  const caHash = hashCa(config.getCurrentCluster());
  return { server, caHash, get: (path, signal, accept) => get(config, server, path, signal, accept) };
}

/** The certificates themselves, so that their order in a file and the text around them mean nothing. */
function hashCa(cluster: Cluster | null): string | undefined {
  const data = cluster?.caData;
  const file = cluster?.caFile;
  if (data === undefined && (file === undefined || !existsSync(file))) return undefined;
  const pem = data === undefined ? readFileSync(file!, 'utf8') : Buffer.from(data, 'base64').toString('utf8');
  const certificates = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [pem];
  const plain = certificates.map((text) => text.replaceAll(/\s/g, '')).toSorted();
  return sha256Hex(plain.join('\n'));
}

async function get(
  config: KubeConfig,
  server: string,
  path: string,
  signal: AbortSignal,
  accept = 'application/json',
): Promise<ApiAnswer> {
  try {
    const headers = { accept };
    const options: https.RequestOptions = { method: 'GET', timeout: TIMEOUT_MS, headers, signal };
    await config.applyToHTTPSOptions(options);
    const { status, text, date } = await request(new URL(server.replace(/\/$/, '') + path), options);
    const at = Date.parse(date) || undefined;
    return { kind: 'answer', status, at, body: JSON.parse(text) as { [key: string]: unknown } };
  } catch (error) {
    return { kind: 'failed', error: errorText(error) };
  }
}

function request(url: URL, options: https.RequestOptions): Promise<{ status: number; text: string; date: string }> {
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
    call.end();
  });
}
