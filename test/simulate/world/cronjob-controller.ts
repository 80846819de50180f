import type { Random } from '../random.ts';
import { randomOf, skewed, uuid } from '../random.ts';
import type { Scheduler } from '../scheduler.ts';
import type { ApiServer } from './api-server.ts';
import type { Clocks } from './clocks.ts';
import type { Behaviour, JobController } from './job-controller.ts';
import type { KubeObject } from './objects.ts';
import { conditionsOf, hasCondition, hasEnded, isBeingDeleted, ownedBy, ownerUid, timestamp } from './objects.ts';
import type { CronJobTruth, JobTruth, Truth } from './truth.ts';

export type Policy = 'Allow' | 'Forbid' | 'Replace';

/** A CronJob as the plan of a world has it. */
export interface CronJobPlan {
  readonly name: string;
  readonly namespace: string;
  /** Minutes between two runs, which divide a day, and the minute of the first. */
  readonly every: number;
  readonly offset: number;
  readonly policy: Policy;
  readonly behaviour: Behaviour;
  /** What of ended Jobs is kept. */
  readonly history: number;
  readonly ttlSeconds?: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

const MINUTE = 60_000;
const SCHEDULED_AT = 'batch.kubernetes.io/cronjob-scheduled-timestamp';

/** The schedule as a person writes it. */
export function scheduleOf({ every, offset }: Pick<CronJobPlan, 'every' | 'offset'>): string {
  if (every < 60) return `${offset % every}-59/${every} * * * *`;
  if (every === 60) return `${offset % 60} * * * *`;
  return every === 1440
    ? `${offset % 60} ${Math.floor(offset / 60) % 24} * * *`
    : `${offset % 60} ${Math.floor(offset / 60) % (every / 60)}-23/${every / 60} * * *`;
}

interface Controlled {
  readonly truth: CronJobTruth;
  plan: CronJobPlan;
  /** Goes up when the schedule changes: what was planned by the old one is void. */
  epoch: number;
  readonly random: Random;
}

/** The CronJob controller, its habits, and the people who change CronJobs. */
export class CronJobController {
  readonly #scheduler: Scheduler;
  readonly #api: ApiServer;
  readonly #clocks: Clocks;
  readonly #truth: Truth;
  readonly #jobs: JobController;
  readonly #controlled = new Map<string, Controlled>();
  #stopped = false;

  constructor(scheduler: Scheduler, api: ApiServer, clocks: Clocks, truth: Truth, jobs: JobController) {
    this.#scheduler = scheduler;
    this.#api = api;
    this.#clocks = clocks;
    this.#truth = truth;
    this.#jobs = jobs;
    jobs.onOver = (job) => this.#jobOver(job);
  }

  /** Makes a CronJob; `generation`: of those that had its name. */
  create(plan: CronJobPlan, generation: number): void {
    const { name, namespace, annotations = {} } = plan;
    const random = randomOf('cronjob', namespace, name, generation);
    const uid = uuid(random);
    const at = this.#clocks.api();
    this.#api.put({
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name, namespace, uid, creationTimestamp: timestamp(at), generation: 1, annotations },
      spec: specOf(plan),
      status: {},
    });
    const excluded = annotations['k8s.cronitor.io/exclude'] === 'true';
    const createdAt = Math.floor(at / 1000) * 1000;
    const truth: CronJobTruth = {
      uid,
      name,
      namespace,
      createdAt,
      excluded,
      suspended: false,
      schedule: scheduleOf(plan),
      schedules: [],
    };
    this.#noteSchedule(truth);
    this.#truth.cronJobs.set(uid, truth);
    const controlled: Controlled = { truth, plan, epoch: 0, random };
    this.#controlled.set(uid, controlled);
    this.#planNext(uid, controlled);
  }

  /** Nothing is scheduled any more. */
  stop(): void {
    this.#stopped = true;
  }

  /** The living CronJob of that name. */
  find(namespace: string, name: string): KubeObject | undefined {
    return this.#api.byName('cronjobs', namespace, name);
  }

  suspend(cronJob: KubeObject, suspend: boolean): void {
    const { uid } = cronJob.metadata;
    this.#api.change('cronjobs', uid, ({ spec }) => ({ spec: { ...spec, suspend } }));
    const { truth } = this.#controlled.get(uid)!;
    truth.suspended = suspend;
    this.#noteSchedule(truth);
  }

  reschedule(cronJob: KubeObject, every: number, offset: number): void {
    const controlled = this.#controlled.get(cronJob.metadata.uid)!;
    controlled.plan = { ...controlled.plan, every, offset };
    controlled.epoch++;
    controlled.truth.schedule = scheduleOf(controlled.plan);
    this.#noteSchedule(controlled.truth);
    const { schedule } = controlled.truth;
    this.#api.change('cronjobs', cronJob.metadata.uid, ({ spec }) => ({ spec: { ...spec, schedule } }));
    this.#planNext(cronJob.metadata.uid, controlled);
  }

  /** Deletes a CronJob; its Jobs are collected after it. */
  delete(cronJob: KubeObject): void {
    const { uid } = cronJob.metadata;
    this.#api.remove('cronjobs', uid);
    const { truth, random } = this.#controlled.get(uid)!;
    truth.deletedAt = this.#scheduler.now;
    truth.schedules.at(-1)!.until = this.#scheduler.now;
    for (const job of this.jobsOf(uid))
      this.#scheduler.in(skewed(random, 50, 2_000), () => this.#jobs.remove(job.metadata.uid, 'Background'));
  }

  /** `kubectl create job --from=cronjob/NAME`. */
  runNow(cronJob: KubeObject, name: string, suspend = false): void {
    const { uid } = cronJob.metadata;
    const annotations = { 'cronjob.kubernetes.io/instantiate': 'manual' };
    this.#createJob(uid, this.#controlled.get(uid)!, name, { annotations, scheduledAt: undefined, suspend });
  }

  jobsOf(cronJobUid: string): KubeObject[] {
    return this.#api.list('jobs').filter((job) => ownerUid(job) === cronJobUid);
  }

  #noteSchedule({ schedules, schedule, suspended }: CronJobTruth): void {
    const from = this.#scheduler.now;
    const before = schedules.at(-1);
    if (before !== undefined) before.until = from;
    schedules.push({ schedule, suspended, from, until: Infinity });
  }

  #planNext(uid: string, controlled: Controlled): void {
    const { every, offset } = controlled.plan;
    const now = this.#scheduler.now;
    const midnight = Math.floor(now / (1440 * MINUTE)) * 1440 * MINUTE;
    const first = midnight + (offset % every) * MINUTE;
    const next = now < first ? first : first + (Math.floor((now - first) / (every * MINUTE)) + 1) * every * MINUTE;
    const { epoch } = controlled;
    this.#scheduler.at(next, () => {
      if (epoch !== controlled.epoch || this.#stopped) return;
      this.#planNext(uid, controlled);
      this.#scheduler.in(skewed(controlled.random, 30, 2_500), () => this.#due(uid, controlled, next));
    });
  }

  #due(uid: string, controlled: Controlled, at: number): void {
    const cronJob = this.#api.get('cronjobs', uid);
    if (cronJob === undefined || isBeingDeleted(cronJob) || cronJob.spec['suspend'] === true) return;
    // A controller whose clock is behind waits until it is due by that.
    if (this.#clocks.manager() < at) {
      this.#scheduler.in(at - this.#clocks.manager(), () => this.#due(uid, controlled, at));
      return;
    }
    const active = this.#activeJobs(uid);
    if (controlled.plan.policy === 'Forbid' && active.length > 0) return;
    const name = `${controlled.plan.name}-${Math.floor(at / MINUTE)}`;
    if (controlled.plan.policy === 'Replace')
      for (const job of active) this.#jobs.remove(job.metadata.uid, 'Background', 'replaced');
    const annotations = { [SCHEDULED_AT]: timestamp(at) };
    const created = this.#createJob(uid, controlled, name, { annotations, scheduledAt: at, suspend: false });
    if (controlled.plan.policy === 'Replace')
      for (const job of active) this.#truth.jobs.get(job.metadata.uid)!.successor ??= created;
    this.#scheduler.in(skewed(controlled.random, 5, 300), () => {
      this.#status(uid, { lastScheduleTime: timestamp(at) });
    });
  }

  #createJob(
    cronUid: string,
    { truth, plan, random }: Controlled,
    name: string,
    how: { annotations: Record<string, string>; scheduledAt: number | undefined; suspend: boolean },
  ): JobTruth {
    const cronJob = this.#api.get('cronjobs', cronUid)!;
    const uid = uuid(random);
    const { namespace, ttlSeconds, behaviour } = plan;
    const { backoffLimit, deadlineMs } = behaviour;
    const job = this.#api.put({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: {
        name,
        namespace,
        uid,
        creationTimestamp: timestamp(this.#clocks.api()),
        annotations: how.annotations,
        ownerReferences: [ownedBy(cronJob)],
      },
      spec: {
        parallelism: 1,
        completions: 1,
        backoffLimit,
        suspend: how.suspend,
        ...(deadlineMs !== undefined && { activeDeadlineSeconds: deadlineMs / 1000 }),
        ...(ttlSeconds !== undefined && { ttlSecondsAfterFinished: ttlSeconds }),
      },
      status: {},
    });
    const made: JobTruth = { uid, name, namespace, cronJob: truth, scheduledAt: how.scheduledAt };
    this.#truth.jobs.set(uid, made);
    this.#jobs.created(job, behaviour);
    return made;
  }

  #activeJobs(uid: string): KubeObject[] {
    return this.jobsOf(uid).filter((job) => !hasEnded(job) && !isBeingDeleted(job) && job.spec['suspend'] !== true);
  }

  #status(uid: string, fields: object): void {
    const active = this.#activeJobs(uid).map(({ metadata }) => ({
      apiVersion: 'batch/v1',
      kind: 'Job',
      namespace: metadata.namespace,
      name: metadata.name,
      uid: metadata.uid,
    }));
    this.#api.change('cronjobs', uid, ({ status }) => ({
      status: { ...status, ...fields, active: active.length === 0 ? undefined : active },
    }));
  }

  #jobOver(job: KubeObject): void {
    const uid = ownerUid(job);
    const controlled = uid === undefined ? undefined : this.#controlled.get(uid);
    if (uid === undefined || controlled === undefined) return;
    this.#scheduler.in(skewed(controlled.random, 20, 1_200), () => {
      const done = hasCondition(job, 'Complete') ? { lastSuccessfulTime: job.status['completionTime'] } : {};
      this.#status(uid, done);
      this.#cleanUp(uid, controlled);
    });
  }

  /** Of the Jobs that have ended the oldest go, those that succeeded and those that failed each by themselves. */
  #cleanUp(uid: string, { plan }: Controlled): void {
    for (const type of ['Complete', 'Failed']) {
      const ended = this.jobsOf(uid).filter((job) => hasCondition(job, type) && !isBeingDeleted(job));
      const oldestFirst = ended.toSorted((a, b) => (endOf(a) < endOf(b) ? -1 : 1));
      for (const job of oldestFirst.slice(0, Math.max(0, oldestFirst.length - plan.history)))
        this.#jobs.remove(job.metadata.uid, 'Background');
    }
  }
}

function endOf(job: KubeObject): string {
  return conditionsOf(job).at(-1)?.lastTransitionTime ?? '';
}

function specOf(plan: CronJobPlan): KubeObject['spec'] {
  return {
    schedule: scheduleOf(plan),
    concurrencyPolicy: plan.policy,
    suspend: false,
    successfulJobsHistoryLimit: plan.history,
    failedJobsHistoryLimit: plan.history,
    jobTemplate: { spec: { backoffLimit: plan.behaviour.backoffLimit } },
  };
}
