import type { PodFacts, Termination } from '../kubernetes/observation.ts';
import type { SeenEnd } from './containers.ts';
import { containerEnds, isLost, isStoppedWithPod } from './containers.ts';
import type { Failure } from './transition.ts';

/** What ended a pod, or holds it up: the container that decided, and whether that was its own doing. */
export interface Verdict {
  /** Absent when the pod succeeded, or nothing failed so far. */
  readonly failure: Failure | undefined;
  readonly end: SeenEnd | undefined;
  /** It failed by itself, but not before its deletion: in the same second, or by OOM. */
  readonly isLate?: boolean;
}

/** What is known of a pod in addition to its newest facts. */
export interface Known {
  /** It ended or was deleted. */
  readonly isOver: boolean;
  /** A record showed it as Failed before its deletion was requested. */
  readonly failedAlive: boolean;
}

/**
 * Judges a pod by its newest facts. Of several containers that failed, the OOMKilled one decides, else the first: the
 * others mostly failed because of it. A container that failed and then succeeded does not decide, nor does an end that
 * kubelet made up. Debug containers and sidecars never fail a pod.
 */
export function judgePod(facts: PodFacts, { isOver, failedAlive }: Known): Verdict {
  const deletionAt = failedAlive ? undefined : facts.deletionAt;
  const judged = lastEnds(facts).map((ends) => judgeContainer(ends, deletionAt));
  if (facts.phase === 'Succeeded') return { failure: undefined, end: latest(judged)?.end };
  const decisive = judged.reduce<Verdict | undefined>(theFirst, undefined);
  const end = (decisive ?? latest(judged))?.end;
  const isFailed = facts.phase === 'Failed' || isOver;
  if (facts.reason !== undefined && isFailed) return { failure: 'disrupted', end };
  if (facts.disruption !== undefined && isFailed && decisive?.failure !== 'itself')
    return { failure: 'disrupted', end };
  if (decisive !== undefined) return decisive;
  if (!isFailed) return { failure: undefined, end };
  return { failure: facts.phase === 'Failed' && deletionAt === undefined ? 'itself' : 'stopped', end };
}

interface LastEnds {
  readonly last: SeenEnd;
  /** The end before it, of a container that was started again. */
  readonly before: SeenEnd | undefined;
  /** The container runs again since then. */
  readonly runs: boolean;
}

/** The last two ends of each container that can fail its pod. */
function lastEnds(facts: PodFacts): LastEnds[] {
  const found = new Map<string, LastEnds>();
  for (const end of containerEnds(facts)) {
    const { name, type, runningSince } = end.container;
    if (type !== 'app' && type !== 'init') continue;
    const before = found.get(name)?.last;
    found.set(name, { last: end, before, runs: runningSince !== undefined });
  }
  return [...found.values()];
}

function judgeContainer({ last, before, runs }: LastEnds, deletionAt: number | undefined): Verdict {
  if (isFailure(last.termination, deletionAt)) {
    const { finishedAt = 0 } = last.termination;
    const isLate = deletionAt !== undefined && finishedAt >= deletionAt;
    return { failure: runs ? 'restarted' : 'itself', end: last, isLate };
  }
  if (last.termination.exitCode === 0) return { failure: undefined, end: last };
  if (before !== undefined && isFailure(before.termination, deletionAt)) return { failure: 'restarted', end: before };
  const isDeleted = deletionAt !== undefined || !isLost(last.termination);
  return { failure: isDeleted ? 'stopped' : 'disrupted', end: last };
}

/** True when a container failed by itself. */
function isFailure(termination: Termination, deletionAt: number | undefined): boolean {
  const { exitCode, reason } = termination;
  if (exitCode === 0 && reason !== 'OOMKilled') return false;
  return !isLost(termination) && !isStoppedWithPod(termination, deletionAt);
}

const ORDER: readonly (Failure | undefined)[] = ['itself', 'restarted', 'disrupted', 'stopped'];

/** Of two containers the one that decided: by how it failed, then by OOM, then by time. */
function theFirst(best: Verdict | undefined, one: Verdict): Verdict | undefined {
  if (one.failure === undefined) return best;
  if (best === undefined) return one;
  const order = ORDER.indexOf(one.failure) - ORDER.indexOf(best.failure) || oom(best) - oom(one);
  return (order || finish(one) - finish(best)) < 0 ? one : best;
}

function latest(verdicts: readonly Verdict[]): Verdict | undefined {
  let last = verdicts[0];
  for (const one of verdicts) if (finish(one) > finish(last!)) last = one;
  return last;
}

function oom({ end }: Verdict): number {
  return end?.termination.reason === 'OOMKilled' ? 1 : 0;
}

function finish({ end }: Verdict): number {
  return end?.termination.finishedAt ?? 0;
}
