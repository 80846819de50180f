import type { Instant } from '../../lib/clock.ts';
import type { Unit } from '../../policy/audit.ts';

/** What is known of one unit from one LIST to the next. */
export interface UnitMemory {
  /** How many LISTs in a row lacked what the store has live. */
  missing: ReadonlyMap<string, number>;
  /** LISTs in a row whose version was below the newest stored one. */
  below: number;
  /** A LIST returned an object older than the store has it (etcd was restored): the next LIST counts as `below` too. */
  rolledBack: boolean;
  /** Version of the last LIST taken while the Collector's watches were up: anything newer must also arrive by the stream. */
  watchedFrom: string | undefined;
}

/** One LIST of a unit while it is compared. */
export interface Pass {
  readonly unit: Unit;
  beganAt: Instant;
  /** Newest version that was stored before the LIST began: the LIST cannot be older, unless etcd was restored. */
  readonly newest: string;
  readonly first: boolean;
  readonly seen: Set<string>;
  readonly missing: Map<string, number>;
  version: string | undefined;
  live: number;
  epoch: boolean;
  missed: number;
  stale: number;
  outdated: number;
  /** What is known of an object stands elsewhere than in its row: it may be forgotten. */
  elsewhere: boolean;
}
