/** What was started, to be stopped in reverse order; each part is stopped once, whatever the others do. */
export class Releases {
  readonly #stops: (() => void | Promise<void>)[] = [];

  add(stop: () => void | Promise<void>): void {
    this.#stops.push(stop);
  }

  /** Stops everything, the last started first; `onError` hears of parts that did not stop well. */
  async release(onError: (error: unknown) => void): Promise<void> {
    for (let stop = this.#stops.pop(); stop !== undefined; stop = this.#stops.pop()) {
      try {
        await stop();
      } catch (error) {
        onError(error);
      }
    }
  }
}
