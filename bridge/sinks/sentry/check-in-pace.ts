import type { Clock, Instant } from '../../lib/clock.ts';
import type { Json } from '../../lib/json.ts';

/** Keeps check-ins below what Sentry takes: of one monitor and environment, and of one project. */
export interface CheckInPace {
  /** Ms until this check-in may be sent for this DSN; 0: now. */
  wait(checkIn: { readonly [key: string]: Json }, dsnId: string, now: Instant): number;
  /** It is about to be sent. */
  sent(checkIn: { readonly [key: string]: Json }, dsnId: string, now: Instant): void;
}

export function createPace(_clock: Clock): CheckInPace {
  return { wait: () => 0, sent: () => undefined };
}
