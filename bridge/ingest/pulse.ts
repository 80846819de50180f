const BEAT_MS = 1_000;

/**
 * For how long somebody who was asked has not answered. It counts seconds in which this thread ran and asked in vain, not
 * time: a machine that slept, a clock that was set or a process that was stopped (SIGSTOP) makes nobody look dead.
 */
export class Pulse {
  #heard = false;
  #seconds = 0;
  readonly #asked: () => boolean;
  readonly #timer: NodeJS.Timeout;

  /** `asked`: whether an answer is awaited. */
  constructor(asked: () => boolean) {
    this.#asked = asked;
    this.#timer = setInterval(() => this.beat(), BEAT_MS);
    this.#timer.unref();
  }

  /** An answer, or any other word, came. */
  heard(): void {
    this.#heard = true;
    this.#seconds = 0;
  }

  beat(): void {
    this.#seconds = this.#heard || !this.#asked() ? 0 : this.#seconds + 1;
    this.#heard = false;
  }

  get silentSeconds(): number {
    return this.#seconds;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
