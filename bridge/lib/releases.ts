import { errorText } from './errors.ts';

/** What was started, to be stopped in reverse order; each part is stopped once, whatever the others do. */
export class Releases {
  readonly #stops: (() => void | Promise<void>)[] = [];

  add(stop: () => void | Promise<void>): void {
    this.#stops.push(stop);
  }

  /**
   * Stops everything, the last started first. `onError` hears of parts that did not stop well; without it rejects with
   * all of their errors when everything was tried.
   */
  async release(onError?: (error: unknown) => void): Promise<void> {
    const errors: unknown[] = [];
    const failed = onError ?? ((error: unknown) => void errors.push(error));
    for (let stop = this.#stops.pop(); stop !== undefined; stop = this.#stops.pop()) {
      try {
        await stop();
      } catch (error) {
        failed(error);
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, errors.map(errorText).join('; '));
  }
}
