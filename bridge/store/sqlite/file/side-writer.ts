import type { Instant } from '../../../lib/clock.ts';
import { errorText } from '../../../lib/errors.ts';
import { writeKeys, writeLastCommit } from './recovery-files.ts';
import type { Keys } from './recovery-files.ts';

/** After a loss of the store at most what was reported in this time is reported again. */
const LAST_COMMIT_EVERY_MS = 3_000;

/** What has waited longer to be sent is lost with the store: too much of what was reported since would be reported again. */
const WAITING_MS = 60_000;

/** Keeps the small files beside the store up to date, outside of its commits. */
export class SideWriter {
  readonly #path: string;
  readonly #readKeys: () => Keys;
  readonly #waitingSince: () => Instant | undefined;
  #keysChanged = true;
  #lastCommit: Instant = -Infinity;
  #written: Instant = -Infinity;
  #lookedAt = -Infinity;
  /** Whether the last commit may stand elsewhere in its file than it should. */
  #pending = false;

  /** `waitingSince` is when the oldest of what waits to be sent happened. */
  constructor(path: string, readKeys: () => Keys, waitingSince: () => Instant | undefined) {
    this.#path = path;
    this.#readKeys = readKeys;
    this.#waitingSince = waitingSince;
  }

  keysChanged(): void {
    this.#keysChanged = true;
  }

  committed(at: Instant): void {
    this.#lastCommit = Math.max(this.#lastCommit, at);
    this.#pending = true;
  }

  /** The clock was set by `ms`: a last-commit time in the future would suppress what happens until then. */
  clockSet(ms: number): void {
    this.#lastCommit += ms;
    this.#written = -Infinity;
    this.#pending = true;
  }

  /** Ms until the next `write` has something to do; Infinity when it has nothing. */
  dueInMs(): number {
    if (this.#keysChanged) return 0;
    return this.#pending ? Math.max(0, this.#lookedAt + LAST_COMMIT_EVERY_MS - performance.now()) : Infinity;
  }

  /** Writes what changed; `hurry`: even if recently written. Returns why it could not, for a person; the next call tries again. */
  write(hurry: boolean): string | undefined {
    try {
      if (this.#keysChanged) writeKeys(this.#path, this.#readKeys());
      this.#keysChanged = false;
      const since = performance.now() - this.#lookedAt;
      if (hurry || since >= LAST_COMMIT_EVERY_MS) this.#writeLastCommit();
      return undefined;
    } catch (error) {
      return errorText(error);
    }
  }

  /** Or, while something waits to be sent, when that happened: it has not been reported yet. */
  #writeLastCommit(): void {
    if (this.#lastCommit === -Infinity) return;
    const reported = Math.min(this.#lastCommit, this.#waitingSince() ?? Infinity);
    const noted = Math.max(reported, this.#lastCommit - WAITING_MS);
    if (noted !== this.#written) writeLastCommit(this.#path, noted);
    this.#written = noted;
    this.#lookedAt = performance.now();
    // What waits now is reported later.
    this.#pending = noted !== this.#lastCommit;
  }
}
