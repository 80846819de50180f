import type { Unjudged } from '../lifecycle/unjudged.ts';
import type { Instant } from '../lib/clock.ts';

export interface UnjudgedView extends Unjudged {
  readonly sinceAt: Instant;
}

/** Missed runs of a CronJob are not judged any more, or (`over`) again. */
export interface UnjudgedChange extends Unjudged {
  readonly namespace: string;
  readonly name: string;
  readonly over: boolean;
  /** How many other CronJobs have the same reason in the same time zone. */
  readonly others: number;
}

export interface UnjudgedCount {
  readonly reason: Unjudged['reason'];
  readonly count: number;
}

/** Inside one transaction: the CronJobs whose missed runs are not judged. */
export interface UnjudgedTx {
  /** Sets why, or with undefined that they are judged. */
  set(
    cronJob: { readonly uid: string; readonly namespace: string; readonly name: string },
    unjudged: Unjudged | undefined,
    at: Instant,
  ): void;
}
