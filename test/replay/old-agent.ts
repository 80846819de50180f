import { createHash } from 'node:crypto';
import type { KubeJson } from './objects.ts';

const PREFIX = 'k8s.cronitor.io/';

interface Metadata {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly annotations?: Readonly<Record<string, string>>;
}
interface Spec {
  readonly schedule: string;
  readonly timeZone?: string;
  readonly concurrencyPolicy?: string;
  readonly startingDeadlineSeconds?: number;
}

/**
 * What cronitor-kubernetes 0.9.1 makes of CronJobs and Jobs and sends, written down from its behaviour and without any
 * code of the bridge. `tags` and `env` are its config.tags and config.defaultEnvironment.
 */
export class OldAgent {
  readonly #base: string;
  readonly #key: string;
  readonly #tags: string;
  readonly #env: string;

  constructor(base: string, key: string, { tags = '', env = '' } = {}) {
    this.#base = base;
    this.#key = key;
    this.#tags = tags;
    this.#env = env;
  }

  /** Its start: one request with every CronJob that is not excluded. */
  async sync(cronJobs: readonly KubeJson[]): Promise<void> {
    const monitors = cronJobs.filter((each) => get(each, 'exclude') !== 'true').map((each) => this.#monitor(each));
    const response = await fetch(`${this.#base}/api/monitors?auto-discover=1`, {
      method: 'PUT',
      headers: {
        authorization: `Basic ${Buffer.from(`${this.#key}:`).toString('base64')}`,
        'content-type': 'application/json',
        'cronitor-version': '2020-10-27',
        'user-agent': 'cronitor-kubernetes/0.9.1',
      },
      body: JSON.stringify(monitors),
    });
    if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
  }

  /** A ping: the series is the Job's UID, the stamp in whole seconds. */
  async ping(state: 'run' | 'complete' | 'fail', job: KubeJson, cronJob: KubeJson): Promise<void> {
    const env = get(cronJob, 'env') || this.#env;
    const query = new URLSearchParams({ state, series: meta(job).uid, stamp: String(Math.floor(Date.now() / 1000)) });
    if (env !== '') query.set('env', env);
    const response = await fetch(`${this.#base}/ping/${this.#key}/${keyOf(cronJob)}?${query.toString()}`, {
      method: 'POST',
    });
    if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
  }

  #monitor(cronJob: KubeJson): object {
    const { schedule, timeZone, concurrencyPolicy, startingDeadlineSeconds } = cronJob['spec'] as Spec;
    const deadline = startingDeadlineSeconds === undefined ? undefined : String(startingDeadlineSeconds);
    const grace = Number(get(cronJob, 'grace-seconds', 'cronitor-grace-seconds') ?? 0);
    const limits = list(get(cronJob, 'metric.duration')).filter((limit) => limit !== '');
    const notify = get(cronJob, 'notify', 'cronitor-notify');
    const own = get(cronJob, 'tags');
    const tags = [
      'kubernetes',
      `kubernetes-namespace:${meta(cronJob).namespace}`,
      ...list(this.#tags || undefined),
      ...list(own),
    ];
    return {
      key: keyOf(cronJob),
      name: shortName(nameOf(cronJob)),
      note: get(cronJob, 'note') || undefined,
      metadata: JSON.stringify({ concurrencyPolicy, startingDeadlineSeconds: deadline }),
      type: 'job',
      schedule,
      timezone: timeZone,
      tags: tags.map(shortTag),
      notify: notify === undefined ? undefined : list(notify),
      group: get(cronJob, 'group', 'cronitor-group') || undefined,
      grace_seconds: grace || undefined,
      assertions: limits.length === 0 ? undefined : limits.map((limit) => `metric.duration ${limit}`),
    };
  }
}

const meta = (object: KubeJson): Metadata => object['metadata'] as Metadata;

/** The newer name wins wherever it is present, even when empty. */
function get(cronJob: KubeJson, name: string, legacy?: string): string | undefined {
  const annotations = meta(cronJob).annotations ?? {};
  return annotations[PREFIX + name] ?? (legacy === undefined ? undefined : annotations[PREFIX + legacy]);
}

const list = (text: string | undefined): string[] => text?.split(',').map((item) => item.trim()) ?? [];

function nameOf(cronJob: KubeJson): string {
  const { namespace, name } = meta(cronJob);
  const own = get(cronJob, 'name', 'cronitor-name');
  const prefix = get(cronJob, 'name-prefix') || 'namespace';
  if (own) return own;
  if (prefix === 'none') return name;
  return prefix === 'namespace' ? `${namespace}/${name}` : prefix + name;
}

/** Its own, or the SHA-1 of the whole name, or the UID. */
function keyOf(cronJob: KubeJson): string {
  const own = get(cronJob, 'key', 'cronitor-id');
  if (own) return own;
  const isByName = get(cronJob, 'key-inference', 'id-inference') === 'name';
  return isByName ? createHash('sha1').update(nameOf(cronJob)).digest('hex') : meta(cronJob).uid;
}

/** More than 100 bytes: 100 characters with "…" in the middle. */
function shortName(name: string): string {
  const runes = Array.from(name);
  if (Buffer.byteLength(name) <= 100) return name;
  const [head, tail] = runes.length % 2 === 0 ? [50, 49] : [49, 50];
  return `${runes.slice(0, head).join('')}…${runes.slice(-tail).join('')}`;
}

/** More than 100 bytes: 99 characters and "…". */
const shortTag = (tag: string): string =>
  Buffer.byteLength(tag) <= 100 ? tag : `${Array.from(tag).slice(0, 99).join('')}…`;
