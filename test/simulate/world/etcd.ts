import type { ApiServer, Backup } from './api-server.ts';
import type { CronJobController } from './cronjob-controller.ts';
import type { JobController } from './job-controller.ts';
import type { Truth } from './truth.ts';

export interface EtcdOptions {
  readonly api: ApiServer;
  readonly truth: Truth;
  readonly jobs: JobController;
  readonly cronJobs: CronJobController;
  readonly now: () => number;
}

/** Backups of etcd, and what becomes of a cluster that is restored from one. */
export class Etcd {
  readonly #options: EtcdOptions;
  readonly #backups = new Map<string, Backup>();

  constructor(options: EtcdOptions) {
    this.#options = options;
  }

  backUp(name: string): void {
    this.#backups.set(name, this.#options.api.backup());
  }

  /** Objects that were made since are gone without a trace; those that were deleted since are there again. */
  restore(name: string): void {
    const { api, truth, jobs, cronJobs, now } = this.#options;
    const backup = this.#backups.get(name);
    if (backup === undefined) return;
    const changed = [...api.restore(backup)];
    for (const [uid, { before, after }] of changed) {
      const job = truth.jobs.get(uid);
      if (job !== undefined) {
        job.takenBack = true;
        if (after === undefined) job.removedAt = now();
        else jobs.restored(after);
      } else if ((after ?? before)?.kind === 'CronJob') cronJobs.restored(uid, after);
    }
  }
}
