import type { EventFacts } from '../kubernetes/kinds/event.ts';
import type { CronJobState } from '../lifecycle/cronjob.ts';
import type { ActiveRuns } from '../lifecycle/ended-run.ts';
import type { RunLog } from '../lifecycle/logs.ts';
import type { Run, RunStatus, Transition, Attempt, RunKind } from '../lifecycle/transition.ts';
import type { Instant } from '../lib/clock.ts';
import type { Json } from '../lib/json.ts';
import type { Reason } from '../lib/reasons.ts';
import type { DeliveryStatus, DeliveryView } from './delivery-view.ts';
import type { JournalReads, RunJournal } from './journal.ts';
import type { Retirement } from './operations.ts';
import type { OwnRow } from './desired.ts';
import type { ObjectProblems, ProblemCount, ProblemView } from './problems.ts';
import type { Quarantined } from './quarantine.ts';
import type { Decision } from './timeline.ts';
import type { UnjudgedCount, UnjudgedView } from './unjudged.ts';

/** One page of a list; `next` is the cursor of the following page. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next?: string;
}

/** A run as people see it. */
export interface RunView extends Run {
  /** Why it failed, is stuck or was given up, in one sentence. */
  readonly cause?: string;
}

export interface RunDetail {
  readonly run: RunView;
  readonly attempts: readonly Attempt[];
  readonly transitions: readonly Transition[];
  readonly decisions: readonly Decision[];
  readonly deliveries: readonly DeliveryView[];
  /** Of its containers, in the order of their ends. */
  readonly logs: readonly LogView[];
  /** Kubernetes Events about it and its pods that are still kept, in the order of their times. */
  readonly events: readonly EventFacts[];
  /** One of each destination that follows the journal. */
  readonly journals: readonly RunJournal[];
}

/** What became of the log of a container, with its tail. */
export interface LogView extends RunLog {
  readonly text: string | undefined;
}

/** A destination that is not in the configuration any more, and what waits for its return. */
export interface LeftDestination {
  readonly destination: string;
  readonly leftAt: Instant;
  readonly waiting: number;
}

/** One desired row: an object at a vendor, as it should be. */
export interface DesiredView {
  readonly destination: string;
  readonly key: string;
  readonly wanted: Json;
  readonly inSync: boolean;
  readonly notInSyncSince: Instant | undefined;
  readonly firstAcceptedAt: Instant | undefined;
  readonly attempts: number;
  readonly reason: Reason | undefined;
  readonly detail: string | undefined;
  /** When it is deleted at the vendor, if no object claims it until then. */
  readonly removeAt: Instant | undefined;
  /** `namespace/name` of every live CronJob on this key, `KIND namespace/name` of others, the owner of the payload first. */
  readonly objects: readonly string[];
}

/** A CronJob as it was last seen, and the rows that it claims. */
export interface CronJobView extends CronJobState {
  readonly desired: readonly DesiredView[];
  readonly problems: readonly ProblemView[];
  /** Why missed runs of it are not judged. */
  readonly unjudged: UnjudgedView | undefined;
}

export const DROP_KINDS = ['decision', 'delivery', 'journal', 'quarantine', 'record'] as const;
export type DropKind = (typeof DROP_KINDS)[number];

export interface DropCount {
  readonly kind: DropKind;
  readonly reason: Reason;
  readonly count: number;
}

/** What was put into quarantine; the bytes are as they came, cut. */
export interface QuarantineView extends Quarantined {
  readonly id: number;
  /** Before it was cut for this view. */
  readonly size: number;
}

/** A CronJob that was seen and is not deleted. */
export interface SeenCronJob {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  /** Its newest run. */
  readonly lastRun: Run | undefined;
  readonly problems: readonly ProblemView[];
  /** Why missed runs of it are not judged. */
  readonly unjudged: UnjudgedView | undefined;
}

/** Something that was not sent, or not understood. */
export interface DropView {
  readonly at: Instant;
  readonly kind: DropKind;
  /** Unique within its kind; of a delivery its number. */
  readonly id: number;
  readonly subject: string;
  readonly destination: string | undefined;
  readonly runUid: string | undefined;
  readonly reason: Reason;
  readonly detail: string | undefined;
}

/** What is remembered of an object that was pruned. */
export interface PrunedView {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly prunedAt: Instant;
  /** Its deliveries; of very many the first. */
  readonly announced: readonly {
    readonly transition: string;
    readonly destination: string;
    readonly status: 'delivered' | 'dropped';
    readonly reason: Reason | null;
    readonly at: Instant | null;
  }[];
}

export interface OutboxDepth {
  readonly destination: string;
  readonly pending: number;
  readonly oldestCreatedAt: Instant | undefined;
  readonly notInSync: number;
}

export interface ReceiptCount {
  readonly destination: string;
  readonly reason: Reason;
  readonly count: number;
}

/** Rows of one destination that the vendor refused alike. */
export interface Refusal {
  readonly destination: string;
  readonly reason: Reason;
  readonly detail: string | undefined;
  readonly count: number;
}

export interface RefusedCount {
  readonly reason: Reason;
  readonly count: number;
}

export interface ListQuery {
  readonly limit: number;
  readonly cursor?: string;
}

/** Of which namespace and name; default all. */
export interface ObjectsQuery extends ListQuery {
  readonly namespace?: string;
  readonly name?: string;
}

export interface CronJobsQuery extends ObjectsQuery {
  /** Only those of which no run is known. */
  readonly withoutRun?: boolean;
}

export interface RunFilter {
  /** A part of the name of a run or its CronJob (NAMESPACE/NAME too), a pod, or the beginning of a UID or trace id. */
  readonly q?: string;
  readonly namespace?: string;
  readonly owner?: string;
}

export interface DropsQuery extends ListQuery {
  readonly reason?: Reason;
  readonly kind?: DropKind;
}

export interface RunReads {
  runs(query: ListQuery & RunFilter & { readonly status?: RunStatus }): Page<RunView>;
  run(uid: string): RunDetail | undefined;
  /** What is left of a run or another object that was pruned. */
  pruned(uid: string): PrunedView | undefined;
  uidsFrom(prefix: string, limit: number): string[]; // of runs and pruned objects that begin so, in order
  /** Newest run first: by UID, by run name, or by CronJob name; all of them or those of one kind. */
  findRuns(namespace: string, name: string, limit: number, kind?: RunKind): RunView[];
  /** How many runs of each state a namespace, a CronJob or the whole store has. */
  runCounts(query?: RunFilter): Partial<Record<RunStatus, number>>;
  activeRuns(): ActiveRuns[]; // that wait or go on
}

export interface OutboxReads {
  deliveries(
    query: ListQuery & { readonly status?: DeliveryStatus; readonly destination?: string },
  ): Page<DeliveryView>;
  depth(): OutboxDepth[];
  /** Settled intents by destination and reason since the store was made, for metrics that survive a restart. */
  receiptCounts(): ReceiptCount[];
}

export interface DesiredReads {
  desired(query: ListQuery): Page<DesiredView>;
  ownRow(destination: string): OwnRow | undefined;
  retirement(): Retirement | undefined;
  /** Rows that the vendor refused because of the credentials. */
  keyRefusals(): Refusal[];
  /** Destinations that left the configuration and may come back. */
  leftDestinations(): LeftDestination[];
}

/** What was not sent, or not understood. */
export interface DropReads {
  drops(query: DropsQuery): Page<DropView>;
  /** How many of each, the most first. */
  dropCounts(): DropCount[];
  /** Records that were not taken, by reason, since the store was made. */
  refusedCounts(): RefusedCount[];
  quarantined(id: number): QuarantineView | undefined;
  /** The object of this UID, if the core could not process its newest version. */
  quarantinedObject(uid: string): QuarantineView | undefined;
}

export interface CronJobReads {
  /** The live CronJob of this name, else one that is deleted. */
  cronJob(namespace: string, name: string): CronJobView | undefined;
  /** By namespace and name. */
  cronJobs(query: CronJobsQuery): Page<SeenCronJob>;
  /** CronJobs that are not deleted. */
  cronJobCount(): number;
  /** Objects with annotations that cannot be read, by namespace and name. */
  problems(query: ObjectsQuery): Page<ObjectProblems>;
  problemCounts(): ProblemCount[];
  /** How many objects have one. */
  problemObjects(): number;
  /** How many CronJobs have missed runs that are not judged, by reason. */
  unjudgedCounts(): UnjudgedCount[];
}

/**
 * Reads for the page, the API and `explain`, over a second, read-only connection. Lists are newest first, if nothing else
 * is said; a cursor of another list throws a UserError.
 */
export interface ReadStore extends RunReads, OutboxReads, DesiredReads, DropReads, CronJobReads, JournalReads {
  /** Of the database file, without its free pages. */
  usedBytes(): number;
  close(): void;
}
