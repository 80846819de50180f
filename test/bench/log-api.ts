import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { KubeAccess } from '../../bridge/cluster/kube-access.ts';

const TLS = join(import.meta.dirname, '../fixtures/tls');
/** A line as programs write them; a log is 100 of them, 8 KB. */
const LINE = '2026-03-01T00:00:00Z INFO  processed one batch of the nightly import, id 0123456789\n';
const LOG = LINE.repeat(100);

/** The API of a cluster with logs: its simulated kubelets have none. */
export interface LogApi {
  readonly kubeconfig: string;
  /** How many logs were read. */
  reads(): number;
  close(): void;
}

/** Stands before the API server, over TLS as that is, answers reads of logs and passes everything else on. */
export async function startLogApi(access: KubeAccess, folder: string): Promise<LogApi> {
  const { server, headers: own, ...tls } = access;
  const agent = new https.Agent({ keepAlive: true });
  let reads = 0;
  const pem = { key: readFileSync(join(TLS, 'server-1.key')), cert: readFileSync(join(TLS, 'server-1.pem')) };
  const front = https.createServer(pem, (request, response) => {
    const { method, url = '/' } = request;
    if (/^\/api\/v1\/namespaces\/[^/]+\/pods\/[^/]+\/log\?/.test(url)) {
      reads++;
      response.end(LOG);
      return;
    }
    const { host: _, ...headers } = { ...request.headers, ...own };
    const passed = https.request(server + url, { ...tls, method, headers, agent }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    passed.on('error', () => response.destroy());
    request.pipe(passed);
  });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  const kubeconfig = join(folder, 'logs.kubeconfig');
  const cluster = {
    server: `https://127.0.0.1:${(front.address() as AddressInfo).port}`,
    'certificate-authority': join(TLS, 'ca.pem'),
    'tls-server-name': 'localhost',
  };
  const config = {
    clusters: [{ name: 'logs', cluster }],
    contexts: [{ name: 'logs', context: { cluster: 'logs', user: 'logs' } }],
    users: [{ name: 'logs', user: { token: 'of the bench' } }],
    'current-context': 'logs',
  };
  writeFileSync(kubeconfig, JSON.stringify(config));
  return {
    kubeconfig,
    reads: () => reads,
    close() {
      front.closeAllConnections();
      front.close();
      agent.destroy();
    },
  };
}
