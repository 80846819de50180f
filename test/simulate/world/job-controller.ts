import type { Random } from '../random.ts';
import { chance, pick, randomOf, skewed } from '../random.ts';
import type { Scheduler } from '../scheduler.ts';
import type { ApiServer } from './api-server.ts';
import type { Condition, KubeObject } from './objects.ts';
import { conditionsOf, hasCondition, hasEnded, isBeingDeleted, ownerUid, timestamp } from './objects.ts';
import type { Clocks } from './clocks.ts';
import { podCondition, podOf, running, terminated } from './job-pods.ts';
import type { JobTruth, Truth } from './truth.ts';

/** How the pods of a Job behave. */
export interface Behaviour {
  readonly runMs: readonly [number, number];
  /** Of its pods, each. */
  readonly failRate: number;
  readonly backoffLimit: number;
  readonly deadlineMs?: number;
  /** Another controller runs it, in another cluster: no pods of it are here. */
  readonly isElsewhere?: boolean;
}

const REASONS = ['BackoffLimitExceeded', 'DeadlineExceeded'] as const;
const NODES = ['node-1', 'node-2', 'node-3'];

/** The Job controller, the scheduler and the kubelets, with their habits. */
export class JobController {
  readonly #scheduler: Scheduler;
  readonly #api: ApiServer;
  readonly #clocks: Clocks;
  readonly #truth: Truth;
  readonly #behaviours = new Map<string, Behaviour>();
  /** Called with every Job that has ended or is gone. */
  onOver: (job: KubeObject) => void = () => undefined;

  constructor(scheduler: Scheduler, api: ApiServer, clocks: Clocks, truth: Truth) {
    this.#scheduler = scheduler;
    this.#api = api;
    this.#clocks = clocks;
    this.#truth = truth;
  }

  /** Takes over a Job that was just created. */
  created(job: KubeObject, behaviour: Behaviour): void {
    const { uid, name } = job.metadata;
    this.#behaviours.set(uid, behaviour);
    const random = randomOf('job', name, uid);
    if (job.spec['suspend'] !== true) this.#scheduler.in(skewed(random, 20, 900), () => this.#start(uid, random));
  }

  /** Works on with a Job as a restored API server has it: what was done of it since is done again. */
  restored(job: KubeObject): void {
    const { uid, name } = job.metadata;
    const random = randomOf('restored', name, uid, this.#scheduler.now);
    const truth = this.#of(uid);
    delete truth.removedAt;
    if (isBeingDeleted(job)) return void this.#scheduler.in(2_000, () => this.#gone(uid, truth));
    if (hasEnded(job)) {
      for (const pod of this.podsOf(uid)) if (isBeingDeleted(pod)) this.#api.remove('pods', pod.metadata.uid);
      return;
    }
    delete truth.endedAt;
    delete truth.outcome;
    // The kubelets end what they do not know, and its controller begins again where its status is.
    for (const pod of this.podsOf(uid)) this.#api.remove('pods', pod.metadata.uid);
    if (job.spec['suspend'] === true) return;
    if (job.status['startTime'] === undefined) return void this.#scheduler.in(1_000, () => this.#start(uid, random));
    if (hasCondition(job, 'SuccessCriteriaMet')) return void this.#scheduler.in(1_000, () => this.#complete(uid));
    if (hasCondition(job, 'FailureTarget')) return void this.#scheduler.in(1_000, () => this.#failed(uid, REASONS[0]));
    this.#scheduler.in(skewed(random, 500, 5_000), () => this.#startPod(uid, random));
  }

  #start(uid: string, random: Random): void {
    const at = this.#clocks.manager();
    const job = this.#count(uid, { startTime: timestamp(at), active: 1, ready: 0, uncountedTerminatedPods: {} });
    if (job === undefined) return;
    this.#of(uid).startedAt = seconds(at);
    const { deadlineMs } = this.#behaviours.get(uid)!;
    if (deadlineMs !== undefined) this.#scheduler.in(deadlineMs, () => this.#exceeded(uid));
    this.#startPod(uid, random);
  }

  #startPod(uid: string, random: Random): void {
    const job = this.#working(uid);
    if (job === undefined) return;
    const { runMs, failRate, isElsewhere } = this.#behaviours.get(uid)!;
    const code = chance(random, failRate) ? pick(random, [1, 2, 137]) : 0;
    if (isElsewhere === true)
      return void this.#scheduler.in(skewed(random, ...runMs), () => this.#podOver(uid, code, random));
    const pod = this.#api.put(podOf(job, random, this.#clocks.api()));
    const step = (ms: readonly [number, number], run: () => void): void =>
      void this.#scheduler.in(skewed(random, ...ms), run);
    step([20, 800], () => {
      this.#pod(
        pod,
        { phase: 'Pending', conditions: [podCondition('PodScheduled', this.#clocks.manager())] },
        pick(random, NODES),
      );
      step([100, 4_000], () => {
        const at = this.#clocks.kubelet();
        if (!this.#pod(pod, running(at))) return;
        step([20, 500], () => this.#count(uid, { ready: 1 }));
        step(runMs, () => this.#podEnded(uid, pod, at, code, random));
      });
    });
  }

  #podEnded(uid: string, pod: KubeObject, startedAt: number, code: number, random: Random): void {
    const current = this.#api.get('pods', pod.metadata.uid);
    if (current === undefined || isBeingDeleted(current)) return;
    this.#pod(pod, terminated(startedAt, this.#clocks.kubelet(), code));
    this.#podOver(uid, code, random);
  }

  #podOver(uid: string, code: number, random: Random): void {
    this.#scheduler.in(skewed(random, 20, 1_500), () => {
      const job = this.#working(uid);
      if (job === undefined) return;
      if (code === 0) return this.#succeed(uid, random);
      const failed = Number(job.status['failed'] ?? 0);
      const failures = failed + 1;
      this.#of(uid).failures = failures;
      const { backoffLimit } = this.#behaviours.get(uid)!;
      if (failures > backoffLimit) return this.#fail(uid, failures, REASONS[0], random);
      this.#count(uid, { active: 0, ready: 0, failed: failures });
      this.#scheduler.in(10_000 * 2 ** failed, () => {
        this.#count(uid, { active: 1 });
        this.#startPod(uid, random);
      });
    });
  }

  #succeed(uid: string, random: Random): void {
    const job = this.#count(uid, { active: 0, ready: 0, succeeded: 1 }, [['SuccessCriteriaMet', 'CompletionsReached']]);
    if (job === undefined) return;
    this.#scheduler.in(skewed(random, 10, 1_000), () => this.#complete(uid));
  }

  #complete(uid: string): void {
    const at = this.#clocks.manager();
    const extra = { completionTime: timestamp(at) };
    if (this.#count(uid, extra, [['Complete', 'CompletionsReached']]) !== undefined) this.#over(uid, 'succeeded', at);
  }

  #fail(uid: string, failed: number, reason: string, random: Random): void {
    const job = this.#count(uid, { active: 0, ready: 0, failed }, [['FailureTarget', reason]]);
    if (job === undefined) return;
    this.#scheduler.in(skewed(random, 10, 1_000), () => this.#failed(uid, reason));
  }

  #failed(uid: string, reason: string): void {
    const at = this.#clocks.manager();
    if (this.#count(uid, {}, [['Failed', reason]]) !== undefined) this.#over(uid, 'failed', at);
  }

  /** The controller deletes what still runs, then calls it failed. */
  #exceeded(uid: string): void {
    if (this.#working(uid) === undefined) return;
    for (const pod of this.podsOf(uid)) this.stopPod(pod);
    this.#fail(uid, 1, REASONS[1], randomOf('deadline', uid));
  }

  /** Writes status of a Job that is neither over nor being deleted; undefined when there is none. */
  #count(uid: string, fields: object, conditions: readonly (readonly [string, string])[] = []): KubeObject | undefined {
    const job = this.#api.get('jobs', uid);
    if (job === undefined || hasEnded(job) || isBeingDeleted(job)) return undefined;
    const at = timestamp(this.#clocks.manager());
    const added = conditions.map(([type, reason]): Condition => {
      const message = type.startsWith('Fail') ? messageOf(reason) : 'Reached expected number of succeeded pods';
      return { type, status: 'True', lastProbeTime: at, lastTransitionTime: at, reason, message };
    });
    return this.#api.change('jobs', uid, () => ({
      status: { ...job.status, ...fields, ...(added.length > 0 && { conditions: [...conditionsOf(job), ...added] }) },
    }));
  }

  #over(uid: string, outcome: 'succeeded' | 'failed', at: number): void {
    const truth = this.#of(uid);
    truth.endedAt = seconds(at);
    truth.outcome = outcome;
    const job = this.#api.get('jobs', uid)!;
    this.onOver(job);
    const ttl = job.spec['ttlSecondsAfterFinished'];
    if (typeof ttl === 'number') this.#scheduler.in(ttl * 1000 + 200, () => this.remove(uid, 'Foreground'));
  }

  podsOf(jobUid: string): KubeObject[] {
    return this.#api.list('pods').filter((pod) => ownerUid(pod) === jobUid);
  }

  /** The scheduler needs the place of what runs of it: those pods fail, and the Job goes on as with any that failed. */
  preempt(uid: string): void {
    for (const pod of this.podsOf(uid)) {
      if (pod.status['phase'] !== 'Running' || isBeingDeleted(pod)) continue;
      const target = { ...podCondition('DisruptionTarget', this.#clocks.manager()), reason: 'PreemptionByScheduler' };
      this.#pod(pod, { conditions: [...conditionsOf(pod), target] });
      this.stopPod(this.#api.get('pods', pod.metadata.uid)!, () => this.#podOver(uid, 143, randomOf('preempted', uid)));
    }
  }

  /** The Job, while its controller does something for it. */
  #working(uid: string): KubeObject | undefined {
    const job = this.#api.get('jobs', uid);
    if (job === undefined || hasEnded(job) || isBeingDeleted(job)) return undefined;
    return hasCondition(job, 'SuccessCriteriaMet', 'FailureTarget') ? undefined : job;
  }

  /** A pod is asked to end: its containers get SIGTERM. */
  stopPod(pod: KubeObject, onStopped: () => void = () => undefined): void {
    const { uid } = pod.metadata;
    const random = randomOf('stop', uid);
    const phase = pod.status['phase'];
    if (phase === 'Succeeded' || phase === 'Failed') return this.#api.remove('pods', uid);
    const deletionTimestamp = timestamp(this.#clocks.api() + 30_000);
    this.#api.change('pods', uid, ({ metadata }) => ({
      metadata: { ...metadata, deletionTimestamp, deletionGracePeriodSeconds: 30 },
    }));
    this.#scheduler.in(skewed(random, 200, 8_000), () => {
      // Who asks for what is asked already, as a TTL right after a deadline, stops no container a second time.
      const isRunning = this.#api.get('pods', uid)?.status['phase'] === 'Running';
      if (isRunning) this.#pod(pod, terminated(this.#clocks.kubelet() - 1_000, this.#clocks.kubelet(), 143));
      onStopped();
      this.#scheduler.in(skewed(random, 20, 800), () => this.#api.remove('pods', uid));
    });
  }

  /** Removes a Job as the API does: in the background at once and its pods later, in the foreground after its pods. */
  remove(uid: string, how: 'Background' | 'Foreground', outcome: 'cancelled' | 'replaced' = 'cancelled'): void {
    const job = this.#api.get('jobs', uid);
    if (job === undefined || isBeingDeleted(job)) return;
    const random = randomOf('remove', uid);
    const at = this.#clocks.api();
    const truth = this.#of(uid);
    if (!hasEnded(job)) this.#cut(job, truth, outcome, at);
    if (how === 'Foreground') {
      const finalizers = ['foregroundDeletion'];
      this.#api.change('jobs', uid, ({ metadata }) => ({
        metadata: { ...metadata, deletionTimestamp: timestamp(at), deletionGracePeriodSeconds: 0, finalizers },
      }));
      this.podsOf(uid).forEach((pod) => this.stopPod(pod));
      const look = (): void => {
        if (this.podsOf(uid).length > 0) return void this.#scheduler.in(500, look);
        this.#gone(uid, truth);
      };
      this.#scheduler.in(skewed(random, 50, 2_000), look);
      return;
    }
    this.#gone(uid, truth);
    this.#scheduler.in(skewed(random, 50, 3_000), () => this.podsOf(uid).forEach((pod) => this.stopPod(pod)));
  }

  /** What its controller had decided before counts: only what it says of it is missing. */
  #cut(job: KubeObject, truth: JobTruth, outcome: 'cancelled' | 'replaced', at: number): void {
    const hint = conditionsOf(job).find(({ type }) => type === 'SuccessCriteriaMet' || type === 'FailureTarget');
    if (truth.startedAt === undefined) truth.outcome = 'never_started';
    else if (hint === undefined) truth.outcome = outcome;
    else truth.outcome = hint.type === 'FailureTarget' ? 'failed' : 'succeeded';
    truth.endedAt = hint === undefined ? at : Date.parse(hint.lastTransitionTime);
  }

  #gone(uid: string, truth: JobTruth): void {
    const job = this.#api.get('jobs', uid);
    this.#api.remove('jobs', uid);
    truth.removedAt = this.#scheduler.now;
    if (job !== undefined) this.onOver(job);
  }

  #pod({ metadata: { uid } }: KubeObject, status: object, nodeName?: string): boolean {
    const pod = this.#api.change('pods', uid, (before) => ({
      spec: nodeName === undefined ? before.spec : { ...before.spec, nodeName },
      status: { ...before.status, ...status },
    }));
    return pod !== undefined && !isBeingDeleted(pod);
  }

  #of(uid: string): JobTruth {
    return this.#truth.jobs.get(uid)!;
  }
}

function seconds(at: number): number {
  return Math.floor(at / 1000) * 1000;
}

function messageOf(reason: string): string {
  return reason === 'DeadlineExceeded'
    ? 'Job was active longer than specified deadline'
    : 'Job has reached the specified backoff limit';
}
