import { type Kube, until } from '../harness/kube.ts';
import type { Release } from './release.ts';

/** What a part of a release has used, as its kubelet counts. */
export interface Usage {
  readonly part: string;
  /** Thousandths of a core, just now. */
  readonly cpu: number;
  /** MiB: the working set, which the limit is compared with. */
  readonly memory: number;
  readonly rss: number;
  /** MiB, of the container. */
  readonly request: number;
  readonly limit: number;
}

interface Summary {
  readonly pods: readonly {
    readonly podRef: { readonly name: string; readonly namespace: string };
    readonly containers?: readonly {
      readonly cpu?: { readonly usageNanoCores?: number };
      readonly memory?: { readonly workingSetBytes?: number; readonly rssBytes?: number };
    }[];
  }[];
}

interface Resources {
  readonly requests: { readonly memory: string };
  readonly limits: { readonly memory: string };
}

interface Spec {
  readonly containers: readonly [{ readonly resources: Resources }];
}

const MIB = 2 ** 20;

/** What each part of the release uses now. */
export async function measured(kube: Kube, release: Release): Promise<readonly Usage[]> {
  const pods = await release.pods();
  return Promise.all(
    [...pods].map(async ([part, { metadata, spec }]) => {
      const { requests, limits } = (spec as unknown as Spec).containers[0].resources;
      const { cpu, memory } = await until(`the kubelet says what ${metadata.name} uses`, () =>
        stats(kube, metadata.name),
      );
      const mebibytes = (bytes = 0): number => Math.round(bytes / MIB);
      return {
        part,
        cpu: Math.round((cpu?.usageNanoCores ?? 0) / 1e6),
        memory: mebibytes(memory?.workingSetBytes),
        rss: mebibytes(memory?.rssBytes),
        request: Number.parseInt(requests.memory, 10),
        limit: Number.parseInt(limits.memory, 10),
      };
    }),
  );
}

async function stats(kube: Kube, pod: string) {
  const [node] = await kube.list('nodes');
  const summary = await kube.kubectl(['get', '--raw', `/api/v1/nodes/${node?.metadata.name}/proxy/stats/summary`]);
  const { pods } = JSON.parse(summary) as Summary;
  const found = pods.find(({ podRef }) => podRef.name === pod && podRef.namespace === kube.namespace);
  const [container] = found?.containers ?? [];
  return container?.memory?.workingSetBytes === undefined || container.cpu?.usageNanoCores === undefined
    ? undefined
    : container;
}
