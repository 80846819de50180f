import type { DesiredTx } from './desired.ts';
import type { DestinationsTx } from './destinations.ts';
import type { EventsTx } from './events.ts';
import type { LogTx } from './logs.ts';
import type { ObjectsTx, VersionsTx } from './objects.ts';
import type { RetirementTx } from './operations.ts';
import type { ProblemsTx } from './problems.ts';
import type { QuarantineTx } from './quarantine.ts';
import type { RunsTx } from './runs.ts';
import type { TimelineTx } from './timeline.ts';
import type { TimersTx } from './timers.ts';
import type { TombstonesTx } from './tombstones.ts';
import type { UnjudgedTx } from './unjudged.ts';

/**
 * Reads and writes inside one transaction, by part. Synchronous: the store lives on the worker thread that also decodes,
 * reduces and plans, so nothing interleaves with a commit. Nearly every read names the key that it asks for (a UID, a run
 * key, a transition id), so an engine that is far away could fetch them before the reducers run, and write at the end.
 */
export interface Tx {
  readonly objects: ObjectsTx;
  readonly versions: VersionsTx;
  readonly runs: RunsTx;
  readonly timeline: TimelineTx;
  readonly logs: LogTx;
  /** Kubernetes Events. */
  readonly events: EventsTx;
  readonly timers: TimersTx;
  readonly desired: DesiredTx;
  readonly destinations: DestinationsTx;
  readonly retirement: RetirementTx;
  /** Annotations that cannot be read. */
  readonly problems: ProblemsTx;
  /** CronJobs whose missed runs are not judged. */
  readonly unjudged: UnjudgedTx;
  readonly tombstones: TombstonesTx;
  readonly quarantine: QuarantineTx;
  readonly meta: MetaTx;
  /** Runs a part of this transaction: when it throws, nothing of that part is left. */
  attempt<T>(work: () => T): T;
}

/** Facts about the store as a whole, e.g. which cluster it belongs to. */
export interface MetaTx {
  get(key: string): string | undefined;
  set(key: string, value: string): void;
  delete(key: string): void;
}
