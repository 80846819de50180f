import type { Instant } from '../lib/clock.ts';
import type { HttpAnswer, HttpFailure, HttpResult } from './http.ts';
import type { Delivery } from './sink.ts';

type Retry = Extract<Delivery, { outcome: 'retry' }>;

export interface DeliveryOptions {
  readonly now: Instant;
  /** Limit key that a 429 is about: everything that shares it waits. */
  readonly limitKey: string;
  /** Limit key of everything that uses this address: an unreachable vendor costs no attempts. */
  readonly addressKey: string;
  /** Pause after a 429 without Retry-After; default 60 s, which Sentry and GitHub ask for. */
  readonly pauseMs?: number;
  /** The sink's own table for 401, 403, 404 and other 4xx. */
  refused(answer: HttpAnswer): Delivery;
}

const UNREACHABLE_MS = 10_000;

/** What an HTTP result means for the row that was sent: the status table that all sinks share. */
export function deliveryFor(result: HttpResult, options: DeliveryOptions): Delivery {
  if (result.kind === 'failed') return unanswered(result, options);
  const { status, headers } = result;
  const after = retryAfterMs(headers, options.now);
  // Of this request alone, or of the vendor as a whole: the outbox sees what others are answered.
  const perhaps = { suspect: { key: options.addressKey }, ...(after !== undefined && { afterMs: after }) };
  if (status >= 200 && status < 300) return { outcome: 'delivered' };
  if (status === 429) {
    const afterMs = after ?? options.pauseMs ?? 60_000;
    return { outcome: 'retry', reason: 'rate_limited', afterMs, hold: { key: options.limitKey } };
  }
  if (status === 408 || status === 425)
    return { outcome: 'retry', reason: 'timeout', detail: `HTTP ${status}`, ...perhaps };
  if (status === 502 || status === 503 || status === 504) {
    // The vendor as a whole is away, not this request: waiting must not cost this row its attempts or its lane.
    return { ...serverError(status), afterMs: after ?? UNREACHABLE_MS, hold: { key: options.addressKey } };
  }
  if (status >= 500) return { ...serverError(status), ...perhaps };
  if (status >= 400) return options.refused(result);
  return { outcome: 'retry', reason: 'bad_answer', detail: `HTTP ${status}` };
}

function serverError(status: number): Retry {
  return { outcome: 'retry', reason: 'server_error', detail: `HTTP ${status}` };
}

function unanswered({ reason, detail, unknown }: HttpFailure, options: DeliveryOptions): Retry {
  const retry: Retry = { outcome: 'retry', reason, detail, unknown };
  const key = options.addressKey;
  if (reason === 'connection_failed') return { ...retry, afterMs: UNREACHABLE_MS, hold: { key } };
  return reason === 'shutting_down' ? retry : { ...retry, suspect: { key } };
}

/** Ms of the pause that Retry-After asks for, in seconds or as a date; undefined without a valid one. */
export function retryAfterMs(headers: HttpAnswer['headers'], now: Instant): number | undefined {
  const value = headers['retry-after']?.trim();
  if (value === undefined || value === '') return undefined;
  // A date is the vendor's: one of the two clocks may be wrong.
  const sentAt = Date.parse(headers['date'] ?? '') || now;
  // A proxy may have joined its own to the vendor's: "30, 60".
  const seconds = /^(\d+(?:\.\d+)?)\s*(?:,|$)/.exec(value)?.[1];
  const ms = seconds === undefined ? Date.parse(value) - sentAt : Number(seconds) * 1000;
  return Number.isNaN(ms) ? undefined : Math.max(Math.ceil(ms), 0);
}
