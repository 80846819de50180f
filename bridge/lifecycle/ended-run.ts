import type { Instant } from '../lib/clock.ts';
import type { RunResult } from './result.ts';
import { errorTypeOf, resultOf } from './result.ts';
import { traceIdOf } from './trace-id.ts';
import type { Attempt, Run, RunKind, RunStatus } from './transition.ts';

/** What runs again and again under one name: a CronJob or a workload; or what ran only once: a Job or a pod. */
export interface Pipeline {
  readonly kind: RunKind;
  readonly namespace: string;
  readonly name: string;
  /** False of a Job or a pod that no CronJob made: the next has another name. */
  readonly recurs: boolean;
}

/** How many runs of a pipeline are in one state. */
export interface ActiveRuns extends Pipeline {
  readonly status: RunStatus;
  readonly count: number;
}

/** A run that is over, as metrics count it. */
export interface EndedRun {
  readonly pipeline: Pipeline;
  readonly traceId: string;
  readonly at: Instant;
  readonly result: RunResult;
  readonly errorType?: string;
  /** Ms from the scheduled time, or the creation, to the start. */
  readonly waitMs?: number;
  /** Ms from the start to the end; absent where the start is not known. */
  readonly runMs?: number;
  /** Pods of a Job; absent where none was seen and its Job does not say it. */
  readonly attempts?: number;
}

/** By the CronJob or the workload of a run; else by what it is itself. */
function pipelineOf({ kind, namespace, name, ownerKind, ownerName, revision }: Run): Pipeline {
  const cronJob = ownerKind === 'CronJob' ? ownerName : undefined;
  return { kind, namespace, name: cronJob ?? name, recurs: cronJob !== undefined || revision !== undefined };
}

/**
 * `attempts`: the pods that were seen; `pods`: how many its Job counts as ended, where that is known. Kubernetes writes
 * whole seconds: no time is negative.
 */
export function endedRun(run: Run, at: Instant, attempts: readonly Attempt[], pods: number | undefined): EndedRun {
  const { kind, revision, scheduledAt, createdAt, startedAt } = run;
  const result = resultOf(run, attempts);
  const errorType = errorTypeOf(run, result);
  const counted = Math.max(pods ?? 0, attempts.length);
  // A rollout starts with its revision, which a rollback finds made long ago.
  const from = revision === undefined ? (scheduledAt ?? createdAt) : undefined;
  return {
    pipeline: pipelineOf(run),
    traceId: traceIdOf(run),
    at,
    result,
    ...(errorType !== undefined && { errorType }),
    ...(from !== undefined && startedAt !== undefined && { waitMs: Math.max(0, startedAt - from) }),
    ...(startedAt !== undefined && { runMs: Math.max(0, at - startedAt) }),
    ...(kind === 'Job' && (pods !== undefined || counted > 0) && { attempts: counted }),
  };
}
