import type { EventFacts } from '../kubernetes/kinds/event.ts';
import type { NamespaceFacts } from '../kubernetes/kinds/namespace.ts';
import type { Facts, FollowedKind, Kind } from '../kubernetes/observation.ts';
import type { RunLog } from '../lifecycle/logs.ts';
import type { Attempt, Run, Transition, TransitionKind } from '../lifecycle/transition.ts';
import type { Instant } from '../lib/clock.ts';
import type { Json } from '../lib/json.ts';
import type { Reason } from '../lib/reasons.ts';
import type { RunStory } from './story.ts';
import type { OtherMetric } from './other-metrics.ts';
import type { StormMark, StormRules } from './storm.ts';

/** A rate that several requests share, e.g. one object or one vendor address. */
export interface Limit {
  readonly key: string;
  readonly perSecond: number;
  /** So many may go at once after a pause; then perSecond counts. Without it they are spaced evenly. */
  readonly burst?: number;
}

/** "Report this transition to this destination": one outbox row. Hosts and secrets are not part of it. */
export interface Intent {
  /** Unique per destination and deterministic: derived from the transition id. */
  readonly key: string;
  /** Order key: the next of a lane is not sent before the previous is settled; one that fails alone gives way after two minutes. */
  readonly lane: string;
  readonly payload: Json;
  readonly limits: readonly Limit[];
  /** Key of the desired row whose first acceptance this waits for. */
  readonly waitsFor?: string;
  /** UID of the run whose story goes with it, which is read from the store when it is sent. */
  readonly story?: string;
  /** What comes later in its lane does not make up for it: that waits, however often this one fails. */
  readonly keep?: true;
  /** It counts in the storm budget of its planner. Without it, it is always sent. */
  readonly storm?: StormMark;
}

/** What an object at the vendor should look like, as one live object claims it. */
export interface Desired {
  readonly key: string;
  readonly wanted: Json | typeof HOLD;
  /**
   * The object that it is claimed for, such as the workload of a pod; default the claimant itself. Of several the first, by
   * `elect`, owns the row; the others are shown as in conflict with it.
   */
  readonly of?: { readonly uid: string; readonly createdAt: Instant };
  /** Of the claims for one object that with the lowest number gives the payload; default 0. */
  readonly rank?: number;
  /** The key is seeded by a UID and stays with destination, kind and namespace/name when the object is made again. */
  readonly sticky?: boolean;
}

/** What a sink makes of a transition; null: not this sink's business, no decision is recorded. */
export type Planned =
  | {
      readonly intents: readonly Intent[];
      /** `memo` is kept with the run and given back; `run.active` is planned at `again` if the run goes on then. */
      readonly memo?: Json;
      readonly again?: Instant;
    }
  | {
      readonly drop: Reason;
      readonly detail?: string;
      /** It holds for the whole run, whenever it was: recorded with the first edge that is planned, not with each. */
      readonly once?: true;
    }
  | null;

/** What is known of a transition. A function reads the store, once: a planner asks for what it needs. */
export interface PlanContext {
  /** Undefined for what happened to an object that belongs to no run, such as a node. */
  readonly run: Run | undefined;
  readonly memo: Json | undefined;
  /** The object that it happened to, live or deleted; undefined where there is none (a scheduled time without a Job). */
  readonly object: () => Facts | undefined;
  /** The Job, pod or workload that the run is, live or deleted: what happens to a pod happens to its Job too. */
  readonly runObject: () => Facts | undefined;
  /** Any object that is followed, live or deleted, such as the pod of an attempt. */
  readonly facts: (uid: string) => Facts | undefined;
  /**
   * Who owns the run, or the object without one, nearest first, live or deleted, as far as they are followed. A CronJob's run
   * is not planned before its CronJob was seen; a rollout belongs to its workload.
   */
  readonly owners: () => readonly Facts[];
  /** The namespace of the object, where namespaces are followed. */
  readonly namespace: () => NamespaceFacts | undefined;
  /** Every pod of the run, by start: a Job may have thousands. */
  readonly attempts: () => readonly Attempt[];
  /** One pod of the run, as that of the transition. */
  readonly attempt: (podUid: string) => Attempt | undefined;
  /** The logs of the run as far as they were wanted. */
  readonly logs: () => readonly RunLog[];
  /**
   * The last Kubernetes Events about the object of the transition, the run, its pods and its owners, in the order of their
   * times. None unless `reads.kinds` has Event; they are kept for two hours.
   */
  readonly events: () => readonly EventFacts[];
  /** First key that was seeded for this destination and the kind and namespace/name of the nearest owner. */
  readonly stickyKey: () => string | undefined;
}

export interface RunContext extends PlanContext {
  readonly run: Run;
}

export const isOfRun = (context: PlanContext): context is RunContext => context.run !== undefined;

export interface DesiredContext {
  /** When the object was seen so. */
  readonly now: Instant;
  readonly stickyKey: string | undefined;
  /** What the row of this key was last wanted to be, by anyone. */
  previous(key: string): Json | undefined;
  claims(): readonly Desired[]; // what this object claims until now
  facts(uid: string): Facts | undefined; // of any object that is followed, live or deleted
  /** Who owns the object, nearest first, live or deleted, as far as they are followed and were seen. */
  owners(): readonly Facts[];
  /** The namespace of the object, where namespaces are followed. */
  namespace(): NamespaceFacts | undefined;
}

/** An annotation whose value is not allowed, or that does not exist. */
export interface AnnotationProblem {
  /** Its whole name, as it stands on the object. */
  readonly annotation: string;
  /** Its value, shortened. */
  readonly value: string;
  readonly allowed: string;
  /** What counts instead of the value. */
  readonly used: string;
}

/** What an object claims that wants no change: the row, if there is one, stays as it is while the object lives. */
export const HOLD = Symbol('hold');

/** What becomes of a row that is wanted no more and needs no request: a write that is done, or has lost its object. */
export const FORGET = Symbol('forget');

/**
 * Why a row is retired: `left`: the object that claimed it lives on and claims nothing here any more; `unclaimed`: it is
 * deleted, or claims another key; `bridge`: the whole bridge is retired.
 */
export type RetireCause = 'left' | 'unclaimed' | 'bridge';

/** What of the cluster a sink reads. */
export interface Reads {
  /** What is wanted for an object follows from its owners too: it is planned again when one is seen, or changes in its metadata. */
  readonly owners?: true;
  /** Kinds of which what is wanted follows from their namespace too: planned again when its annotations or labels change. */
  readonly namespaceOf?: ReadonlySet<FollowedKind>;
  readonly needsNamespace?: 'always' | 'once_any_is_seen'; // before that was seen nothing is planned of what is in it
  /**
   * Whose objects it plans desired state of, finds problems with, or asks its context for. Of rollouts it hears only where it
   * reads the kind of the workload.
   */
  readonly kinds: ReadonlySet<Kind>;
  /**
   * Names of annotations; one that ends with / is every name below it, one that ends with @ an address that is useless
   * without the key before its host. Others are never kept.
   */
  readonly annotations: readonly string[];
}

/** The pure half of a sink: runs inside the commit, on the worker thread. */
export interface Planner {
  readonly destination: string; // `<sink>/<name in the configuration>`
  /** It is asked about these only; of starts and ends that it hears there is a decision while they wait. */
  readonly hears: ReadonlySet<TransitionKind>;
  readonly reads: Reads;
  readonly reportsUnknown?: true; // it is asked about unknown outcomes as they are; `onUnknown` is for the others
  plan(transition: Transition, context: PlanContext): Planned;
  /** Whether the log of a container that ended is worth reading; without it, or where neither `run.logs` nor `run.settled` is heard, no. */
  wantsLogs?(context: PlanContext, end: Transition): boolean;
  planDesired(object: Facts, context: DesiredContext): readonly Desired[];
  /** What the bridge wants for itself, whatever there is in the cluster. */
  planOwn?(): readonly Desired[];
  /** What is wrong with the annotations that this destination reads; they never change what it does silently. */
  problems?(object: Facts, namespace: () => NamespaceFacts | undefined): readonly AnnotationProblem[];
  /**
   * What a row becomes when no live object claims it any more, or when the whole bridge is retired; null: it is left as
   * it is; FORGET: nothing is wanted any more.
   */
  retire(wanted: Json, cause: RetireCause): Json | null | typeof FORGET;
  /** How many of the intents that have a `storm` pass; the rest of a window becomes a digest. */
  readonly storm?: StormRules<Intent>;
  /** Whose payload counts when several live objects claim a row; default that of the one that was created first. */
  readonly elect?: 'oldest' | 'newest';
  /** Ms between assertions of an accepted row, which heal what was changed at the vendor; `never`; default a day. */
  readonly assertEveryMs?: number | 'never';
  /** Ms after which the vendor should have nothing for an `unclaimed` row; without it, never. */
  readonly removeAfterMs?: number;
  /** What a claim becomes in a row that was `previous` before, maybe by another object; without it, the claim as it is. */
  adopt?(wanted: Json, previous: Json): Json;
}

/** Everything sharing a hold's limit key (or the destination) waits until it is over; it costs no attempts. */
export interface Hold {
  readonly key: string;
}

export type Delivery =
  | { readonly outcome: 'delivered'; readonly detail?: string }
  | {
      readonly outcome: 'retry';
      readonly reason: Reason;
      readonly detail?: string;
      readonly afterMs?: number;
      readonly hold?: Hold;
      /** Perhaps the vendor fails as a whole: it is held when nothing else of this key gets through between two tries. */
      readonly suspect?: Hold;
      /** The vendor may have acted: the answer was lost, not the request. */
      readonly unknown?: boolean;
    }
  | {
      readonly outcome: 'drop';
      readonly reason: Reason;
      readonly detail?: string;
      /** Of a desired row: every row of the destination is refused alike. After `afterMs` one is tried again. */
      readonly hold?: Hold;
      readonly afterMs?: number;
      /** Of a batch of the journal: the vendor took the batch but for this many, without naming them. It is not sent again. */
      readonly refused?: number;
    };

export interface ClaimedIntent extends Omit<Intent, 'story' | 'keep'> {
  readonly seq: number;
  readonly destination: string;
  readonly transitionId: string;
  /** Number of this try, from 1. */
  readonly attempt: number;
  readonly story?: RunStory;
}

/** What was sent, or may have been; `times`: how often up to then. */
export interface SentIntent {
  readonly payload: Json;
  readonly at: Instant;
  readonly times: number;
}

export interface ClaimedDesired {
  readonly destination: string;
  readonly key: string;
  /** null: the vendor should have nothing under this key. */
  readonly wanted: Json;
  readonly wantedHash: string;
  readonly attempt: number;
}

/** A line of the journal: what happened, or what Kubernetes said, as it was committed. Numbers grow, with gaps. */
export type JournalEntry =
  | { readonly seq: number; readonly transition: Transition; readonly run: Run | undefined }
  /** At its first time, and again when its count reaches 10, 100 and so on; `run`: that of its object, or of its pod. */
  | { readonly seq: number; readonly event: EventFacts; readonly run: Run | undefined };

/** The half of a sink that talks to its vendor. Both return one delivery per row, in the same order, and never throw. */
export interface Deliverer {
  readonly destination: string;
  /** Most rows per call. */
  readonly batch: { readonly intents: number; readonly desired: number };
  readonly convergeAtOnce?: number; // calls for different rows, where the vendor works at one for minutes; default 1
  /** Limits that every converge call of this destination shares. */
  readonly convergeLimits: readonly Limit[];
  deliver(batch: readonly ClaimedIntent[], signal: AbortSignal): Promise<Delivery[]>;
  converge(rows: readonly ClaimedDesired[], signal: AbortSignal): Promise<Delivery[]>;
  /** Before the first `deliver` it is given what was sent in the last `ms`, maybe by the process before: the vendor counts that. */
  readonly recent?: { readonly ms: number; resume(sent: readonly SentIntent[]): void };
  /**
   * Limit keys of what the vendor refused for its credentials and should be asked again now: they are others, more is
   * known of them, or this is the first call. Cheap: asked in each round.
   */
  renewed?(): readonly string[];
  isRefused?(): boolean; // the vendor refuses credentials that may be replaced any moment: `renewed` is asked every second
  /**
   * Asks whether address and credentials are right, and changes nothing at the vendor. The detail of one that is delivered
   * says what they may do. Never throws.
   */
  check?(signal: AbortSignal): Promise<Delivery>;
  /**
   * Follows everything that is committed, in its order: all transitions, and the Events that are kept. `export` is given at
   * most `batch` entries, and the next ones after they are settled; never throws. `limits` are those of every such request.
   */
  readonly journal?: {
    readonly batch: number;
    readonly limits?: readonly Limit[];
    export(entries: readonly JournalEntry[], signal: AbortSignal): Promise<Delivery>;
  };
  /** The bridge says that it works: `send` is called every `intervalMs`, with the key of the row that `planOwn` wants. */
  readonly heartbeat?: { readonly intervalMs: number; send(key: string, signal: AbortSignal): Promise<Delivery> };
  otherMetrics?(): readonly OtherMetric[]; // what another tool counted, by its names; all destinations are added up
  close?(): void; // ends its connections, if it has any of its own
  /** Proves with the least that the vendor lets see that address and key are right; `did`: how far it went. Never throws. */
  test?(signal: AbortSignal): Promise<{ readonly delivery: Delivery; readonly did: string }>;
}

/** A deliverer as the outbox has it: in a dry run it is asked for nothing. */
export interface ConfiguredDeliverer extends Deliverer {
  readonly dryRun: boolean;
}
