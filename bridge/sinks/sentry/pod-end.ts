import { isLastPhase } from '../../kubernetes/kinds/pod.ts';
import type { PodFacts } from '../../kubernetes/observation.ts';
import { isLost } from '../../lifecycle/containers.ts';
import type { ContainerEnd, Transition } from '../../lifecycle/transition.ts';
import type { Reason } from '../../lib/reasons.ts';
import type { Failure } from './failure.ts';
import { podFailure } from './failure.ts';
import type { Subject } from './subject.ts';

/** SIGTERM and SIGKILL: how kubelet ends containers whose pod is over. */
const KILLED: ReadonlySet<number> = new Set([137, 143]);

/** Why the end of a container is not a failure by itself; undefined when it is. */
export function coveredEnd(end: ContainerEnd, { pod }: Subject): Reason | undefined {
  if (end.stopped === true) return 'not_a_failure';
  if (pod === undefined || end.reason === 'OOMKilled' || !(KILLED.has(end.exitCode) || isLost(end))) return undefined;
  // A sidecar runs until the others are done.
  if (end.type === 'sidecar' && isDone(pod)) return 'not_a_failure';
  const isPodOver = pod.reason !== undefined || pod.disruption !== undefined;
  return isPodOver ? 'reported_otherwise' : undefined;
}

function isDone({ phase, containers }: PodFacts): boolean {
  const apps = containers.filter(({ type }) => type === 'app');
  return isLastPhase(phase) || apps.every(({ terminated }) => terminated !== undefined);
}

interface PodEnd {
  readonly failure: Failure;
  readonly reason: string;
  readonly message: string | undefined;
}

/** Why Kubernetes ended a pod; null where nothing did but its containers, which are reported by themselves. */
export function podEndFailure(
  { outcome }: Transition,
  { pod, workload }: Subject,
): PodEnd | { readonly drop: Reason } | null {
  if (pod === undefined || outcome === 'succeeded') return null;
  const { reason = pod.disruption?.reason, message = pod.disruption?.message } = pod;
  if (reason !== undefined) {
    return isWanted(reason, workload.kind)
      ? { drop: 'not_a_failure' }
      : { failure: podFailure(reason), reason, message };
  }
  if (outcome !== 'failed') return null;
  const hasFailed = pod.containers.some(
    ({ terminated, lastTerminated }) => (terminated?.exitCode ?? 0) !== 0 || (lastTerminated?.exitCode ?? 0) !== 0,
  );
  return hasFailed ? null : { failure: podFailure('Failed'), reason: 'Failed', message };
}

/** A drain; and a pod that is on each node goes with its node. */
function isWanted(reason: string, workload: string): boolean {
  return reason === 'EvictionByEvictionAPI' || (reason === 'DeletionByPodGC' && isPerNode(workload));
}

const isPerNode = (workload: string): boolean => workload === 'DaemonSet' || workload === 'Node';
