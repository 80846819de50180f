import { connectKube, type KubeApi } from '../cluster/api.ts';
import { type Listed, listedOf, resourcePath } from '../cluster/list.ts';
import type { Config } from '../config/schema.ts';
import { followedKinds } from '../config/watch.ts';
import { countAt, objectAt, objectsAt } from '../kubernetes/fields.ts';
import { UserError } from '../lib/errors.ts';
import { configured } from '../sinks/index.ts';
import type { Probe, ProbeResult } from './probe.ts';
import { quiet, vendorProbes } from './vendor-probes.ts';

const TIMEOUT_MS = 10_000;

/** What the bridge needs beyond its machine: a LIST of each followed kind, and its vendors. */
export async function remoteProbes(config: Config): Promise<Probe[]> {
  const api = await connected(config);
  const kubernetes = 'ok' in api ? [{ name: 'Kubernetes', run: () => Promise.resolve(api) }] : listProbes(config, api);
  const deps = quiet(config, 'ok' in api ? undefined : api);
  return [...kubernetes, ...configured(config).flatMap((one) => vendorProbes(one, deps))];
}

/** The Kubernetes API, or what is to be said without it. */
async function connected({ cluster }: Config): Promise<KubeApi | ProbeResult> {
  if (!cluster.list) return { ok: true, detail: 'not used, because cluster.list is false' };
  try {
    return await connectKube(cluster.kubeconfig);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { ok: false, detail: error.message, next: error.next };
  }
}

function listProbes(config: Config, api: KubeApi): Probe[] {
  const { cluster } = config;
  const namespaces = cluster.scope === 'cluster' ? [undefined] : cluster.scope;
  return listedOf(followedKinds(config)).map((listed) => ({
    name: `LIST ${listed.resource}`,
    run: async () => {
      let objects = 0;
      for (const namespace of namespaces) {
        const found = await count(api, listed, namespace);
        if (typeof found !== 'number') return found;
        objects += found;
      }
      const where = cluster.scope === 'cluster' ? 'in the whole cluster' : `in ${cluster.scope.join(', ')}`;
      const detail = `allowed ${where} at ${api.server}: ${objects} there`;
      return listed.kind === 'CronJob' && objects === 0 ? { ok: true, detail, next: NO_CRONJOB } : { ok: true, detail };
    },
  }));
}

const NO_CRONJOB = 'No CronJob is seen: if there are some, cluster.scope (in the chart: scope) leaves them out.';

/** How many objects there are, or why that cannot be said. One of them is read: the API says how many remain. */
async function count(api: KubeApi, listed: Listed, namespace: string | undefined): Promise<number | ProbeResult> {
  const answer = await api.get(`${resourcePath(listed, namespace)}?limit=1`, AbortSignal.timeout(TIMEOUT_MS));
  if (answer.kind === 'failed')
    return {
      ok: false,
      detail: `${api.server} cannot be reached: ${answer.error}`,
      next: 'Check cluster.kubeconfig or KUBECONFIG, and the way to that address.',
    };
  if (answer.status === 200)
    return (
      objectsAt(answer.body, 'items').length + (countAt(objectAt(answer.body, 'metadata'), 'remainingItemCount') ?? 0)
    );
  return {
    ok: false,
    detail: `the Kubernetes API answered ${answer.status}: ${messageOf(answer.body)}`,
    next: `Grant the bridge's account the verb list on ${listed.resource}${namespace === undefined ? '' : ` in ${namespace}`}.`,
  };
}

function messageOf(body: { readonly [key: string]: unknown }): string {
  const message = body['message'];
  return typeof message === 'string' ? message : 'without a reason';
}
