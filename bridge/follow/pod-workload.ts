import type { PodFacts } from '../kubernetes/observation.ts';
import type { Instant } from '../lib/clock.ts';
import { isSameJson } from '../lib/same.ts';
import { podAttempt } from '../lifecycle/pod-attempt.ts';
import type { PodState } from '../lifecycle/pod-state.ts';
import { runUidOf } from '../lifecycle/pod-state.ts';
import { isStuckPod } from '../lifecycle/rollout-stuck.ts';
import { stateOf } from '../turn/object-rows.ts';
import type { Turn } from '../turn/turn.ts';
import { judgeAgain, MAX_STUCK } from './rollout.ts';
import type { WorkloadState } from './rollout.ts';
import { joinRollout, workloadOf } from './rollout-pods.ts';

/** Whether a pod may be one of a rollout that is followed. */
export function mayRollOut({ kinds }: Turn, { owner }: PodFacts): boolean {
  if (owner?.group !== 'apps') return false;
  if (owner.kind === 'ReplicaSet') return kinds.has('Deployment');
  return (owner.kind === 'StatefulSet' || owner.kind === 'DaemonSet') && kinds.has(owner.kind);
}

/** Shows a pod in the rollout that it is of, which is judged again when the pod begins or ends to wait for a person. */
export function judgeWorkload(turn: Turn, previous: PodState | undefined, state: PodState, observedAt: Instant): void {
  if (runUidOf(state.facts) !== undefined || !mayRollOut(turn, state.facts)) return;
  const isSame = previous !== undefined && isSameJson(podAttempt(previous), podAttempt(state));
  const isMoved = waitOf(previous) !== waitOf(state);
  if (isSame && !isMoved) return;
  const row = workloadOf(turn.tx, state.facts);
  if (row === undefined) return;
  const workload = stateOf<WorkloadState>(row);
  if (!isSame) joinRollout(turn.tx, workload, state);
  if (!isMoved) return;
  const others = (workload.stuckPods ?? []).filter((uid) => uid !== state.facts.uid);
  const stuck = isStuckPod(state) ? [...others, state.facts.uid].slice(-MAX_STUCK) : others;
  judgeAgain(turn, row.uid, observedAt, { stuckPods: stuck });
}

function waitOf(state: PodState | undefined): string | undefined {
  return state !== undefined && isStuckPod(state) ? state.stuck?.reason : undefined;
}
