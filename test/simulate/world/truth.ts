/** What really happened, whatever is reported of it. */

import type { EventType } from './api-server.ts';
import type { KubeObject } from './objects.ts';

export type Outcome = 'succeeded' | 'failed' | 'cancelled' | 'replaced' | 'never_started';

export interface JobTruth {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly cronJob: CronJobTruth | undefined;
  /** The scheduled instant; undefined for one that was made by hand. */
  readonly scheduledAt: number | undefined;
  /** As the object says, in whole seconds. */
  startedAt?: number;
  /** As the object says; of a deletion when that was asked for. */
  endedAt?: number;
  outcome?: Outcome;
  /** How many of its pods failed by themselves. */
  failures?: number;
  /** When it was removed. */
  removedAt?: number;
  /** A restored etcd took something of it back: what is reported of it may be of before. */
  takenBack?: true;
  /** The Job that took its place. */
  successor?: JobTruth;
}

export interface ScheduleTruth {
  readonly schedule: string;
  readonly suspended: boolean;
  readonly from: number;
  until: number;
}

export interface CronJobTruth {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly createdAt: number;
  excluded: boolean;
  suspended: boolean;
  schedule: string;
  /** What its schedule was, and whether it was suspended, in their times. */
  readonly schedules: ScheduleTruth[];
  deletedAt?: number;
}

/** A revision of a workload that its controller began to roll out. */
export interface RolloutTruth {
  /** UID of the run that it is. */
  readonly uid: string;
  readonly workload: WorkloadTruth;
  readonly revision: number;
  /** When its ReplicaSet or ControllerRevision was made; undefined if that is of an earlier revision. */
  readonly startedAt: number | undefined;
  /** Its ReplicaSet or ControllerRevision, and the version with which that got the number. */
  readonly child: string;
  readonly childVersion: number;
  outcome?: 'succeeded' | 'failed' | 'cancelled' | 'superseded' | 'rolled_back';
  endedAt?: number;
  /** Versions of the workload whose status is about it, and those that say that it has succeeded or failed. */
  readonly versions: number[];
  readonly proofs: number[];
}

export interface WorkloadTruth {
  readonly uid: string;
  readonly kind: 'Deployment' | 'StatefulSet' | 'DaemonSet';
  readonly namespace: string;
  readonly name: string;
  readonly rollouts: RolloutTruth[];
  deletedAt?: number;
}

/** What a CronJob was for a while, or that it was gone. */
export interface Stage {
  readonly schedule: string;
  readonly paused: boolean;
  readonly gone: boolean;
}

export class Truth {
  readonly workloads = new Map<string, WorkloadTruth>();
  readonly jobs = new Map<string, JobTruth>();
  readonly cronJobs = new Map<string, CronJobTruth>();
  /** Of each `namespace/name` of a CronJob, one after the other. */
  readonly stages = new Map<string, Stage[]>();

  /** An event of the API server. */
  saw(type: EventType, { kind, metadata: { namespace, name }, spec }: KubeObject): void {
    if (kind !== 'CronJob') return;
    const gone = type === 'DELETED';
    const stage = { schedule: String(spec['schedule']), paused: gone || spec['suspend'] === true, gone };
    const stages = this.stages.get(`${namespace}/${name}`) ?? [];
    this.stages.set(`${namespace}/${name}`, stages);
    const last = stages.at(-1);
    if (last?.schedule !== stage.schedule || last.paused !== stage.paused || last.gone !== gone) stages.push(stage);
  }
}
