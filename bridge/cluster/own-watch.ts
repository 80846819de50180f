import { intAt, messageAt, objectAt, objectOf } from '../kubernetes/fields.ts';
import type { KubeObject } from '../kubernetes/fields.ts';
import { backoffDelay } from '../lib/backoff.ts';
import type { Clock, Instant } from '../lib/clock.ts';
import { Wake } from '../lib/wake.ts';
import type { KubeApi, WatchEnd } from './api.ts';
import type { WatchReader } from './kube-request.ts';
import { WATCH_MS } from './kube-request.ts';
import type { Listed } from './list.ts';
import { versionOf, watchPath } from './watch-event.ts';

export interface OwnWatchOptions {
  readonly api: KubeApi;
  readonly clock: Clock;
  /** Takes events as the Collector sends them (`{type, object}`), in their order; `at` is no later than the API's time. */
  readonly take: (events: KubeObject[], at: Instant) => Promise<void>;
  /** It stands, stands no more, or needs a LIST because its version is too old. */
  readonly onState: (state: OwnWatchState) => void;
}

/** `failed`: it is tried again by itself. */
export type OwnWatchState =
  | { readonly state: 'stands' }
  | { readonly state: 'expired' }
  | { readonly state: 'failed'; readonly status: number | undefined; readonly error: string; readonly times: number };

/** No answer ends it for good: a permission that is missing for a second after the API server's start comes back. */
const RETRY = { firstMs: 1_000, maxMs: 30_000 };
const OK = 200;
/** The API does not keep what came after that version any more. */
const EXPIRED = 410;

/**
 * Watches a kind, in one namespace or all, from the version of a LIST on: while the Collector's stream of that kind is
 * dead. What it has in memory is what one read of the connection brought.
 */
export class OwnWatch {
  readonly #options: OwnWatchOptions;
  readonly #path: (from: string) => string;
  readonly #stopping = new AbortController();
  readonly #wake = new Wake();
  /** Of the last event that was taken. */
  #version: string;
  #stands = false;
  #openedAt: number | undefined;
  #failures = 0;
  #isExpired = false;
  #running: Promise<void> | undefined;

  constructor(options: OwnWatchOptions, listed: Listed, namespace: string | undefined, version: string) {
    this.#options = options;
    this.#path = (from) => watchPath(listed, namespace, from, WATCH_MS / 1000);
    this.#version = version;
  }

  /** Whether the API sends each change from the first version on. */
  get stands(): boolean {
    return this.#stands;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake.wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { api } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const end = await api.watch(this.#path(this.#version), this.#reader(), signal);
      if (signal.aborted) return;
      if (this.#isExpired || (end.kind === 'answer' && end.status === EXPIRED)) return this.#expire();
      const lived = this.#openedAt !== undefined && performance.now() - this.#openedAt >= RETRY.firstMs;
      this.#openedAt = undefined;
      if (lived) this.#failures = 0;
      // In order: the API was asked to end it after a while.
      if (end.kind === 'answer' && end.status === OK && lived) continue;
      await this.#wake.wait(this.#fail(end));
    }
  }

  #expire(): void {
    this.#stands = false;
    this.#options.onState({ state: 'expired' });
  }

  /** In how many ms it is tried again. */
  #fail(end: WatchEnd): number {
    this.#stands = false;
    this.#failures++;
    this.#options.onState({ state: 'failed', ...reasonOf(end), times: this.#failures });
    return backoffDelay(this.#failures, RETRY, Math.random());
  }

  #reader(): WatchReader {
    const { clock } = this.#options;
    let aheadMs = 0;
    return {
      opened: (at) => {
        // By a clock of ours that is ahead it would prove what has not happened yet; by one that is behind, what is deleted
        // was deleted too early: before the run that replaces it was due.
        aheadMs = at === undefined ? 0 : clock.now() - at;
        this.#openedAt = performance.now();
        if (this.#stands) return;
        this.#stands = true;
        this.#options.onState({ state: 'stands' });
      },
      take: async (lines) => {
        const events = lines.map((line) => JSON.parse(line) as KubeObject);
        const refused = events.findIndex(({ type }) => type === 'ERROR');
        await this.#take(refused < 0 ? events : events.slice(0, refused), clock.now() - aheadMs);
        if (refused >= 0) this.#refuse(objectAt(events[refused]!, 'object'));
      },
    };
  }

  async #take(events: readonly KubeObject[], at: Instant): Promise<void> {
    const changes = events.filter(({ type }) => type !== 'BOOKMARK');
    if (changes.length > 0) await this.#options.take(changes, at);
    this.#version = versionOf(events.at(-1) ?? {}) ?? this.#version;
    this.#failures = 0;
  }

  /** The API ends a watch that it began by an object of kind Status. */
  #refuse(status: KubeObject): never {
    this.#isExpired = intAt(status, 'code') === EXPIRED;
    throw new Error(messageAt(status, 'message') ?? 'the API ended it without a reason');
  }
}

function reasonOf(end: WatchEnd): { readonly status: number | undefined; readonly error: string } {
  if (end.kind === 'failed') return { status: undefined, error: end.error };
  return { status: end.status, error: messageAt(objectOf(end.text), 'message') ?? `the API answered ${end.status}` };
}
