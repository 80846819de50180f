import type { Instant } from '../lib/clock.ts';
import type { ClaimedDesired, ClaimedIntent, Delivery, SentIntent } from '../sinks/sink.ts';
import type { JournalStore } from './journal.ts';
import type { Work } from './work.ts';

export interface Settled {
  readonly seq: number;
  readonly delivery: Delivery;
  /** Ms until the next try, for `retry`; of a hold, how long it lasts. */
  readonly delayMs?: number;
}

export interface SettledDesired {
  readonly destination: string;
  readonly key: string;
  readonly sentHash: string;
  readonly delivery: Delivery;
  /** As of an intent. */
  readonly delayMs?: number;
}

/** The outbox's side of the store. Every call is one durable commit. */
export interface OutboxStore extends JournalStore {
  /**
   * Heads of lanes that may be sent now, oldest first, marked as being tried. Not: held ones, those whose desired row
   * was neither accepted nor refused for good (unless `dryRun`), and those with a limit key in `exclude`. At most
   * `perGate` of those with the same, non-empty list of limit keys.
   */
  claim(
    destination: string,
    limit: number,
    now: Instant,
    exclude: readonly string[],
    dryRun: boolean,
    perGate?: number,
  ): ClaimedIntent[];
  /** Returns what that left to do, as the next of a lane to send. */
  settle(results: readonly Settled[], now: Instant): Work | undefined;
  /** Whether an intent could be claimed now if no limit, hold or retirement kept it; a dry run may claim others too. */
  isDue(destination: string, now: Instant): boolean;
  /** Requests of a destination that were or may have been made after `since`, the oldest first. */
  recentlySent(destination: string, since: Instant): SentIntent[];
  /**
   * Rows not in sync or due for their daily assertion; clears their accepted hash first. None while the destination or
   * one of `limitKeys` (the limits that every such request shares) is held.
   */
  claimDesired(destination: string, limit: number, now: Instant, limitKeys?: readonly string[]): ClaimedDesired[];
  /** Returns what that left to do, as what waited for a row to send. */
  settleDesired(results: readonly SettledDesired[], now: Instant): Work | undefined;
  /**
   * The credentials of a destination may be others now: the holds of `limitKeys` end, rows that were refused for the key
   * are due, and intents that a refusal let go wait for their row again.
   */
  retryRefused(destination: string, limitKeys: readonly string[], now: Instant): void;
  /**
   * Settles what is over `maxAgeMs` as `expired` and what blocks a lane that waited `supersedeMs` as `superseded`. The
   * time between the last sweep and the next start, when nothing could be sent, makes nothing older. Rows that no object
   * claims any more and that were paused long enough are wanted as null. `followers`: the configured destinations that
   * follow the journal; of others nothing is kept for it. Returns what that left to do.
   */
  sweep(now: Instant, maxAgeMs: number, supersedeMs: number, followers?: readonly string[]): Work | undefined;
}
