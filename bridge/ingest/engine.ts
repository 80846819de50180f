import type { Observation } from '../kubernetes/observation.ts';
import type { StuckLimits } from '../lifecycle/stall.ts';
import type { Instant } from '../lib/clock.ts';
import type { Planner } from '../sinks/sink.ts';
import type { Store, Tx } from '../store/store.ts';
import { isStoreTrouble } from '../store/trouble.ts';
import { Audit } from './audit.ts';
import type { Batch } from './batch.ts';
import { poisoned } from './batch.ts';
import type { Destination } from './deps.ts';
import type { CountedFailure } from './guard.ts';
import { guarded, PlannerFailures } from './guard.ts';
import { GONE_GRACE_MS } from './gone.ts';
import { observeCronJob, recomputeAll, replanAll, retireAll } from './observe-cronjob.ts';
import { observeJob } from './observe-job.ts';
import { observePod } from './observe-pod.ts';
import { Flow } from './flow.ts';
import type { SchemaOf } from './reading.ts';
import { type Quiet, UnwrittenVersions } from './state.ts';
import { fireTimers } from './timers.ts';
import { watchPod } from './watch-pod.ts';

/** Unwritten versions are written at the latest then; a crash before it costs a second look at stale records. */
const WRITE_BEHIND_MS = 30_000;
const MAX_UNWRITTEN = 10_000;

/** As the configuration's `outbox.maxAge` by default. */
const MAX_AGE_MS = 24 * 3_600_000;

const STUCK_LIMITS: StuckLimits = { unschedulable: 300_000, pending: 600_000 };

export interface Engine {
  /** Reduces and plans all batches in one durable commit; throws only when the store is in trouble. */
  commit(batches: readonly Batch[], now: Instant): { readonly poisoned: number; readonly quiet: readonly Quiet[] };
  /** Begins (or, with `on: false`, ends) a retirement. */
  retire(on: boolean, by: string, now: Instant): void;
  /** Brings the desired rows of a store that came in place of another one in line with it. */
  recovered(now: Instant): void;
  /** Brings everything in line with a configuration that may be a new one. */
  replan(now: Instant): void;
  /** The clock was set by so many ms: what is remembered moves with it. */
  clockSet(ms: number): void;
  /** Fires due timers and writes what was left behind. When to call it next at the latest, timers of the store aside. */
  tick(now: Instant): Instant;
  /** What planners failed at since the last call, each kind of call and destination once. */
  takePlannerFailures(): CountedFailure[];
  readonly audit: Audit;
}

/** A record threw, so nothing of its transaction is left. */
class PoisonError extends Error {}

export interface EngineOptions {
  /** Whether scheduled instants without a Job are judged as missed; a replay of the past has it off. Default on. */
  readonly scheduleTimers?: boolean;
  readonly stuck?: StuckLimits;
  /** How long a run that is gone waits for its ending, and one that a CronJob's status tells for its Job; ms. */
  readonly graceMs?: number;
  /** How long what waits for a destination that left the configuration is kept for its return; ms. */
  readonly maxAgeMs?: number;
  /** The facts schema of each kind; default: as its reader has it. */
  readonly schemaOf?: SchemaOf;
}

/** A destination as it is configured: its planner may throw, which costs nothing but its own decision. */
export type GivenDestination = Omit<Destination, 'planner'> & { readonly planner: Planner };

export function createEngine(store: Store, given: readonly GivenDestination[], options: EngineOptions = {}): Engine {
  const { scheduleTimers = true, stuck = STUCK_LIMITS, graceMs = GONE_GRACE_MS, maxAgeMs = MAX_AGE_MS } = options;
  const failures = new PlannerFailures();
  const destinations = given.map((to) => ({ ...to, planner: guarded(to.planner, failures.add) }));
  const unwritten = new UnwrittenVersions(options.schemaOf);
  const flow = new Flow();
  const audit = new Audit({ store, destinations, unwritten, graceMs });
  let flushedAt = 0;
  const observe = observer(destinations, unwritten, stuck, graceMs);
  const flush = (tx: Tx, now: Instant): boolean => {
    if (unwritten.size < MAX_UNWRITTEN && now - flushedAt < WRITE_BEHIND_MS) return false;
    unwritten.flush(tx);
    flushedAt = now;
    return true;
  };

  return {
    commit(batches, now) {
      const poison = inTwoPasses(store, unwritten, batches, (tx, observation) => observe(tx, observation, now), now);
      for (const { observations } of batches) audit.observed(observations, now);
      for (const { newestAt } of batches) if (newestAt !== undefined) flow.seen(newestAt, now);
      return { poisoned: poison, quiet: unwritten.quiet() };
    },
    retire: (on, by, now) => store.transaction((tx) => retireAll(tx, destinations, on, by, now)),
    recovered: (now) => store.transaction((tx) => recomputeAll(tx, destinations, now)),
    replan: (now) => store.transaction((tx) => replanAll(tx, destinations, unwritten, maxAgeMs, now)),
    clockSet(ms) {
      flushedAt += ms;
      flow.clockSet(ms);
      audit.clockSet(ms);
    },
    tick(now) {
      const fired = fireTimers(store, destinations, flow, { scheduleTimers, stuck, graceMs }, now);
      if (store.transaction((tx) => flush(tx, now))) unwritten.clear();
      const flushAt = unwritten.size === 0 ? Infinity : flushedAt + WRITE_BEHIND_MS;
      return fired ? now : Math.min(flow.nextAt(graceMs, now), flushAt);
    },
    takePlannerFailures: () => failures.take(),
    audit,
  };
}

type Observe = (tx: Tx, observation: Observation, now: Instant) => void;

function observer(
  destinations: readonly Destination[],
  unwritten: UnwrittenVersions,
  stuck: StuckLimits,
  graceMs: number,
): Observe {
  return (tx, { facts, ...rest }, now) => {
    if (facts.kind === 'CronJob') observeCronJob(tx, destinations, unwritten, { ...rest, facts }, graceMs, now);
    else if (facts.kind === 'Job') observeJob(tx, destinations, unwritten, { ...rest, facts }, now);
    else {
      const taken = observePod(tx, destinations, unwritten, { ...rest, facts }, now);
      if (taken !== undefined) watchPod(tx, taken.previous, taken.state, stuck);
    }
  };
}

/** Commits all batches; how many records threw. Two passes at most, however many of them do. */
function inTwoPasses(
  store: Store,
  unwritten: UnwrittenVersions,
  batches: readonly Batch[],
  observe: (tx: Tx, observation: Observation) => void,
  now: Instant,
): number {
  const takeIn =
    (tx: Tx): TakeIn =>
    (observation) => {
      observe(tx, observation);
      if (observation.listed === true) tx.release(observation.facts.uid, observation.facts.resourceVersion);
    };
  try {
    unwritten.atomically(() => store.transaction((tx) => commitAll(tx, batches, takeIn(tx))));
    return 0;
  } catch (error) {
    if (!(error instanceof PoisonError)) throw error;
    return unwritten.atomically(() => store.transaction((tx) => commitEach(tx, batches, takeIn(tx), unwritten, now)));
  }
}

/** How one observation is taken in; throws what the core throws. */
type TakeIn = (observation: Observation) => void;

/** Everything at once, as nearly always: the first record that throws ends it. */
function commitAll(tx: Tx, batches: readonly Batch[], takeIn: TakeIn): void {
  for (const { observations, quarantine } of batches) {
    for (const row of quarantine) tx.quarantine(row);
    for (const observation of observations) {
      try {
        takeIn(observation);
      } catch (error) {
        throw isStoreTrouble(error) ? error : new PoisonError('poison', { cause: error });
      }
    }
  }
}

/** Each record by itself: those that throw are quarantined, and the rest is kept. Returns how many threw. */
function commitEach(
  tx: Tx,
  batches: readonly Batch[],
  takeIn: TakeIn,
  unwritten: UnwrittenVersions,
  now: Instant,
): number {
  let poison = 0;
  for (const { observations, quarantine } of batches) {
    for (const row of quarantine) tx.quarantine(row);
    for (const observation of observations) {
      try {
        unwritten.part(() => tx.attempt(() => takeIn(observation)));
      } catch (error) {
        if (isStoreTrouble(error)) throw error;
        tx.quarantine(poisoned(observation, error, now));
        poison++;
      }
    }
  }
  return poison;
}
