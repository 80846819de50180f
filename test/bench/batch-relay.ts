import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Kube } from '../harness/kube.ts';
import { freePort } from '../harness/ports.ts';
import { startFedCollector } from '../replay/fed-collector.ts';
import type { Tree } from '../chart/helm.ts';
import { COLLECTOR } from '../node/values.ts';

/**
 * The newer Collector as the chart configures its default release, between the Collector of a node, which cannot batch in its
 * queue, and the bridge: watches of 0.111; exporter, queue and batches of 0.140.
 */
export interface Relay {
  /** The values of the node's Collector, which sends to the relay. */
  readonly collector: Tree;
  /** Starts it in front of the bridge of a release, whose pod is there; returns its process. */
  start(kube: Kube, release: string): Promise<number | undefined>;
  close(): Promise<void>;
}

/** `hostIp` is this machine as pods see it, `nodeIp` the node as this machine sees it. */
export async function makeRelay(hostIp: string, nodeIp: string, folder: string): Promise<Relay> {
  const endpoint = `${hostIp}:${await freePort()}`;
  const exporters = { ...COLLECTOR.config.exporters, 'otlp/bridge': { endpoint } };
  const dataDir = join(folder, 'relay');
  mkdirSync(dataDir);
  let close = async (): Promise<void> => undefined;
  return {
    collector: { ...COLLECTOR, config: { exporters } },
    async start(kube, release) {
      const tokenFile = join(dataDir, 'token');
      const token = await kube.kubectl(['get', 'secret', `${release}-otlp`, '-o', 'jsonpath={.data.token}']);
      writeFileSync(tokenFile, Buffer.from(token, 'base64'));
      const expose = ['expose', 'pod', `${release}-bridge-0`, '--name=relay', '--type=NodePort', '--port=4317'];
      const port = await kube.kubectl([...expose, '-o', 'jsonpath={.spec.ports[0].nodePort}']);
      const bridgeEndpoint = `${nodeIp}:${port}`;
      const options = { program: 'otelcol-next', batch: true, bridgeEndpoint, dataDir, endpoint, tokenFile } as const;
      const collector = await startFedCollector(options);
      close = () => collector.kill9();
      return collector.pid;
    },
    close: () => close(),
  };
}
