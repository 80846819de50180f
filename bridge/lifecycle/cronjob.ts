import type { CronJobFacts, Observation } from '../kubernetes/observation.ts';
import { compareVersions, isUnknownVersion } from '../kubernetes/version.ts';
import type { Instant } from '../lib/clock.ts';
import type { Gone } from './gone.ts';
import { stillGone } from './gone.ts';
import type { Awaited } from './inferred.ts';
import type { Watch } from './schedule-watch.ts';
import { watchFrom } from './schedule-watch.ts';

/**
 * The life of a CronJob has no transitions of its own: it is desired state at the vendors. schedule-watch.ts watches what
 * it should have started.
 *
 *   live (suspended or not) ──deletionTimestamp──▶ being deleted ──DELETED──▶ deleted   (for this UID for good;
 *      │                                                                                  re-creation is another UID)
 *      └──missing from LISTs──▶ gone ──seen again──▶ live
 *
 * While it is being deleted (in the foreground, or held by a finalizer) it may stay for hours and starts nothing any
 * more: a deletionTimestamp is never taken back.
 */
export interface CronJobState extends Watch {
  readonly facts: CronJobFacts;
  readonly deleted: boolean;
  readonly gone?: Gone | undefined;
  /** Scheduled instants that its status reported and whose Jobs were not seen yet. */
  readonly awaited?: readonly Awaited[] | undefined;
}

/** True for a CronJob that may still start runs: it is not deleted, gone or being deleted. */
export function isLive({ facts, deleted, gone }: CronJobState): boolean {
  return !deleted && gone === undefined && facts.deletionAt === undefined;
}

/** The newest facts; a deletion is final, whatever its version: a UID never comes back. */
export function reduceCronJob(
  previous: CronJobState | undefined,
  observation: Observation & { readonly facts: CronJobFacts },
  now: Instant,
): CronJobState {
  const { facts, deleted } = observation;
  const order = previous === undefined ? 1 : compareVersions(facts.resourceVersion, previous.facts.resourceVersion);
  const gone = stillGone(previous?.gone, observation);
  const wasDeleted = previous?.deleted === true && !isUnknownVersion(previous.facts.resourceVersion);
  if (previous === undefined || order > 0) {
    const over = deleted || wasDeleted;
    const known = previous?.gone === undefined ? previous : undefined;
    const watch = over ? undefined : watchFrom(known, facts, observation.observedAt, now);
    return { facts, deleted: over, gone, awaited: previous?.awaited, ...watch };
  }
  if (deleted === previous.deleted && gone === previous.gone) return previous;
  const over = deleted || previous.deleted;
  const isBack = previous.gone !== undefined && gone === undefined && !over;
  const watch = isBack ? watchFrom(undefined, previous.facts, observation.observedAt, now) : undefined;
  return { facts: previous.facts, deleted: over, gone, awaited: previous.awaited, ...watch };
}
