import type { Termination } from '../kubernetes/observation.ts';
import type { Verdict } from './failure.ts';
import { judgePod } from './failure.ts';
import type { PodState } from './pod-state.ts';
import type { Attempt, Outcome } from './transition.ts';
import { asWait, restartWait } from './wait.ts';

/** The pod as people see it: one attempt of a run. */
export function podAttempt(state: PodState): Attempt {
  const { facts, startedAt, endedAt, deletedAt, gone, waited } = state;
  const isOver = endedAt !== undefined || gone !== undefined;
  const { failure, end, isLate = false } = podVerdict(state);
  const reason = facts.reason ?? (failure === 'disrupted' ? facts.disruption?.reason : undefined);
  const message = attemptMessage(state, failure, end?.termination);
  const waiting = waited ?? (isOver ? undefined : restartWait(facts));
  return {
    podUid: facts.uid,
    podName: facts.name,
    nodeName: facts.nodeName,
    phase: facts.phase,
    index: facts.completionIndex,
    ...(facts.createdAt !== undefined && { createdAt: facts.createdAt }),
    ...(facts.podScheduledAt !== undefined && { podScheduledAt: facts.podScheduledAt }),
    startedAt,
    endedAt,
    container: end?.container.name,
    exitCode: end?.termination.exitCode,
    reason: reason ?? end?.termination.reason,
    ...(message !== undefined && { message }),
    ...(failure !== undefined && { failed: failure }),
    ...(isLate && { failedLate: true }),
    ...(waiting !== undefined && { waiting: asWait(waiting) }),
    ...(deletedAt !== undefined && { deleted: true }),
    ...(gone !== undefined && endedAt === undefined && { goneAt: gone.at }),
  };
}

/** How the pod ended or what failed in it, from all that was seen. */
export function podVerdict({ facts, deletedAt, gone, failedAlive = false }: PodState): Verdict {
  return judgePod(facts, { isOver: deletedAt !== undefined || gone !== undefined, failedAlive });
}

/** Reasons that explain nothing. */
const PLAIN_ENDS: ReadonlySet<string | undefined> = new Set(['Error', 'Completed', 'OOMKilled', undefined]);

function attemptMessage({ facts }: PodState, failure: Verdict['failure'], end?: Termination): string | undefined {
  if (failure === 'disrupted') return facts.message ?? facts.disruption?.message ?? end?.message;
  return PLAIN_ENDS.has(end?.reason) ? undefined : end?.message;
}

/** Kubelet shows a pod that is deleted while active as Failed, with what SIGTERM or SIGKILL made of its containers. */
function isStopped(state: PodState): boolean {
  const { facts } = state;
  if (facts.reason !== undefined || facts.deletionAt === undefined || state.failedAlive) return false;
  const { failure, isLate, end } = podVerdict(state);
  return failure !== 'itself' || (isLate === true && end?.termination.reason !== 'OOMKilled');
}

/** How a pod that is over ended. */
export function podOutcome(state: PodState): Outcome {
  const { facts, startedAt } = state;
  if (facts.phase === 'Succeeded') return 'succeeded';
  if (facts.phase === 'Failed') return isStopped(state) ? 'cancelled' : 'failed';
  return startedAt === undefined ? 'never_started' : 'cancelled';
}
