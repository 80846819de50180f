const BEAT_MS = 1_000;

/**
 * For how long a thread that was asked has not answered. It counts seconds in which this thread ran and asked in vain, not
 * time: a machine that slept, a clock that was set or a process that was stopped (SIGSTOP) makes no thread look dead. It
 * does not wake up while nothing is asked.
 */
export class Pulse {
  #heard = false;
  #seconds = 0;
  readonly #waits: () => boolean;
  readonly #onBeat: (silentSeconds: number) => void;
  #timer: NodeJS.Timeout | undefined;

  /** `waits`: whether an answer is awaited. */
  constructor(waits: () => boolean, onBeat: (silentSeconds: number) => void = () => undefined) {
    this.#waits = waits;
    this.#onBeat = onBeat;
  }

  /** From now on an answer is awaited. */
  asked(): void {
    this.#timer ??= setInterval(() => this.beat(), BEAT_MS).unref();
  }

  /** An answer, or any other word, came. */
  heard(): void {
    const wasSilent = this.#seconds > 0;
    this.#heard = true;
    this.#seconds = 0;
    if (wasSilent) this.#onBeat(0);
    if (!this.#waits()) this.stop();
  }

  beat(): void {
    this.#seconds = this.#heard || !this.#waits() ? 0 : this.#seconds + 1;
    this.#heard = false;
    this.#onBeat(this.#seconds);
  }

  get silentSeconds(): number {
    return this.#seconds;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
