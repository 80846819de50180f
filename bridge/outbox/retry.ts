import { backoffDelay } from '../lib/backoff.ts';
import type { Delivery } from '../sinks/sink.ts';

const BACKOFF = { firstMs: 1000, maxMs: 5 * 60_000 };
/** A vendor may not silence a destination for longer than this. */
const MAX_AFTER_MS = 3_600_000;

/**
 * A delivery with ms until the next try: our backoff, or the vendor's hint (up to an hour) where that is longer. The one
 * place that decides so: a sink hands the hint over as it is, and the store waits as long as this says.
 */
export function scheduled(
  delivery: Delivery,
  attempt: number,
  random: number,
): { readonly delivery: Delivery; readonly delayMs: number } {
  // What our own stop interrupted is due at the next start.
  if (delivery.outcome !== 'retry' || delivery.reason === 'shutting_down') return { delivery, delayMs: 0 };
  const hintMs = Math.min(delivery.afterMs ?? 0, MAX_AFTER_MS);
  return { delivery, delayMs: Math.max(backoffDelay(attempt, BACKOFF, random), hintMs) };
}
