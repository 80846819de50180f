import type { JobFacts } from '../kubernetes/observation.ts';
import type { Attempt, Outcome, Run, RunStatus, Transition } from './transition.ts';
import { isAttemptOver, objectOf } from './transition.ts';

/** How a run can be over. One that never started was not a run, and a scheduled time without a Job is not one. */
const OUTCOMES: ReadonlySet<RunStatus> = new Set<Outcome>([
  'succeeded',
  'failed',
  'cancelled',
  'replaced',
  'superseded',
  'rolled_back',
  'unknown',
]);

/** The outcome of a run that is over; undefined while it goes on, and of what was not a run. */
export function outcomeOf({ status, endedAt }: Run): Outcome | undefined {
  return endedAt !== undefined && OUTCOMES.has(status) ? (status as Outcome) : undefined;
}

/** Whether every pod that was seen of a run is over, and there are as many as its Job counts as ended. */
export function arePodsKnown(attempts: readonly Attempt[], job?: Pick<JobFacts, 'succeeded' | 'failed'>): boolean {
  const { succeeded = 0, failed = 0 } = job ?? {};
  const over = attempts.filter(isAttemptOver);
  return over.length === attempts.length && over.length >= succeeded + failed;
}

/** What was not known of a run when it settled, because the wait for it was over. */
export interface Unsettled {
  readonly pods: boolean;
  readonly logs: boolean;
}

/**
 * Reports that nothing more is expected of a run that is over: its end, its pods and its logs are known or were given up.
 * `settledAs`: the outcome with which it settled before. Undefined while it is not over, and when the outcome is the same
 * again. Its time is the last end of the run and its pods; a pod that is gone has none.
 */
export function settledTransition(
  run: Run,
  attempts: readonly Attempt[],
  missing: Unsettled,
  settledAs: Outcome | undefined,
): Transition | undefined {
  const outcome = outcomeOf(run);
  if (outcome === undefined || outcome === settledAs) return undefined;
  const id = `${run.runKey}/settled`;
  return {
    id: settledAs === undefined ? id : `${id}/${outcome}`,
    kind: 'run.settled',
    at: attempts.reduce((last, { endedAt = 0 }) => Math.max(last, endedAt), run.endedAt ?? 0),
    about: objectOf(run),
    runUid: run.uid,
    text: settledText(missing),
    outcome,
    ...(run.reason !== undefined && { reason: run.reason }),
    ...(run.message !== undefined && { message: run.message }),
    ...(settledAs !== undefined && { corrects: true }),
  };
}

function settledText({ pods, logs }: Unsettled): string {
  const missing = [pods && 'pods', logs && 'logs'].filter(Boolean).join(' and ');
  return missing === '' ? 'all of it is known' : `no more is waited for: not all ${missing} are known`;
}
