import type { VendorAnswer } from './vendor.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const SECOND_MS = 1_000;
/** The clocks of two requests are read on the way. */
const TOLERANCE_MS = 30;

interface Seen {
  readonly at: number;
  readonly points: number;
}

/** GitHub's primary and secondary limits as it documents them, and what it asks of a careful client. */
export class GithubLimits {
  /** Of the primary limit, an hour. */
  quota = 5_000;
  /** Points a minute of one endpoint. */
  points = 900;
  /** Requests that make content, by minute and by hour. */
  content = { minute: 80, hour: 500 };
  #windowFrom = -Infinity;
  #used = 0;
  #endpoints = new Map<string, Seen[]>();
  #changes: number[] = [];
  /** No request is to come before. */
  #quietUntil = -Infinity;

  /** What is wrong with a request by its time; GitHub would suspend who does it all the time. */
  impatience(isChange: boolean, now: number): string | undefined {
    if (now + TOLERANCE_MS < this.#quietUntil) return `${this.#quietUntil - now} ms before the end of a pause`;
    const last = this.#changes.at(-1);
    if (isChange && last !== undefined && now - last < SECOND_MS - TOLERANCE_MS)
      return `${now - last} ms after the change before`;
    return undefined;
  }

  /** Counts a request; an answer when it is over a limit. */
  refusal(endpoint: string, isChange: boolean, now: number): VendorAnswer | undefined {
    if (now >= this.#windowFrom + HOUR_MS) {
      this.#windowFrom = now;
      this.#used = 0;
    }
    if (this.#used >= this.quota) return this.#limited('API rate limit exceeded for installation.', {}, now);
    this.#used++;
    const seen = (this.#endpoints.get(endpoint) ?? []).filter(({ at }) => at > now - MINUTE_MS);
    seen.push({ at: now, points: isChange ? 5 : 1 });
    this.#endpoints.set(endpoint, seen);
    if (isChange) this.#changes = [...this.#changes.filter((at) => at > now - HOUR_MS), now];
    const minute = this.#changes.filter((at) => at > now - MINUTE_MS).length;
    const points = seen.reduce((sum, one) => sum + one.points, 0);
    if (points <= this.points && minute <= this.content.minute && this.#changes.length <= this.content.hour)
      return undefined;
    return this.#limited('You have exceeded a secondary rate limit.', { 'retry-after': '60' }, now);
  }

  headers(now: number): Record<string, string> {
    return {
      'x-ratelimit-limit': String(this.quota),
      'x-ratelimit-remaining': String(Math.max(0, this.quota - this.#used)),
      'x-ratelimit-reset': String(Math.ceil((Math.max(this.#windowFrom, now - HOUR_MS) + HOUR_MS) / 1000)),
      date: new Date(now).toUTCString(),
    };
  }

  /** An answer asked for a pause: none is to come before. */
  paused(status: number, headers: Readonly<Record<string, string>>, now: number): void {
    const after = Number(headers['retry-after']);
    const isUsedUp = headers['x-ratelimit-remaining'] === '0';
    const reset = Number(headers['x-ratelimit-reset']) * 1000;
    if (status === 429 || status === 403) {
      if (after > 0) this.#quietUntil = now + after * 1000;
      else if (isUsedUp) this.#quietUntil = reset;
      else if (status === 429) this.#quietUntil = now + MINUTE_MS;
    }
  }

  #limited(message: string, headers: Record<string, string>, now: number): VendorAnswer {
    const body = JSON.stringify({ message, documentation_url: 'https://docs.github.com/rest' });
    return { status: 403, headers: { ...this.headers(now), ...headers }, body };
  }
}
