/** Lets one loop sleep until there is something to do. A call that comes while it is busy is not lost. */
export class Wake {
  #pending = false;
  #resume: (() => void) | undefined;

  wake(): void {
    this.#pending = true;
    this.#resume?.();
  }

  /** Resolves with true after the next `wake`, with false after `ms`. */
  async wait(ms: number): Promise<boolean> {
    if (!this.#pending) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#resume = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#resume = undefined;
    }
    const isWoken = this.#pending;
    this.#pending = false;
    return isWoken;
  }
}
