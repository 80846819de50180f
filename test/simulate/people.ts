import type { Plan } from './plan.ts';
import type { Change, Edit, WorkloadChange } from './plan-people.ts';
import type { Scheduler } from './scheduler.ts';
import type { CronJobController } from './world/cronjob-controller.ts';
import type { JobController } from './world/job-controller.ts';
import { hasEnded, isBeingDeleted } from './world/objects.ts';
import type { WorkloadController } from './world/workload-controller.ts';

export interface Controllers {
  readonly jobs: JobController;
  readonly cronJobs: CronJobController;
  readonly workloads: WorkloadController;
}

/** Who makes, changes and deletes CronJobs and workloads: people and their pipelines. */
export class People {
  readonly #scheduler: Scheduler;
  readonly #plan: Plan;
  readonly #controllers: Controllers;
  #generations = 0;
  #manual = 0;

  constructor(scheduler: Scheduler, plan: Plan, controllers: Controllers) {
    this.#scheduler = scheduler;
    this.#plan = plan;
    this.#controllers = controllers;
  }

  /** Everything that is there from the beginning. */
  begin(): void {
    const { cronJobs, workloads } = this.#controllers;
    for (const plan of this.#plan.cronJobs) cronJobs.create(plan, this.#generations++);
    for (const plan of this.#plan.workloads) workloads.create(plan, this.#generations++);
  }

  change(act: Change): void {
    const { cronJobs, jobs } = this.#controllers;
    const [namespace = '', name = ''] = act.cronJob.split('/');
    const cronJob = cronJobs.find(namespace, name);
    if (cronJob === undefined) return;
    switch (act.act) {
      case 'suspend':
        cronJobs.suspend(cronJob, true);
        this.#scheduler.in(act.ms, () => {
          const later = cronJobs.find(namespace, name);
          if (later !== undefined) cronJobs.suspend(later, false);
        });
        return;
      case 'recreate':
        cronJobs.delete(cronJob);
        this.#scheduler.in(act.ms, () => {
          const plan = this.#plan.cronJobs.find((one) => one.namespace === namespace && one.name === name)!;
          if (cronJobs.find(namespace, name) === undefined) cronJobs.create(plan, this.#generations++);
        });
        return;
      case 'reschedule':
        return cronJobs.reschedule(cronJob, act.every, act.offset);
      case 'edit':
        return this.#edit(namespace, name, act);
      case 'run-now':
      case 'run-suspended':
        return cronJobs.runNow(cronJob, `${name}-manual-${this.#manual++}`, act.act === 'run-suspended');
      case 'preempt':
        return cronJobs.jobsOf(cronJob.metadata.uid).forEach((job) => jobs.preempt(job.metadata.uid));
      case 'delete-job': {
        const all = cronJobs.jobsOf(cronJob.metadata.uid);
        const job = all.find((one) => !hasEnded(one) && !isBeingDeleted(one)) ?? all[0];
        if (job !== undefined) jobs.remove(job.metadata.uid, act.how);
      }
    }
  }

  #edit(namespace: string, name: string, { times, ms, schedule }: Edit): void {
    const before = this.#controllers.cronJobs.timesOf(namespace, name);
    for (let n = 0; n < times; n++)
      this.#scheduler.in(n * ms, () => {
        const { cronJobs } = this.#controllers;
        const later = cronJobs.find(namespace, name);
        if (later === undefined || before === undefined) return;
        if (schedule === undefined) return cronJobs.suspend(later, n % 2 === 0);
        const { every, offset } = n % 2 === 0 ? schedule : before;
        cronJobs.reschedule(later, every, offset);
      });
  }

  changeWorkload(act: WorkloadChange): void {
    const { workloads } = this.#controllers;
    const plan = this.#plan.workloads.find(({ namespace, name }) => `${namespace}/${name}` === act.workload)!;
    const one = workloads.find(plan);
    if (one === undefined) return;
    switch (act.act) {
      case 'roll-out':
        return workloads.rollOut(one, {
          image: `shop/${plan.name}:${act.image}${act.bad ? '-bad' : ''}`,
          bad: act.bad,
        });
      case 'roll-back':
        return workloads.rollBack(one);
      case 'restart-pods':
        return workloads.restart(one);
      case 'scale':
        return workloads.scale(one, act.replicas);
      case 'pause':
        workloads.pause(one, true);
        this.#scheduler.in(act.ms, () => {
          if (one.truth.deletedAt === undefined) workloads.pause(one, false);
        });
        return;
      case 'recreate-workload':
        workloads.delete(one);
        this.#scheduler.in(act.ms, () => {
          if (workloads.find(plan) === undefined) workloads.create(plan, this.#generations++);
        });
    }
  }
}
