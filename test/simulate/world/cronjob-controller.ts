import { parseSchedule } from '../../../bridge/kubernetes/schedule.ts';
import type { Random } from '../random.ts';
import { randomOf, skewed, uuid } from '../random.ts';
import type { Scheduler } from '../scheduler.ts';
import type { ApiServer } from './api-server.ts';
import type { Clocks } from './clocks.ts';
import type { CronJobPlan } from './cronjob-objects.ts';
import { endOf, POD_TEMPLATE, scheduleOf, specOf } from './cronjob-objects.ts';
import type { JobController } from './job-controller.ts';
import type { KubeObject } from './objects.ts';
import { hasCondition, hasEnded, isBeingDeleted, ownedBy, ownerUid, timestamp } from './objects.ts';
import type { CronJobTruth, JobTruth, Truth } from './truth.ts';

const MINUTE = 60_000;
/** How the simulation itself remembers a schedule. */
const TIMES = 'simulation/times';
const SCHEDULED_AT = 'batch.kubernetes.io/cronjob-scheduled-timestamp';

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
      metadata: {
        name,
        namespace,
        uid,
        creationTimestamp: timestamp(at),
        generation: 1,
        annotations: { ...annotations, [TIMES]: `${plan.every}/${plan.offset}` },
      },
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

  /** When the living CronJob of that name runs. */
  timesOf(namespace: string, name: string): Pick<CronJobPlan, 'every' | 'offset'> | undefined {
    const uid = this.find(namespace, name)?.metadata.uid;
    return uid === undefined ? undefined : this.#controlled.get(uid)?.plan;
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
    this.#api.change('cronjobs', cronJob.metadata.uid, ({ metadata, spec }) => ({
      metadata: { ...metadata, annotations: { ...metadata.annotations, [TIMES]: `${every}/${offset}` } },
      spec: { ...spec, schedule },
    }));
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

  /** Goes on with a CronJob as a restored API server has it; undefined: it is not there any more. */
  restored(uid: string, cronJob: KubeObject | undefined): void {
    const controlled = this.#controlled.get(uid)!;
    const { truth } = controlled;
    controlled.epoch++;
    if (cronJob === undefined) {
      truth.deletedAt = this.#scheduler.now;
      truth.schedules.at(-1)!.until = this.#scheduler.now;
      return;
    }
    delete truth.deletedAt;
    truth.suspended = cronJob.spec['suspend'] === true;
    truth.schedule = String(cronJob.spec['schedule']);
    const [every, offset] = String(cronJob.metadata.annotations?.[TIMES]).split('/').map(Number);
    controlled.plan = { ...controlled.plan, every: every!, offset: offset! };
    this.#noteSchedule(truth);
    this.#planNext(uid, controlled);
    // What was scheduled last is not known any more: it runs again.
    const parsed = parseSchedule(truth.schedule);
    const since = (cronJob.status['lastScheduleTime'] as string | undefined) ?? cronJob.metadata.creationTimestamp;
    let missed: number | undefined;
    if (!('error' in parsed))
      for (let at = parsed.next(Date.parse(since)); at! <= this.#scheduler.now; at = parsed.next(at!)) missed = at;
    if (missed !== undefined && !this.#stopped)
      this.#scheduler.in(skewed(controlled.random, 500, 5_000), () => this.#due(uid, controlled, missed));
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
    // Jobs that it did not make itself neither hold it up nor are they replaced.
    const active = this.#activeJobs(uid).filter(({ metadata }) => metadata.annotations?.[SCHEDULED_AT] !== undefined);
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
    const { backoffLimit, deadlineMs, isElsewhere = false } = behaviour;
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
        template: POD_TEMPLATE,
        ...(isElsewhere && { managedBy: 'kueue.x-k8s.io/multikueue' }),
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
