import type { Instant } from '../lib/clock.ts';
import type { Json } from '../lib/json.ts';
import type { LeftOut, StormBudget } from '../lib/storm.ts';

/** In which budget an intent counts. */
export interface StormMark {
  /** What has a budget of its own, such as an address; small, and never a secret. It is given to the digest. */
  readonly scope: Json;
  /** What is alike: of one group only a part of the budget passes. */
  readonly group: string;
  /** What it is in a few words, such as `OOMKilled in Deployment shop/web`: by these the digest counts. */
  readonly what: string;
}

/** How a planner wants storms to be reported, with intents of its own. */
export interface StormRules<Intent> {
  readonly budget: StormBudget;
  /** One report of everything that was left out. */
  digest(report: StormReport): readonly Intent[];
}

/** What a storm left out in one window, for its digest. */
export interface StormReport {
  readonly scope: Json;
  readonly since: Instant;
  readonly until: Instant;
  /** How many were sent one by one. */
  readonly passed: number;
  readonly left: LeftOut;
}
