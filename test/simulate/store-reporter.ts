import { UserError } from '../../bridge/lib/errors.ts';

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

/** Without room a store cannot be opened: the bridge ends, and says what is wrong and what to do. */
export function saysFull(error: unknown): boolean {
  return error instanceof UserError && /cannot be opened/.test(error.message) && error.next.startsWith('Free room');
}
