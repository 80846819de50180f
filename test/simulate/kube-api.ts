import { createHash } from 'node:crypto';
import type { ApiAnswer, KubeApi, TailAnswer, WatchEnd } from '../../bridge/cluster/api.ts';
import type { WatchReader } from '../../bridge/cluster/kube-request.ts';
import type { HttpResult } from '../../bridge/sinks/http.ts';
import type { KubeRequest } from '../../bridge/sinks/module.ts';
import type { Random } from './random.ts';
import { chance, skewed } from './random.ts';
import type { Program, Scheduler } from './scheduler.ts';
import type { Weather } from './weather.ts';
import type { ApiServer, WatchEvent } from './world/api-server.ts';
import type { Clocks } from './world/clocks.ts';
import type { KubeObject, Resource } from './world/objects.ts';
import { ALL_RESOURCES } from './world/objects.ts';

export interface KubeApiOptions {
  readonly scheduler: Scheduler;
  readonly server: ApiServer;
  readonly weather: Weather;
  readonly clocks: Clocks;
  readonly random: Random;
  readonly program: Program;
  /** A pod was deleted, by its path. */
  readonly onRemoved: (path: string) => void;
  /** A pod was changed by the bridge. */
  readonly onPatched: (before: KubeObject, after: KubeObject) => void;
}

interface Patch {
  readonly metadata: {
    readonly resourceVersion?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

const PATH = /^\/(?:api|apis\/[^/]+)\/[^/]+(?:\/namespaces\/([^/]+))?\/([^/?]+)(?:\/([^/?]+))?(\/log)?$/;
const KNOWN = new Set<string>(ALL_RESOURCES);

/** Of pages that are the whole of a list: that is the same one as long as nothing of its resource changes. */
const digests = new WeakMap<readonly KubeObject[], string>();

function digestOf(page: readonly KubeObject[]): string {
  let digest = digests.get(page);
  if (digest === undefined) {
    const text = page.map((object) => `${object.metadata.uid}/${object.metadata.resourceVersion}`).join();
    digests.set(page, (digest = createHash('sha256').update(text).digest('hex')));
  }
  return digest;
}

/** What the bridge reaches of the API server: as its real client answers, with the troubles between the two. */
export class SimulatedKubeApi implements KubeApi {
  readonly server = 'https://api.simulated';
  readonly caHash = undefined;
  readonly #options: KubeApiOptions;
  /** LISTs of which not all pages were read yet. */
  readonly #lists = new Map<string, { readonly version: number; readonly items: readonly KubeObject[] }>();
  #token = 0;

  constructor(options: KubeApiOptions) {
    this.#options = options;
  }

  async get(path: string, signal: AbortSignal, accept = ''): Promise<ApiAnswer> {
    const trouble = await this.#travel(signal);
    if (trouble !== undefined) return trouble;
    const url = new URL(path, this.server);
    const [, namespace, resource = '', name] = PATH.exec(url.pathname) ?? [];
    const at = Math.floor(this.#options.clocks.api() / 1000) * 1000;
    if (name !== undefined) {
      const object = KNOWN.has(resource)
        ? this.#options.server.byName(resource as Resource, namespace ?? '', name)
        : undefined;
      return object === undefined
        ? { kind: 'answer', status: 404, body: { message: 'not found' }, at }
        : { kind: 'answer', status: 200, body: object as never, at };
    }
    return this.#list(resource, namespace, url.searchParams, accept.includes('as=PartialObjectMetadataList'), at);
  }

  #list(
    resource: string,
    namespace: string | undefined,
    query: URLSearchParams,
    asMetadata: boolean,
    at: number,
  ): ApiAnswer {
    const { server } = this.#options;
    const [token, from = '0'] = (query.get('continue') ?? '').split(':');
    const known = token === '' ? undefined : this.#lists.get(token!);
    if (token !== '' && known === undefined)
      return { kind: 'answer', status: 410, body: { message: 'too old', code: 410 }, at };
    const listed = known === undefined && KNOWN.has(resource) ? server.list(resource as Resource, namespace) : [];
    const type = /^type=(\w+)$/.exec(query.get('fieldSelector') ?? '')?.[1];
    const selected = type === undefined ? listed : listed.filter((object) => object.type === type);
    const all = known ?? { version: server.version, items: selected };
    const [start, limit] = [Number(from), Number(query.get('limit') ?? all.items.length)];
    const isWhole = start === 0 && limit >= all.items.length;
    const page = isWhole ? all.items : all.items.slice(start, start + limit);
    const metadata: Record<string, string> = { resourceVersion: String(all.version) };
    if (start + limit < all.items.length) {
      const key = token || String(++this.#token);
      this.#lists.set(key, all);
      metadata['continue'] = `${key}:${start + limit}`;
    }
    const kind = asMetadata ? 'PartialObjectMetadataList' : 'List';
    const items = asMetadata ? page.map((object) => ({ metadata: object.metadata })) : page;
    return {
      kind: 'answer',
      status: 200,
      body: { kind, metadata, items },
      at,
      ...(asMetadata && { digest: () => digestOf(page) }),
    };
  }

  /** LISTs that go on are too old now. */
  forgetLists(): void {
    this.#lists.clear();
  }

  async create(_path: string, object: object, signal: AbortSignal): Promise<ApiAnswer> {
    return (await this.#travel(signal)) ?? { kind: 'answer', status: 201, body: object as never };
  }

  async send({ method, path, body = '{}' }: KubeRequest, signal: AbortSignal): Promise<HttpResult> {
    const answer =
      method === 'GET'
        ? await this.get(path, signal)
        : method === 'PATCH'
          ? await this.#patch(path, JSON.parse(body) as Patch, signal)
          : await this.create(path, JSON.parse(body) as object, signal);
    if (answer.kind === 'failed')
      return { kind: 'failed', reason: 'connection_failed', detail: answer.error, unknown: false };
    return {
      kind: 'answer',
      status: answer.status,
      headers: {},
      body: JSON.stringify(answer.body),
      complete: true,
    };
  }

  /** A merge patch of annotations, on the condition of a version; at times nobody hears that it was done. */
  async #patch(path: string, { metadata }: Patch, signal: AbortSignal): Promise<ApiAnswer> {
    const trouble = await this.#travel(signal);
    if (trouble !== undefined) return trouble;
    const { server, random, onPatched } = this.#options;
    const [, namespace = '', , name = ''] = PATH.exec(new URL(path, this.server).pathname) ?? [];
    const before = server.byName('pods', namespace, name);
    if (before === undefined) return { kind: 'answer', status: 404, body: { message: 'not found' } };
    if (metadata.resourceVersion !== before.metadata.resourceVersion)
      return { kind: 'answer', status: 409, body: { message: 'the object has been modified' } };
    const annotations = { ...before.metadata.annotations, ...metadata.annotations };
    const after = server.put({ ...before, metadata: { ...before.metadata, annotations } });
    onPatched(before, after);
    return chance(random, 0.1)
      ? { kind: 'failed', error: 'no answer' }
      : { kind: 'answer', status: 200, body: after as never };
  }

  async remove(path: string, signal: AbortSignal): Promise<ApiAnswer> {
    const trouble = await this.#travel(signal);
    if (trouble === undefined) this.#options.onRemoved(path);
    return trouble ?? { kind: 'answer', status: 200, body: {} };
  }

  async tail(path: string, maxBytes: number, signal: AbortSignal): Promise<TailAnswer> {
    const trouble = await this.#travel(signal);
    if (trouble?.kind === 'failed') return trouble;
    if (trouble !== undefined) return { kind: 'answer', status: trouble.status, text: Buffer.from('busy'), bytes: 4 };
    const [, namespace = '', , name = ''] = PATH.exec(new URL(path, this.server).pathname) ?? [];
    if (this.#options.server.byName('pods', namespace, name) === undefined)
      return { kind: 'answer', status: 404, text: Buffer.from(`pods "${name}" not found`), bytes: 0 };
    const text = Buffer.from(`2026-03-02T00:00:00Z report of ${name}\n2026-03-02T00:00:01Z done\n`);
    return { kind: 'answer', status: 200, text: text.subarray(-maxBytes), bytes: text.length };
  }

  async watch(path: string, reader: WatchReader, signal: AbortSignal): Promise<WatchEnd> {
    const trouble = await this.#travel(signal);
    if (trouble?.kind === 'failed') return trouble;
    if (trouble !== undefined) return { kind: 'answer', status: trouble.status, text: '{"message":"busy"}' };
    const url = new URL(path, this.server);
    const [, namespace, resource = ''] = PATH.exec(url.pathname) ?? [];
    const from = Number(url.searchParams.get('resourceVersion'));
    const seconds = Number(url.searchParams.get('timeoutSeconds') ?? 300);
    return this.#follow(resource as Resource, namespace, from, seconds * 1000, reader, signal);
  }

  async #follow(
    resource: Resource,
    namespace: string | undefined,
    from: number,
    ms: number,
    reader: WatchReader,
    signal: AbortSignal,
  ): Promise<WatchEnd> {
    const { scheduler, server, weather, clocks } = this.#options;
    const missed = server.since(resource, from);
    if (missed === undefined) return { kind: 'answer', status: 410, text: '{"message":"too old resource version"}' };
    reader.opened(Math.floor(clocks.api() / 1000) * 1000);
    const waiting: string[] = [];
    let wake = (): void => undefined;
    const add = ({ type, object }: WatchEvent): void => {
      if (namespace === undefined || object.metadata.namespace === namespace)
        waiting.push(JSON.stringify({ type, object }));
      wake();
    };
    missed.forEach(add);
    const stop = server.hear((of, event) => of === resource && event.version > from && add(event));
    const end = scheduler.now + ms;
    const { restores } = server;
    const bookmark = { type: 'BOOKMARK', object: { metadata: { resourceVersion: '' } } };
    let isMarked = false;
    try {
      while (!signal.aborted && scheduler.now < end) {
        if (weather.is('api-cut') || server.restores !== restores) return { kind: 'failed', error: 'connection reset' };
        if (!isMarked && scheduler.now >= end - 2_000) {
          isMarked = true;
          bookmark.object.metadata.resourceVersion = String(server.version);
          waiting.push(JSON.stringify(bookmark));
        }
        if (waiting.length > 0) await reader.take(waiting.splice(0));
        else await this.#wait(Math.min(isMarked ? 2_000 : 10_000, end - scheduler.now), (woken) => (wake = woken));
      }
      return signal.aborted ? { kind: 'failed', error: 'aborted' } : { kind: 'answer', status: 200, text: '' };
    } catch (error) {
      return { kind: 'failed', error: String(error) };
    } finally {
      stop();
    }
  }

  /** Until something comes, or for so long. */
  #wait(ms: number, onWoken: (wake: () => void) => void): Promise<void> {
    const { scheduler, program, random } = this.#options;
    return new Promise((resolve) => {
      const late = scheduler.in(ms, resolve, program);
      onWoken(() => {
        late.run = undefined;
        scheduler.in(skewed(random, 1, 300), resolve, program);
      });
    });
  }

  /** The way there and back; what is in the way of it. */
  async #travel(signal: AbortSignal): Promise<ApiAnswer | undefined> {
    const { scheduler, weather, random } = this.#options;
    await scheduler.pause(skewed(random, 1, 300));
    if (signal.aborted) return { kind: 'failed', error: 'aborted' };
    if (weather.is('api-cut')) {
      await scheduler.pause(skewed(random, 10, 5_000));
      return { kind: 'failed', error: 'no answer' };
    }
    if (weather.is('api-errors') && chance(random, 0.6))
      return { kind: 'answer', status: chance(random, 0.5) ? 500 : 429, body: { message: 'busy' } };
    return undefined;
  }
}
