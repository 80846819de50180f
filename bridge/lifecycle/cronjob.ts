import type { CronJobFacts, Observation } from '../kubernetes/observation.ts';
import { compareVersions } from '../kubernetes/version.ts';
import type { Expectation } from './schedule-watch.ts';
import { expectation } from './schedule-watch.ts';

/**
 * The life of a CronJob has no transitions of its own: it is desired state at the vendors. What it should have started
 * is watched beside it (schedule-watch.ts).
 *
 *   live (suspended or not) ──DELETED──▶ deleted      (for this UID for good; re-creation is another UID)
 */
export interface CronJobState {
  readonly facts: CronJobFacts;
  readonly deleted: boolean;
  /** The scheduled instant that is waited for; none while it is suspended or cannot be scheduled. */
  readonly expected?: Expectation | undefined;
}

/** The newest facts; a deletion is final, whatever its version: a UID never comes back. */
export function reduceCronJob(
  previous: CronJobState | undefined,
  { facts, deleted: removed, observedAt }: Observation & { readonly facts: CronJobFacts },
): CronJobState {
  const order = previous === undefined ? 1 : compareVersions(facts.resourceVersion, previous.facts.resourceVersion);
  if (previous !== undefined && order <= 0) {
    return removed && !previous.deleted ? { facts: previous.facts, deleted: true } : previous;
  }
  const deleted = removed || previous?.deleted === true;
  return { facts, deleted, expected: deleted ? undefined : expectation(previous, facts, observedAt) };
}
