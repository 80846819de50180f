import { backoffDelay } from '../lib/backoff.ts';
import type { Delivery } from '../sinks/sink.ts';

const BACKOFF = { firstMs: 1000, maxMs: 5 * 60_000 };
/** A vendor may not silence a destination for longer than this. */
const MAX_AFTER_MS = 3_600_000;

/** The delivery as it is stored, and ms until the next try: our backoff or the vendor's hint, whichever is longer. */
export function scheduled(
  delivery: Delivery,
  attempt: number,
  random: number,
): { readonly delivery: Delivery; readonly delayMs: number } {
  // What our own stop interrupted is due at the next start.
  if (delivery.outcome !== 'retry' || delivery.reason === 'shutting_down') return { delivery, delayMs: 0 };
  const delayMs = backoffDelay(attempt, BACKOFF, random);
  if (delivery.afterMs === undefined) return { delivery, delayMs };
  const afterMs = Math.max(delayMs, Math.min(delivery.afterMs, MAX_AFTER_MS));
  return { delivery: { ...delivery, afterMs }, delayMs };
}
