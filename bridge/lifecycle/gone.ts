import type { CronJobFacts, JobFacts, ObjectFacts, Observation } from '../kubernetes/observation.ts';
import { compareVersions } from '../kubernetes/version.ts';
import type { Instant } from '../lib/clock.ts';

/**
 * Two LISTs in a row lacked the object. That is true of the cluster, but it is no ending: the record with the real one
 * may still lie in the Collector's queue.
 */
export interface Gone {
  readonly at: Instant;
  /** resourceVersion of the LIST that lacked it. */
  readonly version: string;
}

/** What is left of `gone` after an observation: a LIST that has it, or a record newer than that LIST, takes it back. */
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
