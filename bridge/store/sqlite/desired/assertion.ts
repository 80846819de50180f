import type { Instant } from '../../../lib/clock.ts';
import { sha256Hex } from '../../../lib/ids.ts';

const SLOT_MS = 5 * 60_000;

/** The last time that JavaScript knows. */
const NEVER: Instant = 8.64e15;

/**
 * A period later (a day, if the sink says nothing else), give or take a twelfth by the key, so that what was accepted
 * together is not asserted together; on a multiple of five minutes, so that many share a request.
 */
export function nextAssertion({ destination, key, assert_every_ms: everyMs }: Asserted, now: Instant): Instant {
  if (everyMs === null) return NEVER;
  const share = parseInt(sha256Hex(`${destination}/${key}`).slice(0, 8), 16) / 2 ** 32;
  return Math.ceil((now + (everyMs * (11 + 2 * share)) / 12) / SLOT_MS) * SLOT_MS;
}

interface Asserted {
  readonly destination: string;
  readonly key: string;
  readonly assert_every_ms: number | null;
}
