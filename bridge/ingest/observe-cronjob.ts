import type { CronJobFacts, Observation } from '../kubernetes/observation.ts';
import type { CronJobState } from '../lifecycle/cronjob.ts';
import { isLive, reduceCronJob } from '../lifecycle/cronjob.ts';
import type { Instant } from '../lib/clock.ts';
import { OWN_CLAIM } from '../store/own-row.ts';
import type { DesiredRules, Tx } from '../store/store.ts';
import { announceOwned } from './announce.ts';
import { noteProblems } from './annotation-problems.ts';
import { catchUp } from './catch-up.ts';
import type { Destination } from './deps.ts';
import type { GuardedPlanner } from './guard.ts';
import { awaitJob } from './infer-run.ts';
import { eachAlone } from './each-alone.ts';
import { isLate } from './late.ts';
import type { UnwrittenVersions } from './state.ts';
import { saveObject, stateOf } from './state.ts';
import { noteUnjudged, watchSchedule } from './watch-schedule.ts';

/** Takes in a CronJob: its desired state at every destination, and the runs that waited for it. */
export function observeCronJob(
  tx: Tx,
  destinations: readonly Destination[],
  unwritten: UnwrittenVersions,
  observation: Observation & { readonly facts: CronJobFacts },
  graceMs: number,
  now: Instant,
): void {
  const row = unwritten.loadFor(tx, observation);
  if (row === undefined && isLate(tx, observation, now)) return;
  const previous = row && stateOf<CronJobState>(row);
  const reduced = reduceCronJob(previous, observation, now);
  const state = awaitJob(tx, destinations, previous, reduced, observation.facts, graceMs, now);
  if (state === previous) return unwritten.toldNothing('CronJob', false);
  const isOver = state.deleted || state.gone !== undefined;
  saveObject(tx, unwritten, row, observation, state, isOver ? now : undefined);
  watchSchedule(tx, previous, state);
  planCronJob(tx, destinations, state, now);
  if (row !== undefined) return;
  for (const run of tx.runsWaitingForOwner(state.facts.uid)) {
    tx.putRun({ run: run.run, memory: announceOwned(tx, destinations, run, now) });
  }
}

/** What follows from a CronJob and the configuration: its desired state everywhere, and what of it cannot be read or judged. */
export function planCronJob(tx: Tx, destinations: readonly Destination[], state: CronJobState, now: Instant): void {
  const unplanned = new Map<string, string>();
  for (const destination of destinations) {
    if (!destination.planner.reads.kinds.has('CronJob')) continue;
    const error = claimRows(tx, destination, state, now);
    if (error !== undefined) unplanned.set(destination.planner.destination, error);
  }
  noteProblems(tx, destinations, state, unplanned, now);
  noteUnjudged(tx, state, now);
}

const PAGE = 500;

/**
 * Plans every live CronJob anew: the configuration may be another one than that of the last start. Facts that an older
 * bridge read may lack what is asked for now; the audit reads them again.
 */
export function replanAll(
  tx: Tx,
  destinations: readonly Destination[],
  unwritten: UnwrittenVersions,
  maxAgeMs: number,
  now: Instant,
): void {
  const returned = tx.destinations.configured(
    destinations.map(({ planner }) => planner.destination),
    now,
  );
  for (const { planner } of destinations) {
    releaseDead(tx, planner, now);
    claimOwn(tx, planner, now);
    if (planner.removeAfterMs === undefined) tx.destinations.keepRemovals(planner.destination);
  }
  let page = tx.liveObjects('CronJob', 0, PAGE);
  for (; page.length > 0; page = tx.liveObjects('CronJob', page.at(-1)!.row, PAGE)) {
    for (const { uid } of page) eachAlone(tx, uid, now, () => replan(tx, destinations, uid, unwritten, now));
  }
  tx.problems.forgetDead();
  for (const one of returned) {
    const to = destinations.find(({ planner }) => planner.destination === one.destination);
    if (to !== undefined) catchUp(tx, to, one, maxAgeMs, now);
  }
}

function replan(
  tx: Tx,
  destinations: readonly Destination[],
  uid: string,
  unwritten: UnwrittenVersions,
  now: Instant,
): void {
  const row = tx.object(uid);
  if (row?.factsSchema === unwritten.schemaOf('CronJob'))
    planCronJob(tx, destinations, stateOf<CronJobState>(row), now);
}

/** CronJobs that went while the destination was not configured: nobody planned that for it. */
function releaseDead(tx: Tx, planner: GuardedPlanner, now: Instant): void {
  const { destination } = planner;
  for (const uid of tx.destinations.deadClaimants(destination, OWN_CLAIM)) {
    tx.claimDesired({ destination, uid, createdAt: 0, alive: false }, [], rulesOf(planner), now);
  }
}

/** What a destination wants for the bridge itself has no object that claims it. */
function claimOwn(tx: Tx, planner: GuardedPlanner, now: Instant): void {
  const claimant = { destination: planner.destination, uid: OWN_CLAIM, createdAt: 0, alive: true };
  const claims = planner.planOwn?.() ?? [];
  if (!('error' in claims)) tx.claimDesired(claimant, claims, rulesOf(planner), now);
}

/** Begins or ends a retirement: every row is wanted anew. */
export function retireAll(tx: Tx, destinations: readonly Destination[], on: boolean, by: string, now: Instant): void {
  tx.setRetired(on, by, now);
  recomputeAll(tx, destinations, now);
}

/** Every row anew from the live CronJobs: whether the bridge is retired may have changed. */
export function recomputeAll(tx: Tx, destinations: readonly Destination[], now: Instant): void {
  for (const { planner } of destinations) tx.recomputeDesired(planner.destination, rulesOf(planner), now);
}

/**
 * The claim is the object's; which of several live ones owns a row's payload is the store's to say. When the planner
 * fails, a live object keeps what it claimed before, a dead one claims nothing more; returns the error.
 */
function claimRows(tx: Tx, { planner }: Destination, state: CronJobState, now: Instant): string | undefined {
  const { facts } = state;
  const { destination } = planner;
  const alive = isLive(state);
  const stickyKey = tx.stickyKey(destination, facts.namespace, facts.name);
  const planned = planner.planDesired(facts, { stickyKey, previous: (key) => tx.wanted(destination, key) });
  const error = 'error' in planned ? planned.error : undefined;
  if (error !== undefined && alive) return error;
  const claims = 'error' in planned ? [] : planned;
  for (const { key, sticky } of claims) {
    if (sticky === true && stickyKey === undefined) tx.setStickyKey(destination, facts.namespace, facts.name, key);
  }
  const claimant = { destination, uid: facts.uid, createdAt: facts.createdAt ?? now, alive };
  tx.claimDesired(claimant, claims, rulesOf(planner), now);
  return error;
}

function rulesOf(planner: GuardedPlanner): DesiredRules {
  return {
    retire: (wanted, cause) => planner.retire(wanted, cause),
    adopt: (wanted, previous) => planner.adopt?.(wanted, previous) ?? wanted,
    removeAfterMs: planner.removeAfterMs,
  };
}
