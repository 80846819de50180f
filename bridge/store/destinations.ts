import type { Transition } from '../lifecycle/transition.ts';
import type { Instant } from '../lib/clock.ts';

/** A destination that is in the configuration again, and when it had left. */
export interface Returned {
  readonly destination: string;
  readonly leftAt: Instant;
}

/** Which destinations the configuration has. */
export interface DestinationsTx {
  /**
   * Said once at each start. What waits for one that left is held, and given up once it has been away for the time after
   * which a delivery is given up; its rows and keys are kept for 30 days for its return. Returns those that are back.
   */
  configured(names: readonly string[], now: Instant): Returned[];
  /**
   * What was recorded of runs since a destination left, or was not decided for it by then, in the order in which it was
   * recorded: at most the newest `limit`.
   */
  recordedSince(returned: Returned, limit: number): Transition[];
  /** What was decided while a destination was away was not decided for it: says so of what waits on no more. */
  settleMissed(destination: string, now: Instant): void;
  /** UIDs, except `own`, that claim rows although no live object has them: what happened while the destination was away. */
  deadClaimants(destination: string, own: string): string[];
  /** Nothing of a destination is removed at its vendor any more, whatever was planned. */
  keepRemovals(destination: string): void;
}
