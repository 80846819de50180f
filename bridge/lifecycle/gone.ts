import type { CronJobFacts, JobFacts, ObjectFacts, Observation } from '../kubernetes/observation.ts';
import { compareVersions } from '../kubernetes/version.ts';
import type { Instant } from '../lib/clock.ts';

/**
 * The object was missing from two LISTs in a row. It does not exist any more, but how it ended is not known: the record
 * with the real ending may still be in the Collector's queue.
 */
export interface Gone {
  readonly at: Instant;
  /** resourceVersion of the LIST that it was missing from. */
  readonly version: string;
}

/** `gone` after an observation: undefined again when a LIST has the object, or a record is newer than that LIST. */
export function stillGone(gone: Gone | undefined, { listed, facts }: Observation<ObjectFacts>): Gone | undefined {
  if (gone === undefined || listed === true) return undefined;
  return compareVersions(facts.resourceVersion, gone.version) > 0 ? undefined : gone;
}

/**
 * When a Job that is gone succeeded, if the status of its CronJob proves it: the last success is at or after its start,
 * is not that of another known run (`otherEnds`), and no later run can have made it. Undefined: not known.
 */
export function provenSuccess(
  job: Pick<JobFacts, 'scheduledAt'>,
  startedAt: Instant | undefined,
  cronJob: CronJobFacts | undefined,
  otherEnds: readonly Instant[],
): Instant | undefined {
  const { lastScheduleAt, lastSuccessfulAt, activeUids = [] } = cronJob ?? {};
  if (startedAt === undefined || lastSuccessfulAt === undefined || lastSuccessfulAt < startedAt) return undefined;
  if (otherEnds.includes(lastSuccessfulAt)) return undefined;
  const last = job.scheduledAt !== undefined && lastScheduleAt === job.scheduledAt;
  const noneLater = activeUids.length === 0 && (lastScheduleAt ?? 0) <= startedAt;
  return last || noneLater ? lastSuccessfulAt : undefined;
}
