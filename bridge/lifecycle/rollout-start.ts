import type { Instant } from '../lib/clock.ts';
import type { About } from './rollout-revision.ts';
import type { Child, RevisionFacts, RolloutRun, Why, WorkloadFacts } from './rollout-run.ts';
import { isAbout, isObserved, isSettled, progressing, verdictOf } from './rollout-verdict.ts';

/** A revision that was not seen before. */
export type NewRevision = Extract<About, { readonly run: undefined }>;

/** What else is known when a revision is seen first. */
export interface Before {
  readonly runs: readonly RolloutRun[];
  readonly children: readonly RevisionFacts[];
  /** The workload was seen before its controller had looked at it. */
  readonly bornSeen: boolean;
}

/** The rollout of a revision that was not seen before, as the record shows its beginning. */
export function startOf(
  facts: WorkloadFacts,
  { revision, step, child }: NewRevision,
  before: Before,
  observedAt: Instant,
): RolloutRun {
  const why = whyOf(revision, child, before);
  const startedAt = (why === 'rolled_back' ? rolledBackAt(facts, child) : child.createdAt) ?? observedAt;
  return {
    revision,
    step,
    child: childOf(child),
    why,
    startedAt,
    progress: { updated: 0, moved: 0, at: startedAt },
    suspended: false,
    suspensions: 0,
    stuck: undefined,
    stuckReported: [],
    movedReported: [],
    ended: undefined,
  };
}

/**
 * When a rollout that a record shows as over at first sight began, at the earliest; undefined while it goes on. That pods
 * of a revision are missing while there are none of another is not a rollout: they are not available any more, or it scales.
 */
export function overSince(
  facts: WorkloadFacts,
  run: RolloutRun,
  child: RevisionFacts,
  observedAt: Instant,
): Instant | undefined {
  const verdict = verdictOf(facts, run, child, observedAt);
  const isOver = typeof verdict === 'object' || (!isJudged(facts) && (isSettled(facts) || isAlone(facts, child)));
  if (!isObserved(facts) || !isOver) return undefined;
  return (run.why === 'rolled_back' ? rolledBackAt(facts, child) : undefined) ?? child.createdAt ?? 0;
}

/** Whether the condition of a Deployment says how far it is: without a deadline, and after a pause, none does. */
function isJudged(facts: WorkloadFacts): boolean {
  const condition = progressing(facts);
  return condition !== undefined && condition.status !== 'Unknown';
}

/** No pod is of another revision; or of the template of a paused Deployment, for which there is no ReplicaSet yet. */
function isAlone(facts: WorkloadFacts, child: RevisionFacts): boolean {
  const { updated, replicas } = facts;
  if (facts.kind === 'Deployment' && facts.paused && child.kind === 'ReplicaSet' && updated === 0)
    return child.replicas > 0;
  return updated > 0 && updated >= replicas;
}

/** The condition of a Deployment has the time when its old ReplicaSet moved last; other workloads have none. */
function rolledBackAt(facts: WorkloadFacts, child: RevisionFacts): Instant | undefined {
  const condition = progressing(facts);
  return condition !== undefined && isObserved(facts) && isAbout(condition, { child: childOf(child) })
    ? condition.at
    : undefined;
}

function childOf(facts: RevisionFacts): Child {
  const { uid, name, createdAt, restartedAt, images, labels } = facts;
  const hash = labels['controller-revision-hash'];
  return {
    uid,
    name,
    images,
    ...(hash !== undefined && { hash }),
    ...(createdAt !== undefined && { createdAt }),
    ...(restartedAt !== undefined && { restartedAt }),
  };
}

function whyOf(revision: number, child: RevisionFacts, { runs, children, bornSeen }: Before): Why {
  if (isReused(revision, child, children, runs)) return 'rolled_back';
  const last = runs.filter((run) => run.revision < revision).toSorted((a, b) => b.revision - a.revision)[0];
  const older = children
    .filter((one) => one.revision !== undefined && one.revision < revision)
    .toSorted((a, b) => b.revision! - a.revision!)[0];
  const previous = last?.child ?? older;
  if (previous === undefined) return bornSeen || revision === 1 ? 'created' : 'changed';
  const isRestart = child.restartedAt !== undefined && child.restartedAt !== previous.restartedAt;
  return isRestart && child.images.join() === previous.images.join() ? 'restarted' : 'changed';
}

/** True when the revision brings back what was made for an earlier one: a ReplicaSet says so, else its age does. */
function isReused(
  revision: number,
  child: RevisionFacts,
  children: readonly RevisionFacts[],
  runs: readonly RolloutRun[],
): boolean {
  if (child.kind === 'ReplicaSet') return child.former.some((number) => number < revision);
  const { uid, createdAt } = child;
  if (runs.some((run) => run.child.uid === uid && run.revision < revision)) return true;
  const others = [...children, ...runs.map((run) => ({ ...run.child, revision: run.revision }))];
  return others.some(
    (other) =>
      other.uid !== uid &&
      createdAt !== undefined &&
      (other.createdAt ?? 0) > createdAt &&
      (other.revision ?? revision) < revision,
  );
}
