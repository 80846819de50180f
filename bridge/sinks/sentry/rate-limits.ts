import type { Instant } from '../../lib/clock.ts';
import type { HttpAnswer } from '../http.ts';

/** Categories that Sentry documents; what it names beside them is ignored. */
const CATEGORIES = new Set(
  'default error transaction monitor span log_item log_byte trace_metric session attachment attachment_item profile profile_chunk replay feedback user_report_v2 internal metric_bucket security'.split(
    ' ',
  ),
);
/** Every category. */
const ALL = '';
/** What a number that is none means. */
const DEFAULT_MS = 60_000;

interface RateLimit {
  readonly ms: number;
  /** Empty: all. */
  readonly categories: readonly string[];
}

/** `X-Sentry-Rate-Limits: 60:error;default:organization, 2700::key`: which categories wait, and how long. */
export function parseRateLimits(header: string): RateLimit[] {
  return header.split(',').flatMap((quota) => {
    const [after = '', list = ''] = quota.split(':').map((part) => part.trim());
    if (quota.trim() === '') return [];
    const seconds = Number(after);
    const ms = after !== '' && Number.isFinite(seconds) ? Math.ceil(Math.max(0, seconds) * 1000) : DEFAULT_MS;
    if (list === '') return [{ ms, categories: [] }];
    const named = list.split(';').map((category) => category.trim());
    const categories = named.filter((category) => CATEGORIES.has(category));
    return categories.length === 0 ? [] : [{ ms, categories }];
  });
}

/**
 * Until when Sentry wants nothing of a category for a DSN. The outbox keeps what a 429 said of the item that it answered; this
 * keeps what any answer said of others, as long as the process lives.
 */
export class RateLimits {
  /** By DSN, then category. */
  readonly #until = new Map<string, Map<string, Instant>>();

  /** Takes in every answer; a 429 without the header is the outbox's alone. Of several deadlines the latest counts. */
  update(dsn: string, { headers }: HttpAnswer, now: Instant): void {
    const header = headers['x-sentry-rate-limits'];
    if (header === undefined) return;
    for (const { ms, categories } of parseRateLimits(header))
      for (const category of categories.length === 0 ? [ALL] : categories) this.#extend(dsn, category, now + ms);
  }

  /** How long a category waits, and whether all others of the DSN do too; undefined when it does not. */
  wait(dsn: string, category: string, now: Instant): { readonly ms: number; readonly all: boolean } | undefined {
    const all = this.#left(dsn, ALL, now);
    const own = this.#left(dsn, category, now);
    return all <= 0 && own <= 0 ? undefined : { ms: Math.max(all, own), all: all >= own };
  }

  #extend(dsn: string, category: string, until: Instant): void {
    const known = this.#until.get(dsn) ?? new Map<string, Instant>();
    known.set(category, Math.max(known.get(category) ?? -Infinity, until));
    this.#until.set(dsn, known);
  }

  #left(dsn: string, category: string, now: Instant): number {
    const known = this.#until.get(dsn);
    const left = (known?.get(category) ?? now) - now;
    if (left <= 0 && known?.delete(category) === true && known.size === 0) this.#until.delete(dsn);
    return left;
  }
}
