import type { Instant } from '../lib/clock.ts';
import type { Reason } from '../lib/reasons.ts';

/** Which intents a person wants to be sent again. */
export interface ResendRequest {
  /** Number of a delivery, id of a transition, or UID of a run. */
  readonly subject: string;
  readonly destination?: string | undefined;
  /** The destinations that there are; default all. What was for another one stays as it is. */
  readonly configured?: readonly string[];
  /** Also what was delivered: the vendor sees it twice. */
  readonly force: boolean;
}

/** What became of one intent; `was` is the reason of its earlier receipt. */
export interface Resent {
  readonly seq: number;
  readonly destination: string;
  readonly transitionId: string;
  /** `delivered`: needs force. `pending`: is on its way anyway. `destination_removed`: its destination is not configured. */
  readonly result: 'resent' | 'delivered' | 'pending' | 'destination_removed';
  readonly was: Reason | undefined;
}

/** Since when the bridge is retired, and by whom. */
export interface Retired {
  readonly since: Instant;
  readonly by: string;
}

/** The same with how far its desired rows are. */
export interface Retirement extends Retired {
  readonly destinations: readonly RetiredRows[];
}

export interface RetiredRows {
  readonly destination: string;
  readonly rows: number;
  /** Not accepted yet, and still tried. */
  readonly open: number;
  /** Refused by the vendor for good. */
  readonly refused: number;
}

/** The times in which the bridge is retired. */
export interface RetirementTx {
  /** From now on rows are wanted as retired and intents are given up; `on: false` ends that. Stored. */
  set(on: boolean, by: string, at: Instant): void;
  /** True when the bridge is retired, or was at that time. */
  covers(at: Instant): boolean;
}
