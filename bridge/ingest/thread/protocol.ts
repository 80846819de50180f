import type { Config } from '../../config/schema.ts';
import type { EndedRun } from '../../lifecycle/ended-run.ts';
import type { TransitionKind } from '../../lifecycle/transition.ts';
import type { Instant } from '../../lib/clock.ts';
import type { IngestResult } from '../../otlp/receive/ingest.ts';
import type { LogStore } from '../../store/logs.ts';
import type { OutboxStore } from '../../store/outbox-store.ts';
import type { FoundProblem, ProblemStore } from '../../store/problems.ts';
import type { UnjudgedChange } from '../../store/unjudged.ts';
import type { Work } from '../../store/work.ts';
import type { Quarantined } from '../../store/quarantine.ts';
import type { Recovery, Store, StoreState } from '../../store/store.ts';
import type { Dropped } from '../../store/timeline.ts';
import type { AuditCalls, IdentityCalls } from '../audit/audit-calls.ts';
import type { RecordResult } from '../batch.ts';
import type { CountedFailure } from '../../turn/guarded-planner.ts';
import type { Quiet } from '../../turn/unwritten-versions.ts';

/** What the worker thread is started with. */
export interface WorkerInit {
  readonly config: Config;
  readonly startedAt: Instant;
  /** Whether missed schedules are judged: not in a replay; default true. */
  readonly scheduleTimers?: boolean;
}

/** What a tick did: the kinds of the transitions that timers added, and how the store is. */
export interface Ticked {
  readonly transitions: readonly TransitionKind[];
  /** Runs that ended by a timer. */
  readonly ended: readonly EndedRun[];
  /** Annotations that cannot be read, found since the last tick. */
  readonly problems: readonly FoundProblem[];
  readonly plannerFailures: readonly CountedFailure[];
  /** Stored rows that were found unreadable since the last tick. */
  readonly unreadable: number;
  /** Decisions since the last tick not to send a transition. */
  readonly dropped: readonly Dropped[];
  /** CronJobs whose missed runs are not judged any more, or again, since the last tick. */
  readonly unjudged: readonly UnjudgedChange[];
  readonly state: StoreState;
  /** What is to do for those who ask the store for it, since the last commit or tick. */
  readonly work: Work | undefined;
  /** When there is something to do next, here or for those who ask the store for it; maybe in the past. */
  readonly nextAt: Instant;
}

/** The store's side of the bridge as the main thread calls it; every answer comes after the durable commit. */
export interface WorkerCalls
  extends OutboxStore, ProblemStore, LogStore, Pick<Store, 'resend' | 'clockSet'>, AuditCalls, IdentityCalls {
  ingest(request: Uint8Array, receivedAt: Instant): IngestResult;
  /**
   * Objects read from the API, through the same path as the stream. They were observed by the clock of the API server, and
   * received, which is when they are recorded, by the bridge's own.
   */
  observe(objects: readonly { readonly [key: string]: unknown }[], observedAt: Instant, receivedAt: Instant): void;
  /** Events of the bridge's own watch (`{type, object}`), through the same path as the stream. */
  observeWatched(
    events: readonly { readonly [key: string]: unknown }[],
    observedAt: Instant,
    receivedAt: Instant,
  ): void;
  retire(on: boolean, by: string, now: Instant): void;
  /** Fires due timers and the housekeeping of the store. */
  tick(now: Instant): Ticked;
  /** An empty durable write: throws when the store cannot commit. */
  probe(): void;
  close(): void;
}

export type Method = keyof WorkerCalls;

/** Calls that hold records: those that wait share a commit. */
export type GroupedMethod = 'ingest' | 'observe' | 'observeWatched';

/** A call of one of `M`, with the arguments that it takes. */
export type CallOf<M extends Method> = {
  [K in M]: { readonly id: number; readonly method: K; readonly args: Parameters<WorkerCalls[K]> };
}[M];

/** Any call; those of one turn of the event loop go over in one message. */
export type CallMessage = CallOf<Method>;

export interface RecordCount {
  readonly kind: string;
  readonly result: RecordResult;
  readonly count: number;
}

/** Sent after each group commit, for metrics and to wake the outbox. */
export interface Committed {
  readonly commitMs: number;
  readonly records: readonly RecordCount[];
  readonly requests: number;
  readonly transitions: readonly TransitionKind[];
  /** Runs whose end is recorded for the first time. */
  readonly ended: readonly EndedRun[];
  readonly quarantined: readonly Quarantined['reason'][];
  readonly quiet: readonly Quiet[];
  /** False when nothing of it was new. */
  readonly changed: boolean;
  /** What it left to do for those who ask the store for it. */
  readonly work: Work | undefined;
}

/** What the worker thread says; what it has to say at one time goes over in one message. */
export type WorkerMessage =
  | { readonly type: 'ready'; readonly recovery: Recovery | undefined }
  /** The store is corrupted or gone, said once; from then on every call but `close` fails. */
  | { readonly type: 'lost'; readonly error: string }
  | { readonly type: 'refused'; readonly message: string; readonly next: string }
  /** One answer to several calls: most of those that share a commit get the same. */
  | { readonly type: 'answer'; readonly ids: readonly number[]; readonly value: unknown }
  | { readonly type: 'failed'; readonly id: number; readonly error: string }
  | { readonly type: 'committed'; readonly committed: Committed };
