import type { ObjectFacts, Observation } from '../kubernetes/observation.ts';
import { compareVersions, isUnknownVersion } from '../kubernetes/version.ts';
import type { Instant } from '../lib/clock.ts';

interface Known<F extends ObjectFacts> {
  readonly facts: F;
  readonly deletedAt: Instant | undefined;
}

/** What is known of an object after one more observation. */
export interface Merged<F extends ObjectFacts> {
  /** Newer than all before; the deletion is newer than a record of the same version. */
  readonly isNewer: boolean;
  /** The newest facts. */
  readonly latest: F;
  /** A deletion is final, whatever its version, since a UID never comes back. */
  readonly deletedAt: Instant | undefined;
}

/** Merges an observation, which may be older, into what is known of its object. */
export function mergeRecord<F extends ObjectFacts>(
  previous: Known<F> | undefined,
  { facts, deleted, observedAt }: Observation<ObjectFacts> & { readonly facts: F },
): Merged<F> {
  if (previous === undefined) {
    return { isNewer: true, latest: facts, deletedAt: deleted ? (facts.deletionAt ?? observedAt) : undefined };
  }
  const known = isUnknownVersion(previous.facts.resourceVersion) ? undefined : previous.deletedAt;
  const order = compareVersions(facts.resourceVersion, previous.facts.resourceVersion);
  const isNewer = order > 0 || (order === 0 && deleted && known === undefined);
  return {
    isNewer,
    latest: isNewer ? facts : previous.facts,
    deletedAt: known ?? (deleted ? (facts.deletionAt ?? observedAt) : undefined),
  };
}
