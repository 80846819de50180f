import type { KubeApi } from '../cluster/api.ts';
import { kubeOf } from '../cluster/api.ts';
import type { Config } from '../config/schema.ts';
import { UserError } from '../lib/errors.ts';
import { systemClock } from '../lib/clock.ts';
import { reasonText } from '../lib/reasons.ts';
import type { Http } from '../sinks/http.ts';
import { createHttp } from '../sinks/http.ts';
import type { Configured } from '../sinks/index.ts';
import { createDeliverer } from '../sinks/index.ts';
import type { Deps } from '../sinks/module.ts';
import type { Delivery } from '../sinks/sink.ts';
import type { Probe, ProbeResult } from './probe.ts';

const TIMEOUT_MS = 10_000;

/** What a deliverer is given that only checks: its log is not printed, and nothing is asked of `kube` before it is connected. */
export function quiet({ cluster, web }: Config, api?: KubeApi): Omit<Deps, 'http' | 'clock'> {
  const { list, scope } = cluster;
  const failed = { kind: 'failed', reason: 'connection_failed', detail: 'not connected', unknown: false } as const;
  const kube = api === undefined ? { scope, send: () => Promise.resolve(failed) } : kubeOf(api, scope);
  return {
    log: { info: () => undefined },
    kube: list ? kube : undefined,
    clusterName: cluster.name,
    pageUrl: web.publicUrl,
  };
}

/** A line for each address of a destination; its first says also whether the vendor takes its credentials. */
export function vendorProbes(one: Configured, deps: Omit<Deps, 'http' | 'clock'>): Probe[] {
  const { destination, settings, module } = one;
  const hosts = Object.entries(module.hosts(settings));
  const { kube } = deps;
  if (hosts.length === 0 && kube !== undefined) {
    const found = { ok: true, detail: 'has no address of its own' };
    const run = () => withHttp((http) => tryCredentials(one, 'the Kubernetes API', { ...deps, http }, found));
    return [{ name: destination, run }];
  }
  const answered = settings.dryRun ? 'answers (dry run: nothing is sent)' : 'answers';
  return hosts.map(([key, url], index) => ({
    name: destination,
    run: () =>
      withHttp(async (http) => {
        const where = `${key}: ${new URL(url).host}`;
        const failure = module.speaks === 'grpc' ? undefined : await connectFailure(http, url);
        if (failure !== undefined)
          return { ok: false, detail: `${where} does not answer: ${failure}`, next: wayTo(key, failure) };
        const answers = { ok: true, detail: `${where} ${answered}` };
        return index === 0 ? tryCredentials(one, key, { ...deps, http }, answers) : answers;
      }),
  }));
}

async function withHttp<T>(work: (http: Http) => Promise<T>): Promise<T> {
  const http = createHttp();
  try {
    return await work(http);
  } finally {
    await http.close();
  }
}

/** A secret that cannot be read is said where the configuration is checked. */
async function tryCredentials(
  one: Configured,
  key: string,
  deps: Omit<Deps, 'clock'>,
  answers: ProbeResult,
): Promise<ProbeResult> {
  try {
    const deliverer = await createDeliverer(one, { ...deps, clock: systemClock });
    const delivery = await deliverer.check?.(AbortSignal.timeout(TIMEOUT_MS));
    deliverer.close?.();
    return delivery === undefined ? answers : credentialsResult(one, key, delivery, answers);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return answers;
  }
}

function credentialsResult({ module }: Configured, key: string, delivery: Delivery, answers: ProbeResult): ProbeResult {
  if (delivery.outcome === 'delivered')
    return { ...answers, detail: [answers.detail, delivery.detail].filter(Boolean).join(', ') };
  const { reason, detail } = delivery;
  const advice = module.advice[reason];
  if (advice !== undefined) return { ok: false, detail: `${answers.detail}, but ${reasonText(reason)}`, next: advice };
  const next = `Check ${key} of this destination; the vendor may have trouble of its own.`;
  return { ok: false, detail: `${answers.detail}, but not as its API: ${reasonText(reason, detail)}`, next };
}

function wayTo(key: string, failure: string): string {
  return /ENOTFOUND|EAI_AGAIN/.test(failure)
    ? `No address is known for that name: correct ${key} of this destination, or look at the DNS of this machine or pod.`
    : `Check ${key} of this destination, the proxy variables, and egress rules.`;
}

async function connectFailure(http: Http, url: string): Promise<string | undefined> {
  const result = await http.request({ method: 'GET', url, timeoutMs: TIMEOUT_MS });
  return result.kind === 'answer' ? undefined : result.detail;
}
