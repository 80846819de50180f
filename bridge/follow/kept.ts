import { planDesired } from '../announce/desired.ts';
import type { Facts, Observation } from '../kubernetes/observation.ts';
import { compareVersions } from '../kubernetes/version.ts';
import type { Instant } from '../lib/clock.ts';
import type { Gone } from '../lifecycle/gone.ts';
import { stillGone } from '../lifecycle/gone.ts';
import type { ObjectRow } from '../store/objects.ts';
import { saveObject, stateOf } from '../turn/object-rows.ts';
import type { Turn } from '../turn/turn.ts';
import { isLate } from './late-records.ts';

/** An object without a lifecycle of its own: planners read its newest facts, or others are judged with them. */
export interface KeptState<F extends Facts = Facts> {
  readonly facts: F;
  readonly deletedAt?: Instant | undefined;
  readonly gone?: Gone | undefined;
}

interface Keeping<F extends Facts> {
  /** What is kept of the facts before. */
  readonly merge?: (previous: F | undefined, facts: F) => F;
  /** It is not found by its owner. */
  readonly isAlone?: boolean;
}

/** Takes in such an object; false when nothing but its version is new. */
export function observeKept<F extends Facts>(
  turn: Turn,
  observation: Observation & { readonly facts: F },
  { merge = newest, isAlone = false }: Keeping<F> = {},
): boolean {
  const { tx, now, unwritten } = turn;
  const row = unwritten.loadFor(tx, observation);
  if (row === undefined && isLate(turn, observation)) return false;
  const previous = row && stateOf<KeptState<F>>(row);
  const { facts, deleted, observedAt } = observation;
  const deletedAt = previous?.deletedAt ?? (deleted ? (facts.deletionAt ?? observedAt) : undefined);
  const state = { facts: merge(previous?.facts, facts), deletedAt, gone: stillGone(previous?.gone, observation) };
  const isOver = deletedAt !== undefined || state.gone !== undefined;
  if (!saveObject(turn, row, observation, state, isOver ? now : undefined, !isAlone)) return false;
  planDesired(turn, state.facts, !isOver);
  return true;
}

function newest<F extends Facts>(previous: F | undefined, facts: F): F {
  const isOlder = previous !== undefined && compareVersions(facts.resourceVersion, previous.resourceVersion) < 0;
  return isOlder ? previous : facts;
}

/** It was missing from LISTs: nothing is wanted for it any more. */
export function loseKept(turn: Turn, row: ObjectRow): void {
  planDesired(turn, stateOf<KeptState>(row).facts, false);
}
