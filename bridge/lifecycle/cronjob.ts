import type { CronJobFacts, Observation } from '../kubernetes/observation.ts';
import { compareVersions } from '../kubernetes/version.ts';

/**
 * The life of a CronJob has no transitions of its own: it is desired state at the vendors.
 *
 *   live (suspended or not) ──DELETED──▶ deleted      (for this UID for good; re-creation is another UID)
 */
export interface CronJobState {
  readonly facts: CronJobFacts;
  readonly deleted: boolean;
}

/** The newest facts; a deletion is final, whatever its version: a UID never comes back. */
export function reduceCronJob(
  previous: CronJobState | undefined,
  { facts, deleted }: Observation & { readonly facts: CronJobFacts },
): CronJobState {
  const order = previous === undefined ? 1 : compareVersions(facts.resourceVersion, previous.facts.resourceVersion);
  if (previous === undefined || order > 0) return { facts, deleted: deleted || previous?.deleted === true };
  return deleted && !previous.deleted ? { facts: previous.facts, deleted } : previous;
}
