import { existsSync, readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import type { Cluster } from '@kubernetes/client-node';
import { KubeConfig } from '@kubernetes/client-node';
import { errorText } from '../lib/errors.ts';
import type { KubeAccess, KubeAccessAnswer } from './kube-access.ts';

/** What the library falls back to; no cluster of today answers there. */
const NOWHERE = 'http://localhost:8080';

async function read(kubeconfig: string | undefined): Promise<KubeAccess | 'none'> {
  const config = new KubeConfig();
  if (kubeconfig === undefined) config.loadFromDefault();
  else config.loadFromFile(kubeconfig);
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error('it names no current cluster');
  if (kubeconfig === undefined && cluster.server === NOWHERE) return 'none';
  if (cluster.proxyUrl?.startsWith('socks') === true) throw new Error('its proxy-url is not one of http or https');
  const options: RequestOptions = { headers: {} };
  await config.applyToHTTPSOptions(options);
  const { cert, key, servername, rejectUnauthorized, auth, headers } = options;
  return {
    server: cluster.server,
    ca: caOf(cluster),
    cert: textOf(cert),
    key: textOf(key),
    servername,
    rejectUnauthorized,
    auth: auth ?? undefined,
    proxyUrl: cluster.proxyUrl,
    headers: headers as Record<string, string>,
  };
}

function textOf(pem: unknown): string | undefined {
  return typeof pem === 'string' || Buffer.isBuffer(pem) ? pem.toString() : undefined;
}

function caOf({ caData, caFile }: Cluster): string | undefined {
  if (caData !== undefined) return Buffer.from(caData, 'base64').toString('utf8');
  return caFile !== undefined && existsSync(caFile) ? readFileSync(caFile, 'utf8') : undefined;
}

// What says why a credential plugin failed goes to standard error; the access itself only through the channel.
const answer: KubeAccessAnswer = await read(process.argv[2]).then(
  (access) => ({ access }),
  (error: unknown) => ({ error: errorText(error) }),
);
process.send?.(answer, () => process.disconnect?.());
