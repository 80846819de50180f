import type { Instant } from '../../lib/clock.ts';
import { retryAfterMs } from '../delivery.ts';
import type { HttpAnswer } from '../http.ts';
import type { Limit } from '../sink.ts';

/** Limit key of every request: GitHub's limits are those of the credentials. */
export const API_LIMIT = 'api';
/** Limit key of what is refused for the credentials. */
export const KEY_LIMIT = 'credentials';
/** The client spaces requests by itself; by these keys they are held. */
export const LIMITS: readonly Limit[] = [API_LIMIT, KEY_LIMIT].map((key) => ({ key, perSecond: 3 }));

/** GitHub asks for one change after the other, with a second between them. */
const SPACING_MS = 1_000;
const HOUR_MS = 3_600_000;
/** Requests that make content: 500 an hour at most, and some for what is more urgent than a single record. */
const HOURLY = 500;
const RESERVED = 50;
/** A limit that names no time: a minute, then longer with each such answer. */
const UNNAMED_MS = 60_000;

/** Words of a refusal that is about permissions, although the quota ended with it. */
const PERMISSION = /not accessible|permission|must have|must be|saml|sso|forbidden|not authorized|suspended|ip allow/i;
const LIMIT = /rate limit|abuse detection|submitted too quickly|too many requests/i;

/**
 * GitHub's limits as it documents them ("Rate limits for the REST API"): Retry-After counts, else the reset of a quota
 * that is used up, else a minute and longer from time to time. One per set of credentials.
 */
export class Limits {
  #pause: { readonly until: Instant; readonly ms: number } = { until: -Infinity, ms: 0 };
  #unnamed = 0;
  /** When the last changes were made, oldest first. */
  #changes: Instant[] = [];

  /** Ms until GitHub may be asked anything again; 0: now. */
  pausedMs(now: Instant): number {
    // No longer than was asked for: the clock may have been set back.
    return Math.max(0, Math.min(this.#pause.until - now, this.#pause.ms));
  }

  /** Ms until the next change may be made. */
  changeInMs(now: Instant): number {
    this.#changes = this.#changes.filter((at) => at <= now && at > now - HOUR_MS);
    const last = this.#changes.at(-1) ?? -Infinity;
    const first = this.#changes.at(-HOURLY) ?? -Infinity;
    return Math.max(0, last + SPACING_MS - now, first + HOUR_MS - now);
  }

  /** A change was sent, and is answered. */
  changed(now: Instant): void {
    this.#changes.push(now);
  }

  /** Whether there are more changes than can be sent one by one within the hourly limit. */
  isBusy(): boolean {
    return this.#changes.length > HOURLY - RESERVED;
  }

  /** Reads what an answer says of the limits. Ms to wait when it is a refusal for one of them; undefined when it is not. */
  heard(answer: HttpAnswer, now: Instant): number | undefined {
    const resetMs = quotaResetMs(answer.headers, now);
    if (!isLimited(answer)) {
      if (resetMs !== undefined) this.#wait(resetMs, now);
      if (answer.status < 400) this.#unnamed = 0;
      return undefined;
    }
    const named = [retryAfterMs(answer.headers, now), resetMs].filter((ms) => ms !== undefined);
    const ms = named.length > 0 ? Math.max(...named) : Math.min(HOUR_MS, UNNAMED_MS * 2 ** this.#unnamed++);
    this.#wait(ms, now);
    return ms;
  }

  #wait(ms: number, now: Instant): void {
    if (ms > this.pausedMs(now)) this.#pause = { until: now + ms, ms };
  }
}

/** Whether an answer refuses a request because there were too many. */
function isLimited({ status, headers, body }: HttpAnswer): boolean {
  if (status === 429) return true;
  if (status !== 403) return false;
  if (headers['retry-after'] !== undefined || LIMIT.test(body)) return true;
  return isUsedUp(headers) && !PERMISSION.test(body);
}

function isUsedUp(headers: HttpAnswer['headers']): boolean {
  return headers['x-ratelimit-remaining']?.trim() === '0';
}

/** Ms until a quota that is used up is full again; a second more, since it is given in whole seconds. */
function quotaResetMs(headers: HttpAnswer['headers'], now: Instant): number | undefined {
  const reset = Number(headers['x-ratelimit-reset'] ?? Number.NaN);
  if (!isUsedUp(headers) || !Number.isFinite(reset)) return undefined;
  // The time is the vendor's: one of the two clocks may be wrong.
  const sentAt = Date.parse(headers['date'] ?? '') || now;
  const ms = reset * 1000 - sentAt;
  return ms <= 0 ? undefined : Math.min(ms + 1000, 2 * HOUR_MS);
}
