import type { EndedRun } from '../lifecycle/ended-run.ts';
import type { TransitionKind } from '../lifecycle/transition.ts';
import type { Instant } from '../lib/clock.ts';
import type { LogStore } from './logs.ts';
import type { ResendRequest, Resent } from './operations.ts';
import type { OutboxStore } from './outbox-store.ts';
import type { FoundProblem, ProblemStore } from './problems.ts';
import type { Dropped } from './timeline.ts';
import type { Timer } from './timers.ts';
import type { Tx } from './tx.ts';
import type { UnjudgedChange } from './unjudged.ts';
import type { Work } from './work.ts';

export interface RetentionLimits {
  /** Ms since the end or the deletion of an object, whichever was later. */
  readonly age: number;
  readonly maxBytes: number;
  /** Ms that the text of a log is kept; default as long as its run. */
  readonly logAge?: number;
}

/** A store that came in place of another one. */
export interface Recovery {
  readonly cause: 'corrupt' | 'missing' | 'restored';
  readonly reason: string;
  /** Where the old file is kept. */
  readonly movedTo: string | undefined;
  readonly at: Instant;
  /** What happened before is not announced. */
  readonly cutoff: Instant;
  /** False when the file with the time of the last commit was missing: `cutoff` is the time of the start. */
  readonly cutoffKnown: boolean;
}

export interface StoreState {
  /** Of the database file; free pages inside it are not counted. */
  readonly usedBytes: number;
  readonly maxBytes: number;
  /** True when the store is too large and holds nothing that may be removed. */
  readonly exhausted: boolean;
  /** Why the small files beside the store could not be written. */
  readonly sideFiles: string | undefined;
}

/** What committed transactions did, one entry each, for metrics and logs. */
export interface News {
  /** Kinds of the transitions that were added. */
  readonly transitions: readonly TransitionKind[];
  /** Runs whose end was recorded for the first time. */
  readonly ended: readonly EndedRun[];
  /** Decisions not to send a transition. */
  readonly dropped: readonly Dropped[];
  /** Annotations that cannot be read. */
  readonly problems: readonly FoundProblem[];
  /** CronJobs whose missed runs are not judged any more, or again. */
  readonly unjudged: readonly UnjudgedChange[];
}

export interface Store extends OutboxStore, ProblemStore, LogStore {
  /** Runs `work` in one transaction: all of it or, when it throws, nothing. Durable when it returns. */
  transaction<T>(work: (tx: Tx) => T): T;
  /** The clock was set by `ms`: what is planned moves with it, so that nothing waits longer or expires. */
  clockSet(ms: number): void;
  /** Remembers that all that arrived before `now` is committed. */
  ingested(now: Instant): void;
  /**
   * The housekeeping of a tick: one short step of the retention (removes what is over and too old, or over and too
   * much) and the small files beside the store. Throws when the store's file is no longer where it was.
   */
  retain(now: Instant, limits: RetentionLimits): StoreState;
  /**
   * When there is something to do next, in the store or for those who send what it holds; maybe in the past. `kinds` are
   * those of the timers that fire by the clock. What else became due since the last call is there to be taken as work.
   */
  nextAt(now: Instant, kinds: readonly Timer['kind'][]): Instant;
  /** Set when this store was made in place of another; `now` when that was at this opening. */
  readonly recovery: Recovery | undefined;
  /** What happened since the last call with this name. */
  take<K extends keyof News>(what: K): News[K];
  /** How many rows could not be read, and so are in quarantine, since the last call. */
  takeUnreadable(): number;
  /** What transactions since the last call left to do for other parts; undefined when nothing. */
  takeWork(): Work | undefined;
  /** The cut-off of a destination; the first call stores `firstStart`. */
  cutoff(destination: string, firstStart: Instant): Instant;
  /** Makes settled intents pending again, under the same identifiers, and records who asked for it. */
  resend(request: ResendRequest, by: string, at: Instant): Resent[];
  /** A random id of this store's cluster, made at the first start. */
  clusterId(): string;
  /** The next start makes a new store in the place of this one, which is kept aside. */
  suspect(why: string): void;
  close(): void;
}
