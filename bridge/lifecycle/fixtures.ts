import { condition, container, jobFacts, podFacts, seen, T0, terminated } from '../../test/fixtures/facts.ts';
import type { ContainerFacts, JobFacts, PodFacts } from '../kubernetes/observation.ts';
import type { Cause } from './cause.ts';
import { causeOf } from './cause.ts';
import { reduceJob } from './job.ts';
import type { PodState } from './pod-state.ts';
import { podAttempt } from './pod-attempt.ts';
import { reducePod } from './pod.ts';
import { jobRun } from './run.ts';
import type { Attempt } from './transition.ts';

export const at = (seconds: number): number => T0 + seconds * 1_000;
export const DECIDED = 11;

/** As Kubernetes 1.36 writes them. */
const MESSAGES: Readonly<Record<string, string>> = {
  BackoffLimitExceeded: 'Job has reached the specified backoff limit',
  DeadlineExceeded: 'Job was active longer than specified deadline',
};

/** A Job that failed at `DECIDED` s and has the condition since `ended`. */
function job(reason: string, changes: Partial<JobFacts> = {}, message = MESSAGES[reason]): JobFacts {
  const because = { reason, message };
  const conditions = [condition('FailureTarget', at(DECIDED), because), condition('Failed', at(20), because)];
  return jobFacts({ startAt: at(1), conditions, ...changes });
}

let number = 0;

/** The next pod is report-1-a on node-1 again. */
export function restartNumbers(after = 0): void {
  number = after;
}

/** What records in this order make of a pod; each has a newer version unless it says which. */
export function pod(...records: (Partial<PodFacts> & { readonly gone?: true })[]): Attempt {
  const uid = `pod-${++number}`;
  let state: PodState | undefined;
  records.forEach(({ gone = false, ...changes }, index) => {
    const name = `report-1-${String.fromCodePoint(96 + number)}`;
    const placed = { nodeName: `node-${number}`, startAt: at(2), resourceVersion: String(101 + index) };
    const facts = podFacts({ uid, name, phase: 'Running', ...placed, ...changes });
    state = JSON.parse(JSON.stringify(reducePod(state, seen(facts, gone)).state)) as PodState;
  });
  return podAttempt(state!);
}

export const main = (changes: Partial<ContainerFacts>): ContainerFacts => container(changes);
/** Ended by itself. */
export const failed = (code: number, second = 10, reason?: string): Attempt =>
  pod({ phase: 'Failed', containers: [main({ terminated: terminated(code, at(second), reason) })] });
/** Deleted by the Job's controller at `DECIDED`, ended two seconds later. */
export const stopped = (code = 143, changes: Partial<PodFacts> = {}): Attempt =>
  pod(
    { containers: [main({ runningSince: at(3) })] },
    {
      phase: 'Failed',
      deletionAt: at(DECIDED),
      containers: [main({ terminated: terminated(code, at(DECIDED + 2)) })],
      ...changes,
    },
  );

export function cause(attempts: readonly Attempt[], reason = 'BackoffLimitExceeded', message?: string): Cause {
  const { state } = reduceJob(undefined, seen(job(reason, {}, message)), 'key', () => 'none');
  return causeOf(jobRun(state, 'key', undefined), attempts)!;
}
export const shortCause = (
  attempts: readonly Attempt[],
  reason?: string,
  message?: string,
): (string | number | undefined)[] => {
  const { text, exitCode, culprit } = cause(attempts, reason, message);
  return [text, exitCode, culprit?.podName];
};
