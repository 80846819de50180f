import type { Instant } from '../lib/clock.ts';

/** The kinds the bridge follows. A new one touches `kubernetes/`, `lifecycle/` and the ingest table. */
export type Kind = 'CronJob' | 'Job' | 'Pod';

/** One decoded Kubernetes object, or its deletion with the last state. */
export interface Observation {
  readonly deleted: boolean;
  readonly observedAt: Instant;
  readonly facts: Facts;
  /** Of a LIST: the object is alive. */
  readonly listed?: true;
}

export type Facts = CronJobFacts | JobFacts | PodFacts;

/** Raise when a reader keeps more than before: rows with an older number are read again by the audit. */
export const FACTS_SCHEMA = 2;

/** What every object has. */
export interface ObjectFacts {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly resourceVersion: string;
  readonly createdAt: Instant | undefined;
  /** When its deletion was asked for; once a pod's grace period is over, when that was. */
  readonly deletionAt: Instant | undefined;
  /** The controller ownerReference, if any; of a Job without one, the only CronJob that it names. */
  readonly owner: Owner | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** Only annotations that the bridge reads (see annotations.ts): others may hold credentials. */
  readonly annotations: Readonly<Record<string, string>>;
}

export interface Owner {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

export interface CronJobFacts extends ObjectFacts {
  readonly kind: 'CronJob';
  readonly schedule: string;
  readonly timeZone: string | undefined;
  readonly suspend: boolean;
  readonly concurrencyPolicy: string | undefined;
  readonly startingDeadlineSeconds: number | undefined;
  readonly lastScheduleAt: Instant | undefined;
  readonly lastSuccessfulAt: Instant | undefined;
  readonly activeUids: readonly string[];
  /** UID of the Job of `lastScheduleAt`, while `status.active` has it. */
  readonly lastJobUid?: string | undefined;
}

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string | undefined;
  readonly message: string | undefined;
  readonly at: Instant | undefined;
}

export interface JobFacts extends ObjectFacts {
  readonly kind: 'Job';
  /** From the CronJob controller's annotation `batch.kubernetes.io/cronjob-scheduled-timestamp`. */
  readonly scheduledAt: Instant | undefined;
  /** Made by hand, as `kubectl create job --from=cronjob/…` and "run now" of many tools do; never by the schedule. */
  readonly manual: boolean;
  /** The ownerReferences of a Job that has neither a controller nor one CronJob among them. */
  readonly namedOwners?: readonly Owner[];
  readonly suspend: boolean;
  readonly startAt: Instant | undefined;
  readonly completionAt: Instant | undefined;
  readonly conditions: readonly Condition[];
  readonly parallelism: number | undefined;
  readonly completions: number | undefined;
  readonly indexed: boolean;
  readonly backoffLimit: number | undefined;
  readonly active: number;
  readonly succeeded: number;
  readonly failed: number;
}

export type ContainerType = 'app' | 'init' | 'sidecar' | 'ephemeral';

export interface Termination {
  /** Of what ended, by its runtime, shortened; kubelet makes up ends without one (`ContainerStatusUnknown`). */
  readonly containerId?: string;
  readonly exitCode: number;
  readonly signal: number | undefined;
  readonly reason: string | undefined;
  readonly message: string | undefined;
  readonly startedAt: Instant | undefined;
  readonly finishedAt: Instant | undefined;
}

export interface ContainerFacts {
  readonly name: string;
  readonly type: ContainerType;
  readonly image: string;
  readonly restartCount: number;
  readonly waiting: { readonly reason: string; readonly message: string | undefined } | undefined;
  readonly runningSince: Instant | undefined;
  readonly terminated: Termination | undefined;
  readonly lastTerminated: Termination | undefined;
}

/** What a condition says of its cause. */
export interface Because {
  readonly reason: string;
  readonly message: string | undefined;
}

export interface PodFacts extends ObjectFacts {
  readonly kind: 'Pod';
  readonly phase: string;
  readonly reason: string | undefined;
  readonly message: string | undefined;
  readonly nodeName: string | undefined;
  readonly startAt: Instant | undefined;
  readonly restartPolicy: string | undefined;
  /** The kubelet's copy of a static pod: no run. */
  readonly mirror: boolean;
  readonly unschedulable: string | undefined;
  /** Why it has no node for another reason: it is gated, or its scheduler failed. */
  readonly unscheduled?: Because;
  /** The condition `DisruptionTarget`: it is evicted, preempted, or goes with its node. */
  readonly disruption?: Because;
  /** `batch.kubernetes.io/job-completion-index` of an indexed Job's pod. */
  readonly completionIndex: number | undefined;
  readonly containers: readonly ContainerFacts[];
}
