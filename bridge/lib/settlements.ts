import { Wake } from './wake.ts';

interface Entry<T> {
  readonly item: T;
  readonly done: () => void;
}

/**
 * Writes outcomes to the store: what ends while a write runs shares the next one. A write that fails is tried again
 * until `stop`; what is not written then is in flight for the store, and due again after the next start.
 */
export class Settlements<T> {
  readonly #write: (items: readonly T[]) => Promise<void>;
  readonly #onError: (error: unknown) => void;
  readonly #pauseMs: number;
  readonly #pause = new Wake();
  #entries: Entry<T>[] = [];
  #writing = false;
  #stopped = false;

  constructor(write: (items: readonly T[]) => Promise<void>, onError: (error: unknown) => void, pauseMs: number) {
    this.#write = write;
    this.#onError = onError;
    this.#pauseMs = pauseMs;
  }

  /** Resolves when the items are durable, or given up by `stop`. */
  async add(items: readonly T[]): Promise<void> {
    const all = items.map((item) => new Promise<void>((done) => this.#entries.push({ item, done })));
    const writer = this.#writing ? undefined : this.#drain();
    await Promise.all([writer, ...all]);
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
      if (written || this.#stopped) entries.forEach(({ done }) => done());
      else {
        this.#entries.unshift(...entries);
        await this.#pause.wait(this.#pauseMs);
      }
    }
    this.#writing = false;
  }

  async #tryWrite(entries: readonly Entry<T>[]): Promise<boolean> {
    try {
      await this.#write(entries.map(({ item }) => item));
      return true;
    } catch (error) {
      this.#onError(error);
      return false;
    }
  }
}
