import type { Instant } from '../lib/clock.ts';
import type { ControllerRevisionFacts } from './kinds/controller-revision.ts';
import type { CronJobFacts } from './kinds/cronjob.ts';
import type { DaemonSetFacts } from './kinds/daemonset.ts';
import type { DeploymentFacts } from './kinds/deployment.ts';
import type { EventFacts } from './kinds/event.ts';
import type { JobFacts } from './kinds/job.ts';
import type { NamespaceFacts } from './kinds/namespace.ts';
import type { NodeFacts } from './kinds/node.ts';
import type { PodFacts } from './kinds/pod.ts';
import type { ReplicaSetFacts } from './kinds/replicaset.ts';
import type { StatefulSetFacts } from './kinds/statefulset.ts';
import type { ObjectFacts } from './object-facts.ts';

export type { Condition } from './conditions.ts';
export type { CronJobFacts } from './kinds/cronjob.ts';
export type { JobFacts } from './kinds/job.ts';
export type { Because, ContainerFacts, ContainerType, PodFacts, Termination } from './kinds/pod.ts';
export type { ObjectFacts, Owner } from './object-facts.ts';

/** The facts of each kind that the bridge can read (`kinds.ts` has the rest of it). */
export interface FactsByKind {
  CronJob: CronJobFacts;
  Job: JobFacts;
  Pod: PodFacts;
  Deployment: DeploymentFacts;
  StatefulSet: StatefulSetFacts;
  DaemonSet: DaemonSetFacts;
  ReplicaSet: ReplicaSetFacts;
  ControllerRevision: ControllerRevisionFacts;
  Namespace: NamespaceFacts;
  Node: NodeFacts;
  Event: EventFacts;
}

export type Kind = keyof FactsByKind;

/** The kinds that can be followed: decoded, kept and audited. Which of them are, the configuration says. */
export type FollowedKind = Exclude<Kind, 'Event'>;

/** Facts of a kind that can be followed. */
export type Facts = FactsByKind[FollowedKind];

/** One decoded Kubernetes object, or its deletion with the last state. */
export interface Observation<F extends ObjectFacts = Facts> {
  readonly deleted: boolean;
  readonly observedAt: Instant;
  readonly facts: F;
  /** Of a LIST: the object is alive. */
  readonly listed?: true;
  /** By the bridge's own watch: it proves nothing about the Collector's. */
  readonly watched?: true;
}
