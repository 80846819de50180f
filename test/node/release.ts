import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { writeFileSync } from 'node:fs';
import { tool } from '../harness/cluster.ts';
import { type Kube, type KubeObject, until } from '../harness/kube.ts';
import { isListed, isSettled, type Readyz } from '../harness/readyz.ts';
import { helmAt, type Tree } from '../chart/helm.ts';
import type { RealNode } from './setup.ts';

export interface Pod extends KubeObject {
  readonly status: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly { readonly image: string; readonly restartCount: number }[];
  };
}

/** A release of the chart in a namespace of the node. */
export interface Release {
  readonly name: string;
  /** Installs or upgrades it with all of `values`, and waits until its pods are Ready. */
  apply(chart: string, values: Tree): Promise<void>;
  /** Runs `helm COMMAND RELEASE …`; rejects with what Helm said. */
  helm(command: string, ...args: readonly string[]): Promise<string>;
  /** Its pods that are not about to go, by the end of their names: bridge, collector, kube-state-metrics. */
  pods(): Promise<ReadonlyMap<string, Pod>>;
  /** The bridge's /readyz. */
  readyz(): Promise<Readyz>;
  /** Waits until nothing waits to be sent and every LIST is complete. */
  settled(): Promise<void>;
  /** Reads a path of the page with its token, as a person does by `kubectl port-forward`. */
  page(path: string): Promise<Response>;
}

export function releaseIn({ kubeconfig }: RealNode, kube: Kube, name: string, folder: string): Release {
  const raw = (path: string): Promise<string> => kube.kubectl(['get', '--raw', path]);
  const helm: Release['helm'] = async (command, ...args) => {
    const { code, output } = await helmAt(kubeconfig, command, name, '-n', kube.namespace, ...args);
    if (code !== 0) throw new Error(`helm ${command} ${name}: ${output}`);
    return output;
  };
  const readyz = async (): Promise<Readyz> =>
    JSON.parse(await raw(`/api/v1/namespaces/${kube.namespace}/services/${name}-bridge:http/proxy/readyz`)) as Readyz;
  return {
    name,
    helm,
    readyz,
    apply: async (chart, values) => {
      const file = `${folder}/${name}-values.json`;
      writeFileSync(file, JSON.stringify(values));
      await helm('upgrade', chart, '--install', '--wait', '--timeout', '4m', '-f', file);
    },
    pods: () => podsOf(kube, name),
    settled: async () => {
      await until('nothing waits, and every LIST is complete', async () => {
        const ready = await readyz().catch(() => undefined);
        return ready !== undefined && isListed(ready) && isSettled(ready);
      });
    },
    page: async (path) => {
      const token = await kube.kubectl(['exec', `${name}-bridge-0`, '--', 'lifecycle-bridge', 'page-token']);
      const headers = { authorization: `Bearer ${token.trim()}` };
      return forwarded(kubeconfig, kube, `service/${name}-bridge`, 8080, async (address) => {
        const answer = await fetch(`http://${address}${path}`, { headers });
        return new Response(await answer.text(), answer);
      });
    },
  };
}

async function podsOf(kube: Kube, release: string): Promise<ReadonlyMap<string, Pod>> {
  const selector = `app.kubernetes.io/instance=${release},app.kubernetes.io/name!=bridge-test`;
  const { items } = JSON.parse(await kube.kubectl(['get', 'pods', '-l', selector, '-o', 'json'])) as { items: Pod[] };
  const stays = items.filter(({ metadata }) => !('deletionTimestamp' in metadata));
  return new Map(stays.map((pod) => [part(pod.metadata.name, release), pod]));
}

const part = (pod: string, release: string): string =>
  ['bridge', 'collector', 'kube-state-metrics'].find((each) => pod.startsWith(`${release}-${each}-`)) ?? pod;

/** Calls `use` with the local address of a port of the target. */
async function forwarded<T>(
  kubeconfig: string,
  kube: Kube,
  target: string,
  port: number,
  use: (address: string) => Promise<T>,
): Promise<T> {
  const args = [`--kubeconfig=${kubeconfig}`, '-n', kube.namespace, 'port-forward', target, `:${port}`];
  const child = spawn(await tool('kubectl'), args, { stdio: ['ignore', 'pipe', 'pipe'] });
  try {
    for await (const line of createInterface(child.stdout)) {
      const address = /Forwarding from (127\.0\.0\.1:\d+)/.exec(line)?.[1];
      if (address !== undefined) return await use(address);
    }
    throw new Error(`kubectl port-forward ${target} ended`);
  } finally {
    child.kill();
  }
}
