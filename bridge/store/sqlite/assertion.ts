import type { Instant } from '../../lib/clock.ts';
import { sha256Hex } from '../../lib/ids.ts';

const HOUR_MS = 3_600_000;
const SLOT_MS = 5 * 60_000;

/**
 * A day later, give or take two hours by the key, so that what was accepted together is not asserted together; on a
 * multiple of five minutes, so that many share a request.
 */
export function nextAssertion(
  { destination, key }: { readonly destination: string; readonly key: string },
  now: Instant,
): Instant {
  const share = parseInt(sha256Hex(`${destination}/${key}`).slice(0, 8), 16) / 2 ** 32;
  return Math.ceil((now + (22 + 4 * share) * HOUR_MS) / SLOT_MS) * SLOT_MS;
}
