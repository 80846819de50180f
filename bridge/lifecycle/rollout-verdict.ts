import type { Condition } from '../kubernetes/conditions.ts';
import type { DeploymentFacts } from '../kubernetes/kinds/deployment.ts';
import type { Instant } from '../lib/clock.ts';
import type { RevisionFacts, RolloutEnding, RolloutRun, WorkloadFacts } from './rollout-run.ts';

/**
 * How far a rollout is, as `kubectl rollout status` judges it (kubectl: polymorphichelpers/rollout_status.go): only by a
 * status that is about the spec that the record shows. Argo CD and Flux judge by the same rules
 * (gitops-engine/pkg/health/health_deployment.go; cli-utils: kstatus/status/core.go).
 * `unconfirmed`: by its counts it is over, and its own ReplicaSet was not seen so yet.
 */
export type Verdict = 'open' | 'unconfirmed' | RolloutEnding;

const SCALED_TO_ZERO = 'ScaledToZero';

/** True when its controller has looked at the spec that the record shows. */
export function isObserved({ generation, observedGeneration }: WorkloadFacts): boolean {
  return observedGeneration > 0 && observedGeneration >= generation;
}

/** What a record proves about the end of the revision that it is about; `child` as it was seen last. */
export function verdictOf(
  facts: WorkloadFacts,
  run: RolloutRun,
  child: RevisionFacts | undefined,
  observedAt: Instant,
): Verdict {
  if (!isObserved(facts)) return 'open';
  const at = progressing(facts)?.at ?? observedAt;
  if (facts.desired === 0) return atZero(facts, run, observedAt);
  if (facts.kind === 'Deployment') return ofDeployment(facts, run, child, at, observedAt);
  return isSettled(facts) && facts.available >= facts.desired ? { outcome: 'succeeded', at: observedAt } : 'open';
}

/**
 * Nothing is left to roll out. That is not a success of pods that were wanted and never came up; of a StatefulSet that was
 * edited before, only a record from before says whether they were.
 */
function atZero({ kind, generation }: WorkloadFacts, { wanted }: RolloutRun, at: Instant): RolloutEnding {
  const reason = kind === 'DaemonSet' ? 'NoNodeFits' : SCALED_TO_ZERO;
  const mayBeWanted = wanted === true || (kind === 'StatefulSet' && generation > 1);
  return { outcome: mayBeWanted ? 'cancelled' : 'succeeded', at, reason };
}

/**
 * The controller's own verdict, in the condition Progressing (deployment/progress.go: syncRolloutStatus). After a
 * rollback the condition of the revision before stays for a while, under the new generation: it must name the ReplicaSet
 * of this one. Without a deadline, after a pause and after a scale to zero it says nothing: then the counts decide.
 */
function ofDeployment(
  facts: DeploymentFacts,
  run: RolloutRun,
  child: RevisionFacts | undefined,
  at: Instant,
  observedAt: Instant,
): Verdict {
  const condition = progressing(facts);
  // At zero the controller calls everything available, and does not take it back.
  const wasAtZero = run.ended?.reason === SCALED_TO_ZERO;
  const isUp = facts.updated >= facts.desired && facts.replicas <= facts.updated && facts.available >= facts.updated;
  if (condition === undefined || condition.status === 'Unknown') {
    // One that was scaled down since says nothing about then.
    const isOwn = child?.kind === 'ReplicaSet' && (child.available >= facts.desired || child.desired < facts.desired);
    if (!isUp) return 'open';
    return isOwn ? { outcome: 'succeeded', at: observedAt } : 'unconfirmed';
  }
  if (!isAbout(condition, run) || (wasAtZero && !isUp)) return 'open';
  if (condition.reason === 'NewReplicaSetAvailable') return { outcome: 'succeeded', at: wasAtZero ? observedAt : at };
  if (condition.status !== 'False' || condition.reason !== 'ProgressDeadlineExceeded') return 'open';
  const { reason, message } = condition;
  return { outcome: 'failed', at, reason, ...(message !== undefined && { message }) };
}

/** The condition Progressing of a Deployment. */
export function progressing(facts: WorkloadFacts): Condition | undefined {
  return facts.kind === 'Deployment' ? facts.conditions.find(({ type }) => type === 'Progressing') : undefined;
}

/** False for a condition that names another ReplicaSet. */
export function isAbout({ message = '' }: Condition, { child }: Pick<RolloutRun, 'child'>): boolean {
  const named = /^(?:Created new replica set|Found new replica set|ReplicaSet) "([^"]*)"/.exec(message)?.[1];
  return named === undefined || named === child.name;
}

/**
 * Whether all pods are of the revision, up to those that a partition holds back: what is missing after that does not matter
 * of a rollout. A partition that holds back all of them leaves it open.
 */
export function isSettled(facts: WorkloadFacts): boolean {
  const { desired, updated, replicas } = facts;
  const target = targetOf(facts);
  if (facts.kind === 'Deployment') return updated >= desired && replicas <= updated;
  return target > 0 && updated >= target && replicas <= desired;
}

/** How many pods are to be of the revision: a partition holds back none while there is no other. */
export function targetOf(facts: WorkloadFacts): number {
  const isHeld = facts.kind === 'StatefulSet' && !facts.onDelete && facts.currentRevision !== facts.updateRevision;
  return Math.max(0, facts.desired - (isHeld ? facts.partition : 0));
}
