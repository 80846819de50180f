import type { Instant } from '../lib/clock.ts';
import type { Reason } from '../lib/reasons.ts';
import type { Delivery, JournalEntry } from '../sinks/sink.ts';

/** Entries that follow each other and may be exported now, marked as being sent. */
export interface ClaimedJournal {
  readonly destination: string;
  /** The number of the last of them: with them, all up to it are settled. */
  readonly upTo: number;
  /** Empty when only entries were passed that are not exported: there may be more behind them. */
  readonly entries: readonly JournalEntry[];
  /** Number of this try, from 1. */
  readonly attempt: number;
  /** There are some, of which the first waits for its run: how soon to ask again. Then nothing is to be settled. */
  readonly againMs?: number;
}

export interface SettledJournal {
  readonly destination: string;
  readonly upTo: number;
  /** How many were sent. */
  readonly entries: number;
  readonly delivery: Delivery;
  /** Ms until the next try, for `retry`; of a hold, how long it lasts. */
  readonly delayMs?: number;
}

/**
 * What was committed, as destinations follow it by a cursor: transitions and kept Events in the order of their commits.
 * Every call is one durable commit.
 */
export interface JournalStore {
  /**
   * The next entries of a destination, `limit` at most; a try that failed is made with the same ones. Undefined when there
   * are none, or while they are being sent, wait for their next try, or are held by the destination or one of `limitKeys`.
   * The first call begins behind what was recorded before the destination's cut-off.
   */
  claimJournal(
    destination: string,
    limit: number,
    now: Instant,
    limitKeys?: readonly string[],
  ): ClaimedJournal | undefined;
  /** A batch that is refused for good is tried again in halves, so that one bad entry costs no other. */
  settleJournal(results: readonly SettledJournal[], now: Instant): void;
}

/** How far a destination that follows the journal has come. */
export interface JournalView {
  readonly destination: string;
  /** Entries that are not settled yet. */
  readonly waiting: number;
  /** When the oldest transition among them was recorded. */
  readonly oldestAt: Instant | undefined;
  /** When the destination took a batch last. */
  readonly exportedAt: Instant | undefined;
  /** Of the last try, if it failed, and when the next is. */
  readonly attempts: number;
  readonly reason: Reason | undefined;
  readonly detail: string | undefined;
  readonly nextAt: Instant | undefined;
}

/** What of a run a destination that follows the journal has not settled yet. */
export type RunJournal = Pick<JournalView, 'destination' | 'waiting' | 'reason' | 'detail'>;

export interface JournalReads {
  journals(): JournalView[];
}
