import type { Kind } from '../kubernetes/observation.ts';
import type { StuckLimits } from '../lifecycle/stall.ts';
import type { Instant } from '../lib/clock.ts';
import type { Tx } from '../store/tx.ts';
import type { Destination } from './destination.ts';
import type { UnwrittenVersions } from './unwritten-versions.ts';

/** How long things may take; all in ms. */
export interface Limits {
  /** When a pod that makes no progress counts as stuck. */
  readonly stuck: StuckLimits;
  /** How long a run that is gone waits for its ending, and one that a CronJob's status reports for its Job. */
  readonly graceMs: number;
  /** How long before it is followed first what an object did is reported. */
  readonly lookbackMs: number;
  /** How long what waits for a destination that left the configuration is kept for its return. */
  readonly maxAgeMs: number;
}

/** What one transaction of the core works with, from its first read to its last write. */
export interface Turn {
  readonly tx: Tx;
  readonly now: Instant;
  readonly destinations: readonly Destination[];
  /** What is followed. */
  readonly kinds: ReadonlySet<Kind>;
  readonly unwritten: UnwrittenVersions;
  readonly limits: Limits;
  /** Whether scheduled times without a Job are judged; a replay, whose times are moved away from the schedules, does not. */
  readonly judges: boolean;
  /** A namespace that did not come in time: what is in it is planned without it. */
  readonly unseen?: string;
}

/** Runs `work` in one transaction of the store, which is undone when it throws. */
export type InTurn = <T>(now: Instant, work: (turn: Turn) => T) => T;
