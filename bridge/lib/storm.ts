import type { Instant } from './clock.ts';

/** How much one destination may report of what comes in storms. */
export interface StormBudget {
  /** Most reports of one scope in a window, and most of these of one group. */
  readonly most: number;
  readonly mostOfOne: number;
  readonly windowMs: number;
}

/** What was left out of a window, counted by what it was. */
export interface LeftOut {
  readonly count: number;
  /** Those that came when there were already many are `others`. */
  readonly kinds: Readonly<Record<string, number>>;
  readonly others: number;
  /** When the first and the last of it happened, by the objects. */
  readonly firstAt: Instant;
  readonly lastAt: Instant;
}
