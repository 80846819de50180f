import { errorText } from './errors.ts';

/** What was started, to be stopped in reverse order; each part is stopped once, whatever the others do. */
export class Releases {
  readonly #stops: (() => void | Promise<void>)[] = [];
  readonly #forces: (() => void)[] = [];

  add(stop: () => void | Promise<void>): void {
    this.#stops.push(stop);
  }

  /** How to end by force what others may wait for in vain. */
  addForce(force: () => void): void {
    this.#forces.push(force);
  }

  /** `release` within `graceMs`; what is not stopped by then is ended by force. True when that was necessary. */
  async releaseWithin(graceMs: number, onError: (error: unknown) => void): Promise<boolean> {
    let isForced = false;
    const timer = setTimeout(() => {
      isForced = true;
      onError(new Error(`did not stop within ${graceMs / 1000} s: ended by force`));
      for (const force of this.#forces) force();
    }, graceMs);
    await this.release(onError);
    clearTimeout(timer);
    return isForced;
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
