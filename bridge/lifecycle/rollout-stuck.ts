import type { Instant } from '../lib/clock.ts';
import type { PodState } from './pod-state.ts';
import type { RolloutRun, RolloutStep, RolloutStuck, WorkloadFacts } from './rollout-run.ts';
import { rolloutTransition } from './rollout-run.ts';
import type { ObjectRef } from './transition.ts';
import { refOf } from './transition.ts';
import { targetOf } from './rollout-verdict.ts';
import { stuckContainer } from './containers.ts';
import { trueCondition } from './conditions.ts';

interface Wait extends RolloutStuck {
  readonly at: Instant;
  readonly text: string;
  readonly message: string | undefined;
  /** The pod that waits. */
  readonly about?: ObjectRef;
  /** The container of it. */
  readonly waiting?: string;
}

/**
 * Reports once per rollout and group of reasons what its own pods wait for; and that it moves again, once more pods of the
 * revision are made or come up than ever before: a pod that is only replaced by another like it proves nothing.
 */
export function stuckStep(
  facts: WorkloadFacts,
  run: RolloutRun,
  pods: readonly PodState[],
  hasMoved: boolean,
  observedAt: Instant,
): RolloutStep<RolloutRun> {
  const wait = podWait(facts, run, pods) ?? createWait(facts, observedAt);
  if (wait !== undefined) return reportStuck(facts, run, wait);
  const open = run.stuckReported.filter((group) => !run.movedReported.includes(group));
  if (!hasMoved) {
    const isStalled = run.stuck?.group === 'progress' || (open.length > 0 && run.stuck !== undefined);
    return { state: isStalled ? run : { ...run, stuck: undefined }, transitions: [] };
  }
  const transitions = open.map((group) =>
    rolloutTransition(facts, run, 'run.unstuck', `unstuck/${group}`, observedAt, 'moves again'),
  );
  return { state: { ...run, stuck: undefined, movedReported: [...run.movedReported, ...open] }, transitions };
}

/** The first of the revision's live pods, by name, that waits for a reason that needs a person. */
function podWait(facts: WorkloadFacts, run: RolloutRun, pods: readonly PodState[]): Wait | undefined {
  const [pod] = pods
    .filter((pod) => isStuckPod(pod) && isPodOf(facts, run, pod))
    .toSorted((a, b) => (a.facts.name < b.facts.name ? -1 : 1));
  if (pod?.stuck === undefined) return undefined;
  const { facts: of, stuck } = pod;
  const container = stuckContainer(of);
  const what = container === undefined ? `pod ${of.name}` : `container ${container.container} of pod ${of.name}`;
  return {
    ...stuck,
    at: of.startAt ?? of.createdAt ?? 0,
    text: `stuck: ${what} waits with ${stuck.reason}`,
    message: container === undefined ? of.unschedulable : container.message,
    about: refOf(of),
    ...(container !== undefined && { waiting: container.container }),
  };
}

/** Whether a pod that lives waits for a reason that needs a person. */
export function isStuckPod({ facts, stuck, endedAt, gone }: PodState): boolean {
  return stuck !== undefined && endedAt === undefined && gone === undefined && facts.deletionAt === undefined;
}

/** A Deployment's pods by their ReplicaSet; the others by the label that their controllers select them by. */
export function isPodOf(workload: WorkloadFacts, { child }: RolloutRun, { facts }: PodState): boolean {
  if (workload.kind === 'Deployment') return facts.owner?.uid === child.uid;
  const label = facts.labels['controller-revision-hash'];
  return facts.owner?.uid === workload.uid && label !== undefined && (label === child.name || label === child.hash);
}

/** A quota or an admission webhook refuses its pods; only a Deployment says so. */
function createWait(facts: WorkloadFacts, observedAt: Instant): Wait | undefined {
  const condition = facts.kind === 'Deployment' ? trueCondition(facts.conditions, 'ReplicaFailure') : undefined;
  if (condition === undefined) return undefined;
  const { reason = 'FailedCreate', message, at = observedAt } = condition;
  return { group: 'create', reason, at, message, text: `stuck: no pod can be made: ${reason}` };
}

function reportStuck(facts: WorkloadFacts, run: RolloutRun, wait: Wait): RolloutStep<RolloutRun> {
  const { group, reason, message, about, waiting } = wait;
  const stuck = { ...run, stuck: { group, reason } };
  if (run.stuckReported.includes(group)) return { state: stuck, transitions: [] };
  const at = Math.max(wait.at, run.startedAt);
  const transition = {
    ...rolloutTransition(facts, run, 'run.stuck', `stuck/${group}`, at, wait.text),
    reason,
    ...(about !== undefined && { about }),
    ...(waiting !== undefined && { waiting }),
    ...(message !== undefined && message !== '' && { message }),
  };
  return { state: { ...stuck, stuckReported: [...run.stuckReported, group] }, transitions: [transition] };
}

/**
 * When a rollout that does not move becomes stuck; undefined when Kubernetes has a deadline for it, when it waits for
 * people (a pause, `OnDelete`, a partition), or is over.
 */
export function rolloutStallDue(facts: WorkloadFacts, run: RolloutRun, limitMs: number): Instant | undefined {
  if (run.ended !== undefined || run.suspended || run.stuck !== undefined) return undefined;
  if (facts.kind === 'Deployment' ? facts.conditions.some(({ type }) => type === 'Progressing') : facts.onDelete)
    return undefined;
  return targetOf(facts) === 0 ? undefined : run.progress.at + limitMs;
}

/** The step of a rollout whose time to move is over. */
export function stallRollout(facts: WorkloadFacts, run: RolloutRun, limitMs: number): RolloutStep<RolloutRun> {
  const at = rolloutStallDue(facts, run, limitMs);
  if (at === undefined) return { state: run, transitions: [] };
  const counts = `${facts.updated} of ${targetOf(facts)} pods updated, ${facts.available} of ${facts.desired} available`;
  const text = `stuck: ${counts}, and no progress for ${Math.round(limitMs / 1000)} s`;
  return reportStuck(facts, run, { group: 'progress', reason: 'NoProgress', at, text, message: undefined });
}
