import http from 'node:http';
import https from 'node:https';
import { errorText, UserError } from '../lib/errors.ts';
import { sha256Hex } from '../lib/ids.ts';
import type { KubeAccess } from './kube-config.ts';
import { readKubeAccess } from './kube-config.ts';

/** Answer of the Kubernetes API; `failed` is no answer at all. */
export type ApiAnswer =
  | { readonly kind: 'answer'; readonly status: number; readonly body: { readonly [key: string]: unknown } }
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
/** A connection that was idle for longer is not used again: the other side may be about to close it. */
const IDLE_MS = 15_000;
const NEXT =
  'Set cluster.kubeconfig or KUBECONFIG to a readable kubeconfig file, or cluster.list: false to run without.';

/**
 * The Kubernetes API by kubeconfig, KUBECONFIG, ~/.kube/config or the pod's service account, through the proxy that the
 * kubeconfig or the environment names. Throws a UserError when there is none of them, or one without a cluster.
 */
export function connectKube(kubeconfig: string | undefined): KubeApi {
  const access = readAccess(kubeconfig);
  const { server, ca, proxyUrl } = access;
  const proxyEnv = proxyUrl === undefined ? process.env : { HTTP_PROXY: proxyUrl, HTTPS_PROXY: proxyUrl };
  const agentOptions = { keepAlive: true, timeout: IDLE_MS, proxyEnv };
  const agent = server.startsWith('http:') ? new http.Agent(agentOptions) : new https.Agent(agentOptions);
  const caHash = ca === undefined ? undefined : hashCa(ca);
  return { server, caHash, get: (path, signal, accept) => get(access, agent, path, signal, accept) };
}

function readAccess(kubeconfig: string | undefined): KubeAccess {
  let access: KubeAccess | undefined;
  try {
    access = readKubeAccess(kubeconfig);
  } catch (error) {
    throw new UserError(`the Kubernetes configuration cannot be read: ${errorText(error).split('\n')[0]}`, NEXT);
  }
  if (access === undefined)
    throw new UserError('there is no Kubernetes configuration: no kubeconfig and no service account of a pod', NEXT);
  return access;
}

/** The certificates themselves, so that their order in a file and the text around them mean nothing. */
function hashCa(pem: string): string {
  const certificates = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [pem];
  const plain = certificates.map((text) => text.replaceAll(/\s/g, '')).toSorted();
  return sha256Hex(plain.join('\n'));
}

async function get(
  access: KubeAccess,
  agent: http.Agent | https.Agent,
  path: string,
  signal: AbortSignal,
  accept = 'application/json',
): Promise<ApiAnswer> {
  try {
    const own = await access.options();
    const headers = { ...own.headers, accept };
    const url = new URL(access.server.replace(/\/$/, '') + path);
    const { status, text } = await request(url, { ...own, agent, timeout: TIMEOUT_MS, headers, signal });
    return { kind: 'answer', status, body: JSON.parse(text) as { [key: string]: unknown } };
  } catch (error) {
    return { kind: 'failed', error: errorText(error) };
  }
}

function request(url: URL, options: https.RequestOptions): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const call = (url.protocol === 'http:' ? http : https).request(url, options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') });
      });
    });
    call.on('timeout', () => call.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
    call.on('error', reject);
    call.end();
  });
}
