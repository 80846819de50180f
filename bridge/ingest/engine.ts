import type { Observation } from '../kubernetes/observation.ts';
import type { Instant } from '../lib/clock.ts';
import type { Store, Timer, Tx } from '../store/store.ts';
import { isStoreTrouble } from '../store/trouble.ts';
import { Audit } from './audit.ts';
import type { Batch } from './batch.ts';
import { poisoned, stuckTimer } from './batch.ts';
import type { Destination } from './deps.ts';
import { observeCronJob, retireAll } from './observe-cronjob.ts';
import { GONE_GRACE_MS, settleGone } from './gone.ts';
import { observeJob, settleReplacement } from './observe-job.ts';
import { observePod } from './observe-pod.ts';
import { type Quiet, UnwrittenVersions } from './state.ts';

/** Unwritten versions are written at the latest then; a crash before it costs a second look at stale records. */
const WRITE_BEHIND_MS = 30_000;
const MAX_UNWRITTEN = 10_000;

export interface Engine {
  /** Reduces and plans all batches in one durable commit; throws only when the store is in trouble. */
  commit(batches: readonly Batch[], now: Instant): { readonly poisoned: number; readonly quiet: readonly Quiet[] };
  /** Begins (or, with `on: false`, ends) a retirement. */
  retire(on: boolean, by: string, now: Instant): void;
  /** Fires due timers and writes what was left behind. True when a timer was due. */
  tick(now: Instant): boolean;
  readonly audit: Audit;
}

class PoisonError extends Error {
  readonly observation: Observation;
  constructor(observation: Observation, cause: unknown) {
    super('poison', { cause });
    this.observation = observation;
  }
}

export function createEngine(
  store: Store,
  destinations: readonly Destination[],
  graceMs: number = GONE_GRACE_MS,
): Engine {
  const unwritten = new UnwrittenVersions();
  const audit = new Audit({ store, destinations, unwritten, graceMs });
  let flushedAt = 0;

  const observe = (tx: Tx, { facts, ...rest }: Observation, now: Instant): void => {
    if (facts.kind === 'CronJob') observeCronJob(tx, destinations, unwritten, { ...rest, facts }, now);
    else if (facts.kind === 'Job') observeJob(tx, destinations, unwritten, { ...rest, facts }, now);
    else observePod(tx, destinations, unwritten, { ...rest, facts }, now);
  };
  const flush = (tx: Tx, now: Instant): boolean => {
    if (unwritten.size < MAX_UNWRITTEN && now - flushedAt < WRITE_BEHIND_MS) return false;
    unwritten.flush(tx);
    flushedAt = now;
    return true;
  };

  return {
    commit(batches, now) {
      const poison = new Map<Observation, unknown>();
      const once = (tx: Tx): void => commitOnce(tx, batches, poison, observe, now);
      while (!committed(() => unwritten.atomically(() => store.transaction(once)), poison));
      for (const { observations } of batches) audit.observed(observations, now);
      return { poisoned: poison.size, quiet: unwritten.quiet() };
    },
    retire(on, by, now) {
      store.transaction((tx) => retireAll(tx, destinations, on, by, now));
    },
    tick(now) {
      const timers = store.transaction((tx) => tx.dueTimers(now));
      for (const timer of timers) fire(store, destinations, timer, now);
      if (store.transaction((tx) => flush(tx, now))) unwritten.clear();
      return timers.length > 0;
    },
    audit,
  };
}

/** False when a record threw: it is in `poison` now. */
function committed(transaction: () => void, poison: Map<Observation, unknown>): boolean {
  try {
    transaction();
    return true;
  } catch (error) {
    if (!(error instanceof PoisonError)) throw error;
    poison.set(error.observation, error.cause);
    return false;
  }
}

/** In a transaction of its own: a run that cannot be processed must not hold up the others for ever. */
function fire(store: Store, destinations: readonly Destination[], { id, kind, uid }: Timer, now: Instant): void {
  const settle = kind === 'gone' ? settleGone : settleReplacement;
  try {
    store.transaction((tx) => settle(tx, destinations, uid, now));
  } catch (error) {
    if (isStoreTrouble(error)) throw error;
    store.transaction((tx) => {
      tx.clearTimer(id);
      tx.quarantine(stuckTimer(uid, error, now));
    });
  }
}

/** One try of a commit: a record that throws ends it, and the next try quarantines that record and keeps the rest. */
function commitOnce(
  tx: Tx,
  batches: readonly Batch[],
  poison: ReadonlyMap<Observation, unknown>,
  observe: (tx: Tx, observation: Observation, now: Instant) => void,
  now: Instant,
): void {
  for (const { observations, quarantine } of batches) {
    for (const row of quarantine) tx.quarantine(row);
    for (const observation of observations) {
      if (poison.has(observation)) {
        tx.quarantine(poisoned(observation, poison.get(observation), now));
        continue;
      }
      try {
        observe(tx, observation, now);
      } catch (error) {
        if (isStoreTrouble(error)) throw error;
        throw new PoisonError(observation, error);
      }
    }
  }
}
