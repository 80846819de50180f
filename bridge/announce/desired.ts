import type { Facts } from '../kubernetes/observation.ts';
import type { DesiredContext } from '../sinks/sink.ts';
import { namespaceOf, ownersOf, seenFacts } from './known-run.ts';
import { OWN_CLAIM } from '../store/desired.ts';
import type { DesiredRules } from '../store/desired.ts';
import type { Destination } from '../turn/destination.ts';
import { reads } from '../turn/destination.ts';
import type { GuardedPlanner } from '../turn/guarded-planner.ts';
import type { Turn } from '../turn/turn.ts';
import { isAwaited } from './await-namespace.ts';
import { noteProblems } from './annotation-problems.ts';

/**
 * What every destination that reads such objects wants for one as it is now, and what of it they cannot read or plan.
 * `alive`: not deleted, nor being deleted where that ends it already. `atStart`: the configuration may be another one, and a
 * destination that reads no such objects any more gives up what it wanted for this one.
 */
export function planDesired(turn: Turn, facts: Facts, alive: boolean, atStart = false): void {
  const concerned = atStart ? turn.destinations : turn.destinations.filter((to) => reads(to, facts.kind));
  if (concerned.length === 0 && !atStart) return;
  const unplanned = new Map<string, string>();
  for (const destination of concerned) {
    const error = claimRows(turn, destination, facts, alive);
    if (error !== undefined) unplanned.set(destination.planner.destination, error);
  }
  noteProblems(turn, facts, alive, unplanned);
}

/** What the configuration wants by itself, and what objects claimed that went while a destination was not in it. */
export function planOwn(turn: Turn): void {
  for (const { planner } of turn.destinations) {
    releaseDead(turn, planner);
    claimOwn(turn, planner);
    if (planner.removeAfterMs === undefined) turn.tx.destinations.keepRemovals(planner.destination);
  }
}

/** Objects that were deleted while the destination was not configured, which was not planned for it. */
function releaseDead(turn: Turn, planner: GuardedPlanner): void {
  const { tx, now } = turn;
  const { destination } = planner;
  for (const uid of tx.destinations.deadClaimants(destination, OWN_CLAIM)) {
    tx.desired.claim({ destination, uid, createdAt: 0, alive: false }, [], rulesOf(planner), now);
  }
}

/** What a destination wants for the bridge itself has no object that claims it. */
function claimOwn(turn: Turn, planner: GuardedPlanner): void {
  const { tx, now } = turn;
  const claimant = { destination: planner.destination, uid: OWN_CLAIM, createdAt: 0, alive: true };
  const claims = planner.planOwn?.() ?? [];
  if (!('error' in claims)) tx.desired.claim(claimant, claims, rulesOf(planner), now);
}

/** Begins or ends a retirement: every row is recomputed. */
export function retireAll(turn: Turn, on: boolean, by: string): void {
  const { tx, now } = turn;
  tx.retirement.set(on, by, now);
  recomputeAll(turn);
}

/** Recomputes every row from the live objects: whether the bridge is retired may have changed. */
export function recomputeAll(turn: Turn): void {
  const { tx, now, destinations } = turn;
  for (const { planner } of destinations) tx.desired.recompute(planner.destination, rulesOf(planner), now);
}

/**
 * Which of several live objects decides a row's payload, the store says. When the planner
 * fails, a live object keeps what it claimed before, a dead one claims nothing more; returns the error.
 */
function claimRows(turn: Turn, to: Destination, facts: Facts, alive: boolean): string | undefined {
  const { tx, now } = turn;
  const { planner } = to;
  const { destination } = planner;
  const stickyKey = tx.desired.stickyKey(destination, facts);
  const context: DesiredContext = {
    now,
    stickyKey,
    previous: (key) => tx.desired.wanted(destination, key),
    claims: () => tx.desired.claimsOf(destination, facts.uid),
    facts: (uid) => seenFacts(tx, uid),
    owners: () => ownersOf(tx, facts.owner?.uid),
    namespace: () => namespaceOf(tx, facts.namespace),
  };
  const planned = reads(to, facts.kind) ? planOrKeep(turn, to, facts, context) : [];
  const error = 'error' in planned ? planned.error : undefined;
  if (error !== undefined && alive) return error;
  const claims = 'error' in planned ? [] : planned;
  for (const { key, sticky } of claims) {
    if (sticky === true && stickyKey === undefined) tx.desired.setStickyKey(destination, facts, key);
  }
  const claimant = { destination, uid: facts.uid, createdAt: facts.createdAt ?? now, alive };
  tx.desired.claim(claimant, claims, rulesOf(planner), now);
  return error;
}

/**
 * While the namespace is not seen whose labels decide, what was claimed stays; when it is, this is planned again. What waits
 * for it two minutes, with nothing that was claimed, is planned without.
 */
function planOrKeep(turn: Turn, to: Destination, facts: Facts, context: DesiredContext) {
  const { kind, namespace } = facts;
  const isByLabels = to.planner.reads.needsNamespace === 'always' && kind !== 'Namespace';
  const isStanding = namespace === turn.unseen && context.claims().length > 0;
  return isByLabels && (isStanding || isAwaited(turn, to, namespace))
    ? context.claims()
    : to.planner.planDesired(facts, context);
}

function rulesOf(planner: GuardedPlanner): DesiredRules {
  return {
    retire: (wanted, cause) => planner.retire(wanted, cause),
    adopt: (wanted, previous) => planner.adopt?.(wanted, previous) ?? wanted,
    removeAfterMs: planner.removeAfterMs,
    elect: planner.elect,
    assertEveryMs: planner.assertEveryMs,
  };
}
