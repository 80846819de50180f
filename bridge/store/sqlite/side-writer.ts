import type { Instant } from '../../lib/clock.ts';
import { errorText } from '../../lib/errors.ts';
import { writeKeys, writeLastCommit } from './side-files.ts';
import type { Keys } from './side-files.ts';

/** A loss of the store repeats at most what was told in this time. */
const LAST_COMMIT_EVERY_MS = 3_000;

/** Keeps the small files beside the store up to date, outside of its commits. */
export class SideWriter {
  readonly #path: string;
  readonly #readKeys: () => Keys;
  #keysChanged = true;
  #lastCommit: Instant = -Infinity;
  #written: Instant = -Infinity;
  #writtenAt = -Infinity;

  constructor(path: string, readKeys: () => Keys) {
    this.#path = path;
    this.#readKeys = readKeys;
  }

  keysChanged(): void {
    this.#keysChanged = true;
  }

  committed(at: Instant): void {
    this.#lastCommit = Math.max(this.#lastCommit, at);
  }

  /** The clock was set by so many ms: a time that is noted ahead of it would silence what happens until then. */
  clockSet(ms: number): void {
    this.#lastCommit += ms;
    this.#written = -Infinity;
  }

  /** Writes what changed; `now` in a hurry. Why it could not, for a person; it is tried again by the next call. */
  write(hurry: boolean): string | undefined {
    try {
      if (this.#keysChanged) writeKeys(this.#path, this.#readKeys());
      this.#keysChanged = false;
      const since = performance.now() - this.#writtenAt;
      if (this.#lastCommit > this.#written && (hurry || since >= LAST_COMMIT_EVERY_MS)) {
        writeLastCommit(this.#path, this.#lastCommit);
        this.#written = this.#lastCommit;
        this.#writtenAt = performance.now();
      }
      return undefined;
    } catch (error) {
      return errorText(error);
    }
  }
}
