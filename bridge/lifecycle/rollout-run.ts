import type { DeploymentFacts } from '../kubernetes/kinds/deployment.ts';
import type { StatefulSetFacts } from '../kubernetes/kinds/statefulset.ts';
import type { DaemonSetFacts } from '../kubernetes/kinds/daemonset.ts';
import type { ReplicaSetFacts } from '../kubernetes/kinds/replicaset.ts';
import type { ControllerRevisionFacts } from '../kubernetes/kinds/controller-revision.ts';
import type { Instant } from '../lib/clock.ts';
import { uuidv5 } from '../lib/ids.ts';
import type { StuckGroup } from './containers.ts';
import type { Outcome, Run, RunStatus, Transition } from './transition.ts';
import { refOf } from './transition.ts';

export type WorkloadFacts = DeploymentFacts | StatefulSetFacts | DaemonSetFacts;
/** What holds the template of one revision. */
export type RevisionFacts = ReplicaSetFacts | ControllerRevisionFacts;

/** `create`: its pods cannot be made; `progress`: nothing moves, and no deadline of Kubernetes says so. */
export type RolloutStuckGroup = StuckGroup | 'create' | 'progress';

export interface RolloutStuck {
  readonly group: RolloutStuckGroup;
  readonly reason: string;
}

/** Why a revision is rolled out. */
export type Why = 'created' | 'changed' | 'restarted' | 'rolled_back';

export interface RolloutEnding {
  readonly outcome: Outcome;
  readonly at: Instant;
  readonly reason?: string;
  readonly message?: string;
  /** It was over at first sight: recorded, and not reported. */
  readonly unreported?: true;
}

/** One revision of a workload, as far as it is rolled out. */
export interface RolloutRun {
  readonly revision: number;
  /** The lowest generation of the workload that was seen with it; of a DaemonSet, how often its template had changed. */
  readonly step: number;
  /** Its ReplicaSet or ControllerRevision. */
  readonly child: Child;
  readonly why: Why;
  readonly startedAt: Instant;
  /** Pods were wanted of it. */
  readonly wanted?: true;
  readonly progress: Progress;
  readonly suspended: boolean;
  /** Number of the last suspension that was reported. */
  readonly suspensions: number;
  readonly stuck: RolloutStuck | undefined;
  /** All groups that were reported, as stuck and as moving again. */
  readonly stuckReported: readonly RolloutStuckGroup[];
  readonly movedReported: readonly RolloutStuckGroup[];
  readonly ended: RolloutEnding | undefined;
}

export interface Child {
  readonly uid: string;
  readonly name: string;
  /** What the pods of a DaemonSet name it by. */
  readonly hash?: string;
  readonly createdAt?: Instant;
  readonly restartedAt?: Instant;
  readonly images: readonly string[];
}

export interface Progress {
  /** The most pods of the revision that were seen at once. */
  readonly updated: number;
  /** The same with those that were available: it rises with each pod that is made and with each that comes up. */
  readonly moved: number;
  /** When that rose last. */
  readonly at: Instant;
}

export interface RolloutStep<S> {
  readonly state: S;
  readonly transitions: readonly Transition[];
}

/** The root of the transition ids of a rollout: a rollback brings a template back under a new number. */
export function rolloutKey({ uid }: WorkloadFacts, revision: number): string {
  return `${uid}/${revision}`;
}

/** UID of the run that a rollout is. */
export function rolloutUid(runKey: string): string {
  return uuidv5(runKey);
}

/** A transition of a rollout; its id holds no time. */
export function rolloutTransition(
  facts: WorkloadFacts,
  { revision }: RolloutRun,
  kind: Transition['kind'],
  suffix: string,
  at: Instant,
  text: string,
): Transition {
  const runKey = rolloutKey(facts, revision);
  return { id: `${runKey}/${suffix}`, kind, at, about: refOf(facts), runUid: rolloutUid(runKey), text };
}

/** How much an ending proves: one that proves more is reported after one that proves less. */
const PROOF: Partial<Record<Outcome, number>> = {
  succeeded: 4,
  failed: 3,
  superseded: 2,
  rolled_back: 2,
  cancelled: 2,
};

/** The deletion of the workload may be seen before the revision that overtook this one. */
function proofOf({ outcome, reason }: RolloutEnding): number {
  return outcome === 'cancelled' && reason === undefined ? 1 : (PROOF[outcome] ?? 0);
}

/**
 * Ends a rollout, if that was not known. What is found out later is reported once more, as a correction: a rollout that was
 * overtaken had succeeded before, one that had exceeded its deadline came up after all.
 */
export function concludeRollout(facts: WorkloadFacts, run: RolloutRun, found: RolloutEnding): RolloutStep<RolloutRun> {
  const isReported = run.ended !== undefined && run.ended.outcome !== 'unknown' && run.ended.unreported !== true;
  if (run.ended !== undefined && proofOf(found) <= proofOf(run.ended)) return { state: run, transitions: [] };
  const ended = { ...found, at: Math.max(found.at, run.startedAt) };
  const suffix = found.outcome === 'unknown' ? 'unknown' : 'ended';
  const { reason, message, outcome, at } = ended;
  const end = rolloutTransition(facts, run, 'run.ended', suffix, at, endingText(facts, run, ended));
  const transition: Transition = {
    ...end,
    ...(isReported && { id: `${end.id}/corrected/${outcome}`, corrects: true }),
    outcome,
    ...(reason !== undefined && { reason }),
    ...(message !== undefined && { message }),
  };
  return { state: { ...run, suspended: false, stuck: undefined, ended }, transitions: [transition] };
}

function endingText({ kind }: WorkloadFacts, { revision }: RolloutRun, { outcome, reason }: RolloutEnding): string {
  const texts: Partial<Record<Outcome, string>> = {
    succeeded: `revision ${revision} rolled out`,
    failed: `revision ${revision} failed`,
    superseded: `superseded: another revision came before ${revision} was rolled out`,
    rolled_back: `rolled back before revision ${revision} was rolled out`,
    cancelled: reason === undefined ? `cancelled: the ${kind} was deleted` : 'cancelled',
    unknown: 'gone from the cluster: how it ended is not known',
  };
  const text = texts[outcome] ?? outcome;
  return reason === undefined ? text : `${text}: ${reason}`;
}

/** The start of a rollout in words. */
export function startText({ kind }: WorkloadFacts, { why, revision, child }: RolloutRun): string {
  const what: Record<Why, string> = {
    created: `revision ${revision} of a new ${kind}`,
    changed: `revision ${revision}`,
    restarted: `revision ${revision}, a restart`,
    rolled_back: `revision ${revision}, back to ${child.name}`,
  };
  return `rolls out ${what[why]}${child.images.length === 0 ? '' : `: ${child.images.join(', ')}`}`;
}

/** The rollout as people see it. */
export function rolloutRun(facts: WorkloadFacts, run: RolloutRun, deleted: boolean): Run {
  const { child, ended, revision, startedAt, stuck } = run;
  const runKey = rolloutKey(facts, revision);
  const status = ended?.outcome ?? activeStatus(run);
  return {
    uid: rolloutUid(runKey),
    kind: facts.kind,
    namespace: facts.namespace,
    name: facts.name,
    runKey,
    revision,
    ownerKind: undefined,
    ownerName: undefined,
    ownerUid: facts.uid,
    status,
    createdAt: child.createdAt,
    scheduledAt: undefined,
    startedAt,
    endedAt: ended?.at,
    reason: ended === undefined ? stuck?.reason : ended.reason,
    message: ended?.message,
    deleted,
  };
}

function activeStatus({ suspended, stuck, progress }: RolloutRun): RunStatus {
  if (suspended) return 'suspended';
  if (stuck !== undefined) return 'stuck';
  return progress.updated > 0 ? 'running' : 'pending';
}
