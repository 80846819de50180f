/** What really happened, whatever anybody is told of it. */

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
  /** When it was removed. */
  removedAt?: number;
  /** The Job that took its place. */
  successor?: JobTruth;
}

export interface CronJobTruth {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly createdAt: number;
  excluded: boolean;
  suspended: boolean;
  schedule: string;
  deletedAt?: number;
}

export class Truth {
  readonly jobs = new Map<string, JobTruth>();
  readonly cronJobs = new Map<string, CronJobTruth>();
}
