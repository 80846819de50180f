import type { Facts, Kind, Observation } from '../kubernetes/observation.ts';
import { compareVersions } from '../kubernetes/version.ts';
import type { Instant } from '../lib/clock.ts';
import { isSameJson } from '../lib/same.ts';
import type { ObjectRow } from '../store/objects.ts';
import type { Turn } from './turn.ts';
import { withVersion } from './unwritten-versions.ts';

/** What a reducer left in its object's row. JSON drops undefined fields, which reads the same. */
export function stateOf<State>(row: ObjectRow): State {
  return row.state as State;
}

/** The facts of an object as its reducer kept them: every state has them. */
export function factsOf<F extends Facts>(row: ObjectRow): F {
  return stateOf<{ readonly facts: F }>(row).facts;
}

/**
 * Writes an object's row, with `overAt` as one that is deleted; false when nothing but its version changed, which is only
 * remembered. `isOwned`: it is found by its owner.
 */
export function saveObject(
  turn: Turn,
  previous: ObjectRow | undefined,
  { facts }: Observation,
  state: { readonly facts: Facts },
  overAt: Instant | undefined,
  isOwned = true,
): boolean {
  const { tx, unwritten } = turn;
  const row: ObjectRow = {
    uid: facts.uid,
    kind: facts.kind satisfies Kind,
    namespace: facts.namespace,
    name: facts.name,
    ownerUid: isOwned ? state.facts.owner?.uid : undefined,
    version: state.facts.resourceVersion,
    deleted: overAt !== undefined,
    overAt,
    factsSchema: schemaAfter(previous, facts, unwritten.schemaOf(facts.kind)),
    state,
  };
  if (previous !== undefined && sameButVersion(previous, row)) {
    unwritten.saidNothing(row.kind, previous.version !== row.version);
    if (previous.version !== row.version) unwritten.set(row.uid, row.version);
    return false;
  }
  unwritten.forget(row.uid);
  tx.objects.put(row);
  return true;
}

/** An older observation leaves the facts as they were read before. */
function schemaAfter(previous: ObjectRow | undefined, { resourceVersion }: Facts, schema: number): number {
  const isNewer = previous === undefined || compareVersions(resourceVersion, previous.version) > 0;
  return isNewer ? schema : (previous.factsSchema ?? schema);
}

function sameButVersion(a: ObjectRow, b: ObjectRow): boolean {
  return a.factsSchema === b.factsSchema && isSameJson(a.state, withVersion(b, a.version).state);
}
