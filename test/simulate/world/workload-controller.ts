import { randomOf, skewed, uuid, whole } from '../random.ts';
import type { Scheduler } from '../scheduler.ts';
import type { ApiServer } from './api-server.ts';
import type { Clocks } from './clocks.ts';
import type { JobController } from './job-controller.ts';
import type { KubeObject, Metadata } from './objects.ts';
import { isBeingDeleted, timestamp } from './objects.ts';
import type { Truth, WorkloadTruth } from './truth.ts';
import type { Template } from './workload-objects.ts';
import { podOf, TEMPLATE_GENERATION, templateOf, upStatus, waitingStatus, workloadOf } from './workload-objects.ts';
import type { Child, Controlled, WorkloadPlan } from './workload-revisions.ts';
import { end, resourceOfChildren, resourceOfWorkload, Revisions } from './workload-revisions.ts';
import { statusOf } from './workload-status.ts';

const DEADLINE_MS = 300_000;

/** The controllers of Deployments, StatefulSets and DaemonSets, with those of their ReplicaSets and their kubelets. */
export class WorkloadController {
  readonly #scheduler: Scheduler;
  readonly #api: ApiServer;
  readonly #clocks: Clocks;
  readonly #truth: Truth;
  readonly #jobs: JobController;
  readonly #revisions: Revisions;
  readonly #controlled = new Map<string, Controlled>();

  constructor(scheduler: Scheduler, api: ApiServer, clocks: Clocks, truth: Truth, jobs: JobController) {
    this.#scheduler = scheduler;
    this.#api = api;
    this.#clocks = clocks;
    this.#truth = truth;
    this.#jobs = jobs;
    this.#revisions = new Revisions(scheduler, api, clocks);
  }

  create(plan: WorkloadPlan, generation: number): void {
    const { namespace, name, kind, replicas } = plan;
    const random = randomOf('workload', namespace, name, generation);
    const uid = uuid(random);
    const template = { image: `shop/${name}:1`, bad: false };
    const truth: WorkloadTruth = { uid, kind, namespace, name, rollouts: [] };
    this.#truth.workloads.set(uid, truth);
    this.#api.put(workloadOf(kind, { name, namespace, uid, at: this.#clocks.api() }, replicas, template));
    this.#controlled.set(uid, {
      uid,
      plan,
      truth,
      random,
      children: [],
      template,
      replicas,
      paused: false,
      up: new Set(),
      pods: new Map(),
      current: undefined,
      currentSince: 0,
      stable: undefined,
      isPlanned: false,
    });
    this.#soon(this.#controlled.get(uid)!);
  }

  find({ namespace, name, kind }: Pick<WorkloadPlan, 'namespace' | 'name' | 'kind'>): Controlled | undefined {
    return [...this.#controlled.values()].find(
      ({ plan, truth }) =>
        plan.namespace === namespace && plan.name === name && plan.kind === kind && truth.deletedAt === undefined,
    );
  }

  /** A person or a pipeline changes its template. */
  rollOut(one: Controlled, template: Template): void {
    if (template.image === one.template.image && template.restartedAt === one.template.restartedAt) return;
    one.template = template;
    this.#edit(one, { template: templateOf(template) }, true);
  }

  /** `kubectl rollout undo`: back to the template before. */
  rollBack(one: Controlled): void {
    const before = one.children.filter((child) => child !== one.current).toSorted((a, b) => b.revision - a.revision)[0];
    if (before !== undefined) this.rollOut(one, before.template);
  }

  restart(one: Controlled): void {
    this.rollOut(one, { ...one.template, restartedAt: timestamp(this.#clocks.api()) });
  }

  scale(one: Controlled, replicas: number): void {
    if (one.plan.kind === 'DaemonSet' || replicas === one.replicas) return;
    one.replicas = replicas;
    this.#edit(one, { replicas }, false);
  }

  pause(one: Controlled, paused: boolean): void {
    if (one.plan.kind !== 'Deployment') return;
    one.paused = paused;
    this.#edit(one, { paused }, false);
  }

  delete(one: Controlled): void {
    const { uid, truth } = one;
    this.#api.remove(resourceOfWorkload(one), uid);
    truth.deletedAt = this.#scheduler.now;
    const open = truth.rollouts.at(-1);
    if (open !== undefined && open.outcome === undefined) end(open, 'cancelled', this.#scheduler.now);
    const resource = resourceOfChildren(one);
    for (const child of one.children)
      this.#scheduler.in(skewed(one.random, 50, 2_000), () => this.#api.remove(resource, child.uid));
    for (const pod of one.pods.keys()) this.#stopPod(one, pod);
  }

  #edit(one: Controlled, fields: object, isTemplate: boolean): void {
    this.#api.change(resourceOfWorkload(one), one.uid, ({ metadata, spec }) => ({
      spec: { ...spec, ...fields },
      metadata: edited(metadata, isTemplate && one.plan.kind === 'DaemonSet'),
    }));
    this.#soon(one);
  }

  /** Its controller looks at it. */
  #soon(one: Controlled): void {
    if (one.isPlanned) return;
    one.isPlanned = true;
    this.#scheduler.in(skewed(one.random, 20, 900), () => {
      one.isPlanned = false;
      if (one.truth.deletedAt === undefined) this.#reconcile(one);
    });
  }

  #reconcile(one: Controlled): void {
    const isNew = (!one.paused || one.current === undefined) && this.#revisions.adopt(one);
    if (isNew && one.plan.kind === 'Deployment') this.#scheduler.in(DEADLINE_MS + 500, () => this.#soon(one));
    this.#scalePods(one);
    this.#write(one);
  }

  /** One step: a new pod, or one less. A Deployment makes one more than it wants; the others first end one. */
  #scalePods(one: Controlled): void {
    const { pods, up, current, plan } = one;
    if (current === undefined || one.paused) return;
    const wanted = this.#wanted(one);
    const fresh = [...pods].filter(([, child]) => child === current);
    const old = [...pods].filter(([, child]) => child !== current);
    const surge = plan.kind === 'Deployment' ? 1 : 0;
    if (fresh.length < wanted && pods.size < wanted + surge) {
      this.#startPod(one, current);
      if (pods.size < wanted + surge) this.#soon(one);
    } else if (fresh.length > wanted) this.#stopPod(one, fresh.at(-1)![0]);
    else if (old.length > 0) {
      // One that is not up costs nothing.
      const down = old.find(([uid]) => !up.has(uid));
      if (down !== undefined) this.#stopPod(one, down[0]);
      else if (up.size >= wanted + surge) this.#stopPod(one, old.at(-1)![0]);
    }
  }

  #wanted(one: Controlled): number {
    return one.plan.kind === 'DaemonSet' ? one.plan.replicas : one.replicas;
  }

  #startPod(one: Controlled, child: Child): void {
    const { plan, random } = one;
    const resource = resourceOfChildren(one);
    const object = this.#api.get(resource, child.uid)!;
    const uid = uuid(random);
    const name = `${object.metadata.name}-${whole(random, 10_000, 99_999)}`;
    const workload = this.#api.get(resourceOfWorkload(one), one.uid)!;
    this.#api.put(
      podOf(workload, object, { name, namespace: plan.namespace, uid, at: this.#clocks.api() }, child.template),
    );
    one.pods.set(uid, child);
    const { bad, image } = child.template;
    this.#scheduler.in(skewed(random, 400, bad ? 3_000 : 15_000), () => {
      const pod = this.#api.get('pods', uid);
      if (pod === undefined || isBeingDeleted(pod)) return;
      const at = this.#clocks.kubelet();
      const status = bad ? waitingStatus(image, at) : upStatus(image, at);
      this.#api.change('pods', uid, (before) => ({ status: { ...before.status, ...status } }));
      if (!bad) one.up.add(uid);
      this.#soon(one);
    });
  }

  #stopPod(one: Controlled, uid: string): void {
    const pod = this.#api.get('pods', uid);
    one.pods.delete(uid);
    one.up.delete(uid);
    if (pod !== undefined && !isBeingDeleted(pod)) this.#jobs.stopPod(pod);
    this.#soon(one);
  }

  /** What its controller says of it; of a Deployment with its ReplicaSets. */
  #write(one: Controlled): void {
    const before = this.#api.get(resourceOfWorkload(one), one.uid)!;
    const { status, annotations, proof } = statusOf(one, this.#of(one), before, {
      wanted: this.#wanted(one),
      now: this.#clocks.manager(),
      isLate: this.#scheduler.now - one.currentSince > DEADLINE_MS,
    });
    if (one.plan.kind === 'Deployment') for (const child of one.children) this.#writeReplicaSet(one, child);
    const isSame = JSON.stringify(status) === JSON.stringify(before.status);
    if (!isSame) {
      this.#api.change(resourceOfWorkload(one), one.uid, ({ metadata }) => ({
        status,
        metadata: { ...metadata, annotations: { ...metadata.annotations, ...annotations } },
      }));
    }
    if (one.paused && one.template !== one.current?.template) return;
    const rollout = one.truth.rollouts.at(-1);
    if (rollout === undefined) return;
    if (!isSame) rollout.versions.push(this.#api.version);
    if (proof !== undefined && !isSame) rollout.proofs.push(this.#api.version);
    if (proof !== undefined && rollout.outcome === undefined) end(rollout, proof, this.#clocks.manager());
    if (proof === 'succeeded') one.stable = one.current;
  }

  #writeReplicaSet({ pods, up, current }: Controlled, child: Child): void {
    const own = [...pods].filter(([, of]) => of === child).map(([uid]) => uid);
    const spec = { replicas: own.length };
    const available = own.filter((uid) => up.has(uid)).length;
    const status = { replicas: own.length, availableReplicas: available };
    const before = this.#api.get('replicasets', child.uid);
    if (before === undefined || (child !== current && before.status['replicas'] === own.length)) return;
    if (JSON.stringify(before.status) === JSON.stringify(status)) return;
    this.#api.change('replicasets', child.uid, (object) => ({ spec: { ...object.spec, ...spec }, status }));
  }

  #of(one: Controlled): { readonly child: KubeObject; readonly stable: KubeObject | undefined } {
    const resource = resourceOfChildren(one);
    const stable = one.stable && this.#api.get(resource, one.stable.uid);
    return { child: this.#api.get(resource, one.current!.uid)!, stable };
  }
}

/** The API server counts changes of the spec, and of a DaemonSet's template. */
function edited(metadata: Metadata, isTemplate: boolean): Metadata {
  const { annotations = {}, generation = 1 } = metadata;
  const count = isTemplate && { [TEMPLATE_GENERATION]: String(Number(annotations[TEMPLATE_GENERATION]) + 1) };
  return { ...metadata, generation: generation + 1, annotations: { ...annotations, ...count } };
}
