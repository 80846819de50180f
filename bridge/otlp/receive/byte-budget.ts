/** What one request holds of the budget: it grows while the request arrives and ends with its answer. */
export interface Share {
  /** Holds `bytes` from now on; false (and unchanged) when that is beyond the bound. */
  resize(bytes: number): boolean;
  release(): void;
}

/** A bound over the bytes of all requests in memory, arriving ones too. A request that is alone always fits. */
export class ByteBudget {
  readonly #max: number;
  #held = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get held(): number {
    return this.#held;
  }

  open(): Share {
    let own = 0;
    return {
      resize: (bytes) => {
        const others = this.#held - own;
        if (bytes > own && others > 0 && others + bytes > this.#max) return false;
        own = bytes;
        this.#held = others + bytes;
        return true;
      },
      release: () => {
        this.#held -= own;
        own = 0;
      },
    };
  }
}
