import type { Kind } from '../kubernetes/observation.ts';
import type { Attempt, Outcome, Run, Transition, TransitionKind } from '../lifecycle/transition.ts';
import type { Instant } from '../lib/clock.ts';
import type { Json } from '../lib/json.ts';
import type { Reason } from '../lib/reasons.ts';
import type { EventsTx } from './events.ts';
import type { LogStore, LogTx } from './logs.ts';
import type { ResendRequest, Resent } from './operations.ts';
import type { Desired, Intent } from '../sinks/sink.ts';
import type { Claimant, DesiredRules } from './claims.ts';
import type { OutboxStore } from './outbox-store.ts';
import type { Grave, Refused } from './graves.ts';
import type { FoundProblem, ProblemStore, ProblemsTx } from './problems.ts';
import type { UnjudgedChange, UnjudgedTx } from './unjudged.ts';

/** One followed object: what its reducer must remember. `state` is the reducer's own, facts included. */
export interface ObjectRow {
  readonly uid: string;
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
  readonly ownerUid: string | undefined;
  readonly version: string;
  readonly deleted: boolean;
  /** When a `deleted` one was found so; the first time that is written counts. Of a live one: since when it is unwatched. */
  readonly overAt?: Instant | undefined;
  /** Schema of the kind's facts (kubernetes/kinds.ts) as the bridge had it that read them; default this one's. */
  readonly factsSchema?: number;
  readonly state: object;
}

/** What is remembered of a run beside its object. */
export interface RunMemory {
  /** Per destination, what its sink asked to be given back (the key its start used). */
  readonly memos: Readonly<Record<string, Json>>;
  /** Transition ids that are not planned yet, oldest first, and why. */
  readonly waiting: readonly Transition[];
  readonly waitingFor: 'owner' | 'pods' | undefined;
  /** The outcome with which the run settled. */
  readonly settledAs?: Outcome;
}

export interface RunRow {
  readonly run: Run;
  readonly memory: RunMemory;
}

/** The decision on one transition for one destination: planned, or not sent and why. */
export interface Decision {
  readonly transitionId: string;
  readonly destination: string;
  readonly verdict: 'planned' | 'waiting' | 'dropped';
  readonly reason: Reason | undefined;
  readonly detail: string | undefined;
  readonly at: Instant;
}

/** A decision that a transition is not told to a destination. */
export interface Dropped {
  readonly destination: string;
  readonly reason: Reason;
}

export interface Timer {
  /** Begins with `kind/`. */
  readonly id: string;
  /** `probe` is written to see whether the store can commit, and never due. */
  readonly kind:
    | 'replacement'
    | 'gone'
    | 'schedule'
    | 'stuck'
    | 'inferred'
    | 'logs'
    | 'pods'
    | 'owner'
    | 'settled'
    | 'probe';
  readonly uid: string;
  readonly due: Instant;
}

/** A stored row that says nothing any more: its disk lost a bit. */
export const UNREADABLE_ROW = 'unreadable_row';

export interface Quarantined {
  /** `request` for undecodable bytes, the UID (or a hash) for a record: one row per subject. */
  readonly subject: string;
  readonly reason: 'undecodable' | 'not_kubernetes' | 'core_error' | typeof UNREADABLE_ROW;
  readonly version: string | undefined;
  readonly error: string;
  readonly bytes: Uint8Array;
  readonly at: Instant;
}

/**
 * Reads and writes inside one transaction. Synchronous: the store lives on the worker thread that also decodes,
 * reduces and plans, so nothing interleaves with a commit.
 */
export interface Tx {
  readonly logs: LogTx;
  readonly events: EventsTx;
  /** Runs a part of this transaction: when it throws, nothing of that part is left. */
  attempt<T>(work: () => T): T;
  readonly destinations: DestinationsTx;
  object(uid: string): ObjectRow | undefined;
  putObject(row: ObjectRow): void;
  /** Objects of a kind whose controller is `ownerUid`, deleted ones included, by UID. */
  children(ownerUid: string, kind: Kind): ObjectRow[];
  run(uid: string): RunRow | undefined;
  putRun(row: RunRow): void;
  /** Runs whose transitions wait for this owner to be seen. */
  runsWaitingForOwner(ownerUid: string): RunRow[];
  putAttempt(runUid: string, attempt: Attempt): void;
  /** The pods of a run as far as they were seen, by start; with `podUid` that one at most. */
  attempts(runUid: string, podUid?: string): Attempt[];
  /** UID that holds a run key; claims it for `uid` when nobody does. */
  claimRunKey(runKey: string, uid: string): string;
  /** UID that holds a run key, if any. */
  runKeyHolder(runKey: string): string | undefined;

  /** False when the transition is known already: nothing is written. */
  addTransition(transition: Transition, recordedAt: Instant): boolean;
  /** What is recorded of a run, in the order of its times. */
  transitionsOf(runUid: string): Transition[];
  /** Replaces a decision that waits, or that was taken while no CronJob was known; any other stays as it is. */
  decide(decision: Decision): void;
  decision(transitionId: string, destination: string): Decision | undefined;
  /** False when the key is known already: nothing is written. */
  enqueue(destination: string, transitionId: string, intent: Intent, at: Instant): boolean;

  stickyKey(destination: string, namespace: string, name: string): string | undefined;
  /** Keeps the first key; later calls change nothing. */
  setStickyKey(destination: string, namespace: string, name: string, key: string): void;
  wanted(destination: string, key: string): Json | undefined;
  /**
   * Sets what one object claims at a destination (replacing its earlier claims) and recomputes the rows concerned: the
   * payload is that of the oldest live claim (creation, then UID), after `rules.adopt` has seen what the row was before,
   * which another object may have claimed; without a live one it is `rules.retire` of the last.
   */
  claimDesired(claimant: Claimant, claims: readonly Desired[], rules: DesiredRules, at: Instant): void;
  /** Recomputes every row of a destination from its live claims, and retires the others: after a retirement. */
  recomputeDesired(destination: string, rules: DesiredRules, at: Instant): void;

  /** From now on rows are wanted as retired and intents are given up; `on: false` ends that. Stored. */
  setRetired(on: boolean, by: string, at: Instant): void;
  /** True when the bridge is retired, or was at that time. */
  isRetired(at: Instant): boolean;

  /** Annotations that cannot be read. */
  readonly problems: ProblemsTx;
  /** CronJobs whose missed runs are not judged. */
  readonly unjudged: UnjudgedTx;

  setTimer(timer: Timer): void;
  clearTimer(id: string): void;
  /** Timers of a kind that are due, the oldest first, `limit` at most. */
  dueTimers(kind: Timer['kind'], now: Instant, limit: number): Timer[];
  /** Timers whose id is `path`, a slash and more, due or not: all of a kind, or of what its id names next. */
  timersBelow(path: string): Timer[];

  quarantine(row: Quarantined): void;
  /** What was in quarantine at this version or an older one could be processed after all. */
  release(uid: string, version: string): void;
  /** The version of an object that this release put into quarantine. */
  quarantinedVersion(uid: string): string | undefined;

  /** What the audit compares of an object, without its state. */
  storedVersion(uid: string): StoredVersion | undefined;
  /** Up to `limit` live objects of a kind, of all namespaces or one; `row` of the last is the next call's `after`, 0 at first. */
  liveObjects(kind: Kind, after: number, limit: number, namespace?: string): LiveObject[];
  /** How many objects of a kind are live, of all namespaces or one, and a text that is another once anything of them is. */
  liveSum(kind: Kind, namespace?: string): { readonly count: number; readonly text: string };
  /** The newest version of live objects of a kind; undefined when the store holds none of that kind, live or not. */
  newestVersion(kind: Kind): string | undefined;
  /** What is live of a kind is not watched since then, or (undefined) is watched again. */
  setUnwatched(kind: Kind, since: Instant | undefined): void;
  /** Makes the versions of all objects of a kind unknown: they are older than any other. */
  forgetVersions(kind: Kind): void;
  /** A fact about the store as a whole, e.g. which cluster it belongs to. */
  meta(key: string): string | undefined;
  setMeta(key: string, value: string): void;

  /** Whether the object was pruned and is remembered by a tombstone. */
  isPruned(uid: string): boolean;
  /** Remembers an object as one that was pruned. */
  bury(grave: Grave, at: Instant): void;
  /** Newest creation time of what is remembered no more; -Infinity when nothing was forgotten yet. */
  forgottenUpTo(): Instant;
  /** Lists a record that was not taken; one row per object. */
  refuse(row: Refused): void;
}

/** A destination that is in the configuration again, and when it had left. */
export interface Returned {
  readonly destination: string;
  readonly leftAt: Instant;
}

/** Which destinations the configuration has. */
export interface DestinationsTx {
  /**
   * Said once at each start. What waits for one that left is held, and given up once it has been away for the time after
   * which a delivery is given up; its rows and keys are kept for 30 days for its return. Returns those that are back.
   */
  configured(names: readonly string[], now: Instant): Returned[];
  /**
   * What was recorded of runs since a destination left, or was not decided for it by then, the oldest first: at most the
   * newest `limit`.
   */
  recordedSince(returned: Returned, limit: number): Transition[];
  /** What was decided while a destination was away was not decided for it: says so of what waits on no more. */
  settleMissed(destination: string, now: Instant): void;
  /** UIDs, except `own`, that claim rows although no live object has them: what happened while the destination was away. */
  deadClaimants(destination: string, own: string): string[];
  /** Nothing of a destination is removed at its vendor any more, whatever was planned. */
  keepRemovals(destination: string): void;
}

export interface StoredVersion {
  readonly version: string;
  readonly deleted: boolean;
  readonly factsSchema: number;
}

export interface LiveObject {
  readonly row: number;
  readonly uid: string;
  readonly namespace: string;
  readonly version: string;
}

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
  /** False when nothing beside the store told of its last commit: `cutoff` is the time of the start. */
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

export interface Store extends OutboxStore, ProblemStore, LogStore {
  /** Runs `work` in one transaction: all of it or, when it throws, nothing. Durable when it returns. */
  transaction<T>(work: (tx: Tx) => T): T;
  /** The clock was set by so many ms: what is planned moves with it, so that nothing waits longer or expires. */
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
   * those of the timers that fire by the clock.
   */
  nextAt(now: Instant, kinds: readonly Timer['kind'][]): Instant;
  /** Set when this store was made in place of another; `now` when that was at this opening. */
  readonly recovery: Recovery | undefined;
  /** The kinds of the transitions that were added since the last call, one entry each. */
  takeTransitions(): TransitionKind[];
  /** The decisions not to tell a transition since the last call, one entry each. */
  takeDropped(): Dropped[];
  /** The annotations that cannot be read and were found since the last call. */
  takeProblems(): FoundProblem[];
  /** How many rows could not be read, and so are in quarantine, since the last call. */
  takeUnreadable(): number;
  /** The CronJobs whose missed runs are not judged any more, or again, since the last call. */
  takeUnjudged(): UnjudgedChange[];
  /** The cut-off of a destination; the first call stores `firstStart`. */
  cutoff(destination: string, firstStart: Instant): Instant;
  /** Makes settled intents pending again, under the same identifiers, and records who asked for it. */
  resend(request: ResendRequest, by: string, at: Instant): Resent[];
  /** A random id of this store's cluster, made at the first start. */
  clusterId(): string;
  close(): void;
}
