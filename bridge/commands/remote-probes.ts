import { connectKube, type KubeApi } from '../cluster/api.ts';
import { LISTED, type Listed, resourcePath } from '../cluster/list.ts';
import type { Config } from '../config/schema.ts';
import { countAt, objectAt, objectsAt } from '../kubernetes/fields.ts';
import { UserError } from '../lib/errors.ts';
import { systemClock } from '../lib/clock.ts';
import { reasonText } from '../lib/reasons.ts';
import { createHttp } from '../sinks/http.ts';
import { createDeliverers } from '../sinks/index.ts';
import type { Delivery } from '../sinks/sink.ts';
import type { Probe, ProbeResult } from './probe.ts';

const TIMEOUT_MS = 10_000;

/** What the bridge needs beyond its machine: a LIST of each followed kind, and its vendors. */
export async function remoteProbes(config: Config): Promise<Probe[]> {
  return [...(await kubernetesProbes(config.cluster)), ...vendorProbes(config)];
}

async function kubernetesProbes(cluster: Config['cluster']): Promise<Probe[]> {
  if (!cluster.list) {
    const detail = 'not used, because cluster.list is false';
    return [{ name: 'Kubernetes', run: () => Promise.resolve({ ok: true, detail }) }];
  }
  let api: KubeApi;
  try {
    api = await connectKube(cluster.kubeconfig);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { message: detail, next } = error;
    return [{ name: 'Kubernetes', run: () => Promise.resolve({ ok: false, detail, next }) }];
  }
  const namespaces = cluster.scope === 'cluster' ? [undefined] : cluster.scope;
  return LISTED.map((listed) => ({
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

/** How many objects there are, or why that cannot be said. One of them is read: the API tells how many remain. */
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

/** A line for each address of a vendor; that of its API says also whether the key may configure monitors. */
function vendorProbes(config: Config): Probe[] {
  return Object.entries(config.cronitor).flatMap(([name, { apiUrl, pingUrl, dryRun }]) =>
    Object.entries({ apiUrl, pingUrl }).map(([key, url]) => ({
      name: `cronitor/${name}`,
      run: async () => {
        const where = `${key}: ${new URL(url).host}`;
        const failure = await connectFailure(url);
        if (failure !== undefined)
          return { ok: false, detail: `${where} does not answer: ${failure}`, next: wayTo(key, failure) };
        const answers = { ok: true, detail: `${where} answers${dryRun ? ' (dry run: nothing is sent)' : ''}` };
        return key === 'apiUrl' ? tryKey(config, name, answers) : answers;
      },
    })),
  );
}

/** The key is tried by reading monitors. One that cannot be read is said where the configuration is checked. */
async function tryKey(config: Config, name: string, answers: ProbeResult): Promise<ProbeResult> {
  const http = createHttp();
  try {
    const account = { ...config, cronitor: { [name]: config.cronitor[name]! } };
    const [deliverer] = createDeliverers(account, http, systemClock);
    return keyResult(await deliverer!.check!(AbortSignal.timeout(TIMEOUT_MS)), answers);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return answers;
  } finally {
    await http.close();
  }
}

function keyResult(delivery: Delivery, answers: ProbeResult): ProbeResult {
  if (delivery.outcome === 'delivered') return { ...answers, detail: `${answers.detail}, the key may read monitors` };
  const { reason, detail } = delivery;
  if (reason === 'unauthorized' || reason === 'forbidden') {
    const next = 'The key is wrong, or may only send telemetry: an SDK key, which may configure monitors, is needed.';
    return { ok: false, detail: `${answers.detail}, but ${reasonText(reason)}`, next };
  }
  const next = 'Check apiUrl of this destination; Cronitor may have trouble of its own.';
  return { ok: false, detail: `${answers.detail}, but not as its API: ${reasonText(reason, detail)}`, next };
}

function wayTo(key: string, failure: string): string {
  return /ENOTFOUND|EAI_AGAIN/.test(failure)
    ? `No address is known for that name: correct ${key} of this destination, or look at the DNS of this machine or pod.`
    : `Check ${key} of this destination, the proxy variables, and egress rules.`;
}

async function connectFailure(url: string): Promise<string | undefined> {
  const http = createHttp();
  try {
    const result = await http.request({ method: 'GET', url, timeoutMs: TIMEOUT_MS });
    return result.kind === 'answer' ? undefined : result.detail;
  } finally {
    await http.close();
  }
}
