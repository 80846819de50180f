import { ALWAYS } from '../kubernetes/followed.ts';
import type { EventFacts } from '../kubernetes/kinds/event.ts';
import type { Kind, Observation } from '../kubernetes/observation.ts';
import type { Instant } from '../lib/clock.ts';
import type { Planner } from '../sinks/sink.ts';
import type { Store } from '../store/store.ts';
import { StoreTrouble } from '../store/trouble.ts';
import { Audit } from './audit/audit.ts';
import type { Batch } from './batch.ts';
import { poisoned } from '../turn/quarantined.ts';
import type { Destination } from '../turn/destination.ts';
import type { CountedFailure } from '../turn/guarded-planner.ts';
import { guarded, PlannerFailures } from '../turn/guarded-planner.ts';
import { GONE_GRACE_MS } from '../follow/gone.ts';
import { recomputeAll, retireAll } from '../announce/desired.ts';
import { replanAll } from '../follow/replan.ts';
import { observeEvent } from '../follow/event.ts';
import { observe } from '../follow/table.ts';
import { followKinds } from '../follow/unwatched.ts';
import { StreamProgress } from './stream-progress.ts';
import type { SchemaOf } from '../kubernetes/kinds.ts';
import { type Quiet, UnwrittenVersions } from '../turn/unwritten-versions.ts';
import { fireTimers } from './timers.ts';
import type { InTurn, Limits, Turn } from '../turn/turn.ts';

/** As the configuration has them by default: `stuck`, `cluster.audit.grace`, `outbox.maxAge`, `firstSight.lookback`. */
const LIMITS: Limits = {
  stuck: { unschedulable: 300_000, pending: 600_000 },
  graceMs: GONE_GRACE_MS,
  maxAgeMs: 24 * 3_600_000,
  lookbackMs: 15 * 60_000,
};

export interface Engine {
  /** Reduces and plans all batches in one durable commit; throws only when the store is in trouble. */
  commit(batches: readonly Batch[], now: Instant): { readonly poisoned: number; readonly quiet: readonly Quiet[] };
  /** Begins (or, with `on: false`, ends) a retirement. */
  retire(on: boolean, by: string, now: Instant): void;
  /** Brings the desired rows of a store that came in place of another one in line with it. */
  recovered(now: Instant): void;
  /** Brings everything in line with a configuration that may be a new one. */
  replan(now: Instant): void;
  /** The clock was set by `ms`: what is remembered moves with it. */
  clockSet(ms: number): void;
  /** Fires due timers and writes what was left behind. When to call it next at the latest, timers of the store aside. */
  tick(now: Instant): Instant;
  /** What planners failed at since the last call, each kind of call and destination once. */
  takePlannerFailures(): CountedFailure[];
  readonly audit: Audit;
}

export interface EngineOptions extends Partial<Limits> {
  /** Whether scheduled instants without a Job are judged as missed; a replay of the past has it off. Default on. */
  readonly scheduleTimers?: boolean;
  /** What is followed; default what always is. */
  readonly kinds?: readonly Kind[];
  /** The facts schema of each kind; default: as its reader has it. */
  readonly schemaOf?: SchemaOf;
}

/** A destination as it is configured: its planner may throw, which costs nothing but its own decision. */
export type GivenDestination = Omit<Destination, 'planner'> & { readonly planner: Planner };

export function createEngine(
  store: Store,
  configured: readonly GivenDestination[],
  options: EngineOptions = {},
): Engine {
  const { scheduleTimers = true, kinds = ALWAYS, schemaOf, ...given } = options;
  const limits: Limits = { ...LIMITS, ...given };
  const { graceMs } = limits;
  const failures = new PlannerFailures();
  const destinations = configured.map((to) => ({ ...to, planner: guarded(to.planner, failures.add) }));
  const unwritten = new UnwrittenVersions(schemaOf);
  const followed = new Set(kinds);
  const same = { destinations, kinds: followed, unwritten, limits, judges: scheduleTimers };
  const inTurn: InTurn = (now, work) => store.transaction((tx) => work({ tx, now, ...same }));
  const progress = new StreamProgress();
  const audit = new Audit(store, kinds, unwritten, inTurn);

  return {
    commit(batches, now) {
      const poison = inTwoPasses(inTurn, unwritten, batches, now);
      for (const { observations } of batches) audit.observed(observations, now);
      for (const { newestAt, isExport } of batches) if (newestAt !== undefined) progress.seen(newestAt, now, isExport);
      return { poisoned: poison, quiet: unwritten.quiet() };
    },
    retire: (on, by, now) => inTurn(now, (turn) => retireAll(turn, on, by)),
    recovered: (now) => inTurn(now, recomputeAll),
    replan: (now) => inTurn(now, (turn) => (replanAll(turn), followKinds(turn))),
    clockSet(ms) {
      unwritten.clockSet(ms);
      progress.clockSet(ms);
      audit.clockSet(ms);
    },
    tick(now) {
      const isLeft = fireTimers(inTurn, progress, { scheduleTimers, graceMs }, now);
      if (unwritten.isFlushDue(now)) flush(inTurn, unwritten, now);
      return isLeft ? now : Math.min(progress.nextAt(graceMs, now), unwritten.flushAt());
    },
    takePlannerFailures: () => failures.take(),
    audit,
  };
}

function flush(inTurn: InTurn, unwritten: UnwrittenVersions, now: Instant): void {
  inTurn(now, ({ tx }) => unwritten.flush(tx, now));
  unwritten.clear();
}

type AnyObservation = Observation | Observation<EventFacts>;

/** Takes in one record; what of it was in quarantine is processed with it. */
function takeIn(turn: Turn, observation: AnyObservation): void {
  if (isEvent(observation)) observeEvent(turn, observation);
  else observe(turn, observation);
  const { uid, resourceVersion } = observation.facts;
  if (observation.listed === true) turn.tx.quarantine.release(uid, resourceVersion);
}

function isEvent(observation: AnyObservation): observation is Observation<EventFacts> {
  return observation.facts.kind === 'Event';
}

/** Its objects, then its Events. */
function* all({ observations, events = [] }: Batch): Generator<AnyObservation> {
  yield* observations;
  yield* events;
}

/** Commits all batches; how many records threw. Two passes at most, however many of them do. */
function inTwoPasses(inTurn: InTurn, unwritten: UnwrittenVersions, batches: readonly Batch[], now: Instant): number {
  try {
    unwritten.atomically(() => inTurn(now, (turn) => commitAll(turn, batches)));
    return 0;
  } catch (error) {
    // A record threw, maybe only at the end, when its rows were written: nothing of the transaction is left.
    if (error instanceof StoreTrouble) throw error;
    return unwritten.atomically(() => inTurn(now, (turn) => commitEach(turn, batches)));
  }
}

/** Everything at once, as nearly always: the first record that throws ends it. */
function commitAll(turn: Turn, batches: readonly Batch[]): void {
  for (const batch of batches) {
    for (const row of batch.quarantine) turn.tx.quarantine.put(row);
    for (const observation of all(batch)) takeIn(turn, observation);
  }
}

/** Each record by itself: those that throw are quarantined, and the rest is kept. Returns how many threw. */
function commitEach(turn: Turn, batches: readonly Batch[]): number {
  const { tx, now, unwritten } = turn;
  let poison = 0;
  for (const batch of batches) {
    for (const row of batch.quarantine) tx.quarantine.put(row);
    for (const observation of all(batch)) {
      try {
        unwritten.part(() => tx.attempt(() => takeIn(turn, observation)));
      } catch (error) {
        if (error instanceof StoreTrouble) throw error;
        tx.quarantine.put(poisoned(observation, error, now));
        poison++;
      }
    }
  }
  return poison;
}
