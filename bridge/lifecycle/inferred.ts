import { scheduledJobName } from '../kubernetes/metadata.ts';
import type { CronJobFacts, JobFacts } from '../kubernetes/observation.ts';
import { UNKNOWN_VERSION } from '../kubernetes/version.ts';
import type { Instant } from '../lib/clock.ts';
import type { Ending, JobState, JobStep } from './job.ts';
import { concludeJob, runTransition } from './job.ts';
import { nextOf } from './schedule-watch.ts';

/**
 * A scheduled instant that the status of a CronJob reports and whose Job was not seen:
 *
 *   lastScheduleTime S ──▶ awaited ─┬─Job of S seen───────────────────────────────────▶ (a run as any)
 *                                   └─grace over, not active any more ──▶ started at S ─┬─proven──▶ succeeded (inferred)
 *                                                                                       └─else────▶ unknown
 *
 * From then on it is treated as a Job that is gone: if a record of the real Job comes, it brings the real ending (job.ts).
 */
export interface Awaited {
  /** The scheduled instant. */
  readonly at: Instant;
  /** When it was noticed. */
  readonly since: Instant;
  readonly uid?: string | undefined;
  /** Every `lastSuccessfulTime` from S on that was seen while no later instant was scheduled. */
  readonly successes: readonly Instant[];
}

/** Adds what one version of the status says of its `lastScheduleTime` to what is known; versions come in any order. */
export function noticeRun(known: Awaited | undefined, facts: CronJobFacts, at: Instant, now: Instant): Awaited {
  const { lastSuccessfulAt: success, lastJobUid } = facts;
  const { since = now, successes = [] } = known ?? {};
  const isNew = success !== undefined && success >= at && !successes.includes(success);
  return { at, since, uid: known?.uid ?? lastJobUid, successes: isNew ? [...successes, success] : successes };
}

/**
 * When the run of an awaited instant succeeded, if the status proves it: exactly one success is left that no other run
 * can have had. An unseen run by hand cannot be ruled out; a scheduled one can, if the instant before is known.
 */
export function provenEnd(facts: CronJobFacts, awaited: Awaited, others: readonly JobState[]): Instant | undefined {
  const scheduled = others.flatMap((other) => other.facts.scheduledAt ?? []).filter((at) => at < awaited.at);
  const last = scheduled.length === 0 ? undefined : Math.max(...scheduled);
  const before = last ?? facts.createdAt;
  if (before === undefined || nextOf({ ...facts, lastScheduleAt: last }, before) !== awaited.at) return undefined;
  const own = awaited.successes.filter((at) => !others.some((other) => mayHaveSucceeded(other, at)));
  return own.length === 1 ? own[0] : undefined;
}

function mayHaveSucceeded({ facts, ended }: JobState, at: Instant): boolean {
  if (facts.createdAt !== undefined && facts.createdAt > at) return false;
  if (ended === undefined) return true;
  // It ended before, however it did.
  if (ended.outcome === 'unknown') return ended.at >= at;
  return ended.outcome === 'succeeded' && ended.at === at;
}

interface InferredAs {
  readonly uid: string;
  readonly runKey: string;
  readonly succeededAt: Instant | undefined;
  readonly now: Instant;
}

/** The run of an awaited instant, concluded from the status alone, under `uid`. */
export function inferRun(cronJob: CronJobFacts, at: Instant, { uid, runKey, succeededAt, now }: InferredAs): JobStep {
  const started: JobState = {
    facts: unseenJob(cronJob, uid, at),
    deletedAt: undefined,
    startedAt: at,
    suspended: false,
    suspensions: 0,
    ended: undefined,
    // Its CronJob's status says in this version that it is not active any more: what is older does not bring it back.
    gone: { at: now, version: cronJob.resourceVersion },
  };
  const why = { reason: undefined, message: undefined };
  const ending: Ending =
    succeededAt === undefined
      ? { outcome: 'unknown', at: now, ...why }
      : { outcome: 'succeeded', at: succeededAt, inferred: true, ...why };
  const start = runTransition(started, runKey, 'run.started', at, "started, by its CronJob's status");
  const { state, transitions } = concludeJob(started, runKey, ending);
  return { state, transitions: [{ ...start, inferred: true }, ...transitions] };
}

/** Older than any record of the real Job. */
function unseenJob({ namespace, name, uid: ownerUid }: CronJobFacts, uid: string, at: Instant): JobFacts {
  return {
    kind: 'Job',
    uid,
    namespace,
    name: scheduledJobName(name, at),
    resourceVersion: UNKNOWN_VERSION,
    createdAt: at,
    deletionAt: undefined,
    owner: { group: 'batch', kind: 'CronJob', name, uid: ownerUid },
    labels: {},
    annotations: {},
    scheduledAt: at,
    manual: false,
    suspend: false,
    startAt: at,
    completionAt: undefined,
    conditions: [],
    parallelism: undefined,
    completions: undefined,
    indexed: false,
    backoffLimit: undefined,
    active: 0,
    succeeded: 0,
    failed: 0,
  };
}
