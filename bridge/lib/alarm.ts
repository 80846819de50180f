/** Node rings at once for more. */
const MAX_MS = 2 ** 31 - 1;

/** One timer, which rings at the earliest of the moments that it was set to, and never before it. */
export class Alarm {
  readonly #ring: () => void;
  #timer: NodeJS.Timeout | undefined;
  /** By what has elapsed: a computer's clock that is set makes nothing late. */
  #at = Infinity;

  constructor(ring: () => void) {
    this.#ring = ring;
  }

  /** Rings in `ms` at the latest. */
  within(ms: number): void {
    const at = performance.now() + Math.max(0, ms);
    if (at >= this.#at) return;
    this.#at = at;
    this.#wait();
  }

  /** It never rings again. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#at = -Infinity;
  }

  /** Node counts from the last turn of its loop: after a long one its timer is early by that. */
  #wait(): void {
    const ms = this.#at - performance.now();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#fired(), Math.min(Math.ceil(ms), MAX_MS));
  }

  #fired(): void {
    if (performance.now() < this.#at) return this.#wait();
    this.#at = Infinity;
    this.#ring();
  }
}
