import type { Kind } from '../kubernetes/observation.ts';
import type { KubeObject } from '../kubernetes/fields.ts';
import { backoffDelay } from '../lib/backoff.ts';
import type { Clock, Instant } from '../lib/clock.ts';
import { errorText } from '../lib/errors.ts';
import type { KubeApi } from './api.ts';
import type { Listed, ListResult, Scope } from './list.ts';
import { LISTED, listKind } from './list.ts';

export interface ListerOptions {
  readonly api: KubeApi;
  readonly scope: Scope;
  readonly clock: Clock;
  readonly observe: (objects: KubeObject[], observedAt: Instant) => Promise<void>;
  readonly onResult: (kind: Kind, result: ListResult) => void;
}

export interface Lister {
  /** Asks for another LIST of every kind; what is asked for during one runs after it, once. */
  trigger(): void;
  /** The last result per kind. */
  results(): ReadonlyMap<Kind, ListResult>;
  stop(): Promise<void>;
}

/** 403 is a decision of people: asking every second does not change it. */
const RETRY = { firstMs: 1_000, maxMs: 60_000 };

/**
 * LISTs every kind at the start and on each trigger, because a watch shows no initial objects. A kind that fails is
 * tried again until it succeeds; the others do not wait for it.
 */
export function startLister(options: ListerOptions): Lister {
  const lister = new RepeatingLister(options);
  const running = lister.run();
  return {
    trigger: () => lister.trigger(),
    results: () => lister.results,
    async stop() {
      lister.abort();
      await running;
    },
  };
}

class RepeatingLister {
  readonly results = new Map<Kind, ListResult>();
  readonly #options: ListerOptions;
  readonly #stopping = new AbortController();
  #asked = true;
  #wake: () => void = () => undefined;

  constructor(options: ListerOptions) {
    this.#options = options;
  }

  trigger(): void {
    this.#asked = true;
    this.#wake();
  }

  abort(): void {
    this.#stopping.abort();
    this.#wake();
  }

  async run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      this.#asked = false;
      await this.#listAll();
      if (!this.#asked) await this.#pause();
    }
  }

  async #listAll(): Promise<void> {
    let missing: readonly Listed[] = LISTED;
    for (let attempt = 1; missing.length > 0 && !this.#stopping.signal.aborted; attempt++) {
      const failed: Listed[] = [];
      for (const listed of missing) if (!(await this.#list(listed))) failed.push(listed);
      missing = failed;
      if (missing.length > 0) await this.#pause(backoffDelay(attempt, RETRY, Math.random()));
    }
  }

  async #list(listed: Listed): Promise<boolean> {
    const { api, scope, clock, observe, onResult } = this.#options;
    const { signal } = this.#stopping;
    const take = (objects: KubeObject[]): Promise<void> => observe(objects, clock.now());
    const result = await listKind(api, listed, scope, take, signal).catch((error: unknown): ListResult => ({
      result: 'failed',
      status: undefined,
      error: errorText(error),
    }));
    if (!signal.aborted) {
      this.results.set(listed.kind, result);
      onResult(listed.kind, result);
    }
    return result.result === 'complete';
  }

  /** Until the time is over, a trigger or the end. */
  #pause(ms?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.#stopping.signal.aborted) this.#wake();
    });
  }
}
