import type { ContainerType } from '../kubernetes/observation.ts';
import type { Instant } from '../lib/clock.ts';

/**
 * How a run ended. `never_started`: it was not a run; `unknown`: it is gone and nothing says how it ended. A rollout that
 * another one overtook is `superseded`, or `rolled_back` when that one brought an earlier revision back.
 */
export type Outcome =
  | 'succeeded'
  | 'failed'
  | 'cancelled'
  | 'replaced'
  | 'superseded'
  | 'rolled_back'
  | 'never_started'
  | 'unknown';

export type TransitionKind =
  | 'run.started'
  | 'run.ended'
  | 'run.suspended'
  | 'run.resumed'
  | 'run.stuck'
  | 'run.unstuck'
  | 'run.active'
  | 'run.progressing'
  | 'run.logs'
  | 'run.settled'
  | 'attempt.started'
  | 'attempt.ended'
  | 'container.terminated'
  | 'cronjob.missed'
  | 'cronjob.skipped'
  | 'event.warned';

/** A Kubernetes object, as far as people and vendors need it to find it. */
export interface ObjectRef {
  /** One that the bridge follows, or of a warning any other. */
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** What an Event says of itself, as far as it does. */
export interface Said {
  /** `Warning`, or what else is not `Normal`; may be empty. */
  readonly type: string;
  /** Who says it, such as `kubelet`, and where, such as the node's name. */
  readonly component?: string;
  readonly instance?: string;
  /** What of the object, such as `spec.containers{main}`. */
  readonly fieldPath?: string;
  /** API group of the object, unless it is the core one. */
  readonly group?: string;
  /** When it was said first. */
  readonly firstAt?: Instant;
}

/** How a container ended, by its pod's status. */
export interface ContainerEnd {
  readonly name: string;
  readonly type: ContainerType;
  /** Its restart count when it ended. */
  readonly instance: number;
  /** As the status names it; may be empty. */
  readonly image: string;
  readonly exitCode: number;
  readonly signal?: number;
  readonly reason?: string;
  /** Its termination message, redacted. */
  readonly message?: string;
  readonly startedAt?: Instant;
  /** The deletion of its pod ended it: not a failure of its own. */
  readonly stopped?: true;
}

/**
 * An edge in a lifecycle. `id` is deterministic and holds no time, so that the same edge seen twice is one row;
 * `at` comes from the object itself.
 */
export interface Transition {
  readonly id: string;
  readonly kind: TransitionKind;
  readonly at: Instant;
  /** The object that it happened to: of a run's start and end its Job, of a container's end its pod. */
  readonly about: ObjectRef;
  /** UID of the run it belongs to; absent for containers of pods that are not a run's attempt. */
  readonly runUid: string | undefined;
  /** One line for the timeline. */
  readonly text: string;
  readonly outcome?: Outcome;
  /** Condition reason, waiting reason or termination reason, as Kubernetes wrote it. */
  readonly reason?: string;
  readonly message?: string;
  /** How often a warning was given so far. */
  readonly count?: number;
  /** Of a warning, what the Event says of itself. */
  readonly said?: Said;
  /** The container that ended. */
  readonly container?: ContainerEnd;
  /** The container that waits, of a run that is stuck on one. */
  readonly waiting?: string;
  /** Not read from the object itself but concluded from its CronJob's status. */
  readonly inferred?: true;
  /** The real ending of a run that was reported with another one before. */
  readonly corrects?: true;
}

export type RunKind = 'Job' | 'Pod' | 'Deployment' | 'StatefulSet' | 'DaemonSet';

/** `missed` and `skipped` are scheduled instants for which there is no Job. */
export type RunStatus = 'pending' | 'running' | 'stuck' | 'suspended' | 'missed' | 'skipped' | Outcome;

/**
 * What a person calls one execution: a Job, a pod without owner, or a revision of a workload that is rolled out. The
 * page's row and the sinks' context.
 */
export interface Run {
  readonly uid: string;
  readonly kind: RunKind;
  readonly namespace: string;
  readonly name: string;
  /** (CronJob UID, scheduled instant) of a scheduled Job, else the UID: run-level transition ids derive from it. */
  readonly runKey: string;
  /** Of a rollout: the number of the revision. */
  readonly revision?: number;
  /** Made by hand, as `kubectl create job --from=cronjob/…` and "run now" of many tools do. */
  readonly manual?: true;
  /** Who owns a run that no CronJob owns, in words: `JobSet training (jobset.x-k8s.io)`. */
  readonly ownedBy?: string;
  readonly ownerKind: string | undefined;
  readonly ownerName: string | undefined;
  /** Of a rollout, its workload. */
  readonly ownerUid: string | undefined;
  readonly status: RunStatus;
  readonly createdAt: Instant | undefined;
  readonly scheduledAt: Instant | undefined;
  readonly startedAt: Instant | undefined;
  readonly endedAt: Instant | undefined;
  readonly reason: string | undefined;
  readonly message: string | undefined;
  readonly deleted: boolean;
  /** Pods that Kubernetes counts as failed, of a Job. */
  readonly failedPods?: number;
  /** When Kubernetes decided that a Job fails: pods that end later are stopped, or decide nothing any more. */
  readonly failsAt?: Instant;
}

/**
 * How a pod failed. `itself`: a container of it did, or Kubernetes says only that it failed; `restarted`: a container of it
 * did before it was started again and stopped; `disrupted`: it was evicted, preempted, refused by its node, or lost with
 * it; `stopped`: it was deleted while active, as those are that are left when their Job ends.
 */
export type Failure = 'itself' | 'restarted' | 'disrupted' | 'stopped';

/** What a pod or a container waits for, in the words of Kubernetes. */
export interface Wait {
  readonly reason: string;
  readonly message?: string;
  /** Without it, the whole pod waits: for a node. */
  readonly container?: string;
}

/** One pod of a run, as far as it was seen. */
export interface Attempt {
  readonly podUid: string;
  readonly podName: string;
  readonly nodeName: string | undefined;
  readonly phase: string;
  readonly index: number | undefined;
  readonly createdAt?: Instant;
  /** When it got a node; `startedAt`: when that took it. */
  readonly podScheduledAt?: Instant;
  readonly startedAt: Instant | undefined;
  readonly endedAt: Instant | undefined;
  /** The container whose end decided how the pod ended, if any. */
  readonly container: string | undefined;
  readonly exitCode: number | undefined;
  readonly reason: string | undefined;
  /** Of `reason`, where it says more than the exit code. */
  readonly message?: string;
  /** Absent while nothing failed. */
  readonly failed?: Failure;
  /** In the second of its deletion, or by OOM after it: where others failed before, it counts as stopped. */
  readonly failedLate?: true;
  /** The last that was seen; of a pod that has ended only where the container, or none, ever ran. */
  readonly waiting?: Wait;
  readonly deleted?: true;
  /** When it was missing from a LIST: it is over, and how is not known. */
  readonly goneAt?: Instant;
}

/** Whether a pod has ended, or is gone. */
export function isAttemptOver({ endedAt, goneAt }: Attempt): boolean {
  return (endedAt ?? goneAt) !== undefined;
}

/** The reference of an object that was read, or of one that is a run. */
export function refOf({ kind, namespace, name, uid }: ObjectRef): ObjectRef {
  return { kind, namespace, name, uid };
}

/** The object that a run is, or that it rolls out. */
export function objectOf(run: Run): ObjectRef {
  const { revision, runKey, uid } = run;
  return { ...refOf(run), uid: revision === undefined ? uid : runKey.slice(0, runKey.lastIndexOf('/')) };
}
