import { once } from 'node:events';
import https from 'node:https';
import { createInterface } from 'node:readline';
import type { IncomingMessage } from 'node:http';
import type { KubeAccess } from '../../bridge/cluster/kube-access.ts';

interface Owner {
  readonly metadata: { readonly name: string; readonly uid: string };
  readonly spec: { readonly jobTemplate: { readonly spec: object } };
}

interface WatchedJob {
  readonly metadata: { readonly uid: string };
  readonly status?: {
    readonly startTime?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

export type Edge = 'run' | 'complete';

/** The Kubernetes API by plain requests: kubectl takes longer than what is measured. */
export class LatencyCluster {
  /** When a plain watch saw an edge, in ms; keys are `UID EDGE`. */
  readonly seen = new Map<string, number>();
  readonly #access: KubeAccess;
  readonly #agent = new https.Agent({ keepAlive: true });
  readonly #jobs: string;
  readonly #watching = new AbortController();

  constructor(access: KubeAccess, namespace: string) {
    this.#access = access;
    this.#jobs = `/apis/batch/v1/namespaces/${namespace}/jobs`;
  }

  /** Starts a run of a CronJob at once, as kubectl does it. */
  async startRun({ metadata, spec }: Owner, name: string): Promise<string> {
    const { name: owner, uid } = metadata;
    const ownerReferences = [{ apiVersion: 'batch/v1', kind: 'CronJob', name: owner, uid, controller: true }];
    const annotations = { 'cronjob.kubernetes.io/instantiate': 'manual' };
    const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name, annotations, ownerReferences } };
    const response = await this.#request('POST', this.#jobs, JSON.stringify({ ...job, spec: spec.jobTemplate.spec }));
    const made = JSON.parse(await text(response)) as WatchedJob;
    if (response.statusCode !== 201) throw new Error(`the Job ${name} was not made: ${response.statusCode}`);
    return made.metadata.uid;
  }

  /** Watches the Jobs until `close`; the watch stands when this resolves. */
  async watch(): Promise<void> {
    const response = await this.#request('GET', `${this.#jobs}?watch=1&timeoutSeconds=3600`);
    const lines = createInterface({ input: response });
    // It ends with an abort.
    lines.on('error', () => undefined);
    lines.on('line', (line) => this.#see(JSON.parse(line) as { object: WatchedJob }, Date.now()));
  }

  close(): void {
    this.#watching.abort();
    this.#agent.destroy();
  }

  #see({ object: { metadata, status = {} } }: { object: WatchedJob }, at: number): void {
    const edges: Edge[] = [];
    if (status.startTime !== undefined) edges.push('run');
    if (status.conditions?.some((condition) => condition.type === 'Complete' && condition.status === 'True') === true)
      edges.push('complete');
    for (const edge of edges) {
      const key = `${metadata.uid} ${edge}`;
      if (!this.seen.has(key)) this.seen.set(key, at);
    }
  }

  async #request(method: string, path: string, body?: string): Promise<IncomingMessage> {
    const { server, headers: own, ...tls } = this.#access;
    const headers = { ...own, 'content-type': 'application/json' };
    const options = { ...tls, method, headers, agent: this.#agent, signal: this.#watching.signal };
    const request = https.request(server + path, options);
    request.end(body);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return response;
  }
}

async function text(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString();
}
