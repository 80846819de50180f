import { Wake } from './wake.ts';

interface Entry<T, R> {
  readonly item: T;
  readonly done: (result: R | undefined) => void;
}

/**
 * Writes outcomes to the store: what ends while a write runs shares the next one. A write that fails is tried again
 * until `stop`; what is not written then is in flight for the store, and due again after the next start.
 */
export class Settlements<T, R = void> {
  readonly #write: (items: readonly T[]) => Promise<R>;
  readonly #onError: (error: unknown) => void;
  readonly #pauseMs: number;
  readonly #pause = new Wake();
  #entries: Entry<T, R>[] = [];
  #writing = false;
  #stopped = false;

  constructor(write: (items: readonly T[]) => Promise<R>, onError: (error: unknown) => void, pauseMs: number) {
    this.#write = write;
    this.#onError = onError;
    this.#pauseMs = pauseMs;
  }

  /** Resolves with what their write answered when the items are durable; undefined when `stop` gave them up. */
  async add(items: readonly T[]): Promise<R | undefined> {
    const all = items.map((item) => new Promise<R | undefined>((done) => this.#entries.push({ item, done })));
    const writer = this.#writing ? undefined : this.#drain();
    const [[result]] = await Promise.all([Promise.all(all), writer]);
    return result;
  }

  /** From now on a write that fails is not tried again. */
  stop(): void {
    this.#stopped = true;
    this.#pause.wake();
  }

  async #drain(): Promise<void> {
    this.#writing = true;
    while (this.#entries.length > 0) {
      const entries = this.#entries;
      this.#entries = [];
      const written = await this.#tryWrite(entries);
      if (written !== undefined || this.#stopped) entries.forEach(({ done }) => done(written?.result));
      else {
        this.#entries.unshift(...entries);
        await this.#pause.wait(this.#pauseMs);
      }
    }
    this.#writing = false;
  }

  async #tryWrite(entries: readonly Entry<T, R>[]): Promise<{ readonly result: R } | undefined> {
    try {
      return { result: await this.#write(entries.map(({ item }) => item)) };
    } catch (error) {
      this.#onError(error);
      return undefined;
    }
  }
}
