/** What the ticking asks and reports of the store. */
export class StoreReporter {
  storeFails = false;
  readonly #onError: (error: unknown) => void;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  storeFailed(error: unknown): void {
    this.storeFails = true;
    this.#onError(error);
  }

  storeWorks(): void {
    this.storeFails = false;
  }
}
