import type { Instant } from '../../lib/clock.ts';
import type { HttpResult } from '../http.ts';

/** Failures in a row before the second host is asked: from the third try on, as Cronitor's own command does. */
const MAX_FAILURES = 2;
/** How long the second host is used before the first is tried again. */
const AWAY_MS = 60_000;

/** Which of two hosts is asked: the second while the first does not answer. */
export class Hosts {
  readonly #first: string;
  readonly #second: string | undefined;
  #failures = 0;
  #tryFirstAt: Instant = -Infinity;

  constructor(first: string, second: string | undefined) {
    this.#first = first;
    this.#second = second;
  }

  async send(now: Instant, request: (base: string) => Promise<HttpResult>): Promise<HttpResult> {
    const second = this.#second;
    if (second === undefined) return request(this.#first);
    const waitMs = this.#tryFirstAt - now;
    // Longer than that only when the clock was set back.
    if (this.#failures >= MAX_FAILURES && waitMs > 0 && waitMs <= AWAY_MS) {
      const result = await request(second);
      if (isAway(result)) this.#tryFirstAt = -Infinity;
      return result;
    }
    const result = await request(this.#first);
    if (!isAway(result)) {
      this.#failures = 0;
      return result;
    }
    this.#failures++;
    this.#tryFirstAt = now + AWAY_MS;
    return this.#failures > MAX_FAILURES && wasNotTaken(result) ? request(second) : result;
  }
}

function isAway(result: HttpResult): boolean {
  return result.kind === 'failed' ? result.reason !== 'shutting_down' : result.status >= 500;
}

/** Nothing came of it for certain: it may be sent elsewhere at once. */
function wasNotTaken(result: HttpResult): boolean {
  return result.kind === 'failed' ? result.reason === 'connection_failed' : [502, 503, 504].includes(result.status);
}
