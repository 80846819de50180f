import { uuidv5 } from '../../../bridge/lib/ids.ts';
import type { Random } from '../random.ts';
import { uuid, whole } from '../random.ts';
import type { Scheduler } from '../scheduler.ts';
import type { ApiServer } from './api-server.ts';
import type { Clocks } from './clocks.ts';
import type { RevisionResource, WorkloadResource } from './objects.ts';
import { resourceOf } from './objects.ts';
import type { RolloutTruth, WorkloadTruth } from './truth.ts';
import type { Template, WorkloadKind } from './workload-objects.ts';
import { childOf, FORMER, REVISION } from './workload-objects.ts';

/** A workload as the plan of a world has it. */
export interface WorkloadPlan {
  readonly name: string;
  readonly namespace: string;
  readonly kind: WorkloadKind;
  readonly replicas: number;
}

/** A ReplicaSet or ControllerRevision. */
export interface Child {
  readonly uid: string;
  readonly template: Template;
  revision: number;
  former: number[];
}

/** What its controller knows of a workload. */
export interface Controlled {
  readonly uid: string;
  readonly plan: WorkloadPlan;
  readonly truth: WorkloadTruth;
  readonly random: Random;
  readonly children: Child[];
  template: Template;
  replicas: number;
  paused: boolean;
  /** UIDs of pods that are up. */
  readonly up: Set<string>;
  /** UIDs of pods with the child that they are of. */
  readonly pods: Map<string, Child>;
  /** The child that its controller works for, and since when. */
  current: Child | undefined;
  currentSince: number;
  /** Of a StatefulSet the one that all its pods had before. */
  stable: Child | undefined;
  isPlanned: boolean;
}

const HISTORY = 3;

export function resourceOfWorkload({ plan }: Controlled): WorkloadResource {
  return resourceOf({ kind: plan.kind }) as WorkloadResource;
}

export function resourceOfChildren({ plan }: Controlled): RevisionResource {
  return plan.kind === 'Deployment' ? 'replicasets' : 'controllerrevisions';
}

/** ReplicaSets and ControllerRevisions as their controllers make, number and forget them. */
export class Revisions {
  readonly #scheduler: Scheduler;
  readonly #api: ApiServer;
  readonly #clocks: Clocks;

  constructor(scheduler: Scheduler, api: ApiServer, clocks: Clocks) {
    this.#scheduler = scheduler;
    this.#api = api;
    this.#clocks = clocks;
  }

  /** The child of the template, made or brought back with the next number; false if it is that already. */
  adopt(one: Controlled): boolean {
    const { template, children } = one;
    const known = children.find(
      (child) => child.template.image === template.image && child.template.restartedAt === template.restartedAt,
    );
    if (known !== undefined && known === one.current) return false;
    const revision = Math.max(0, ...children.map((child) => child.revision)) + 1;
    const before = one.truth.rollouts.at(-1);
    let child = known;
    if (child === undefined) child = this.#makeChild(one, revision);
    else this.#renumber(one, child, revision);
    one.current = child;
    one.currentSince = this.#scheduler.now;
    if (before !== undefined && before.outcome === undefined)
      end(before, known === undefined ? 'superseded' : 'rolled_back', this.#clocks.manager());
    const childVersion = this.#api.version;
    const startedAt = known === undefined ? Math.floor(this.#clocks.api() / 1000) * 1000 : undefined;
    const uid = uuidv5(`${one.uid}/${revision}`);
    const { truth: workload } = one;
    workload.rollouts.push({
      uid,
      workload,
      revision,
      startedAt,
      child: child.uid,
      childVersion,
      versions: [],
      proofs: [],
    });
    this.#forgetOld(one);
    return true;
  }

  #makeChild(one: Controlled, revision: number): Child {
    const { plan, template, random } = one;
    const name = `${plan.name}-${whole(random, 1_000_000, 9_999_999).toString(16)}`;
    const child: Child = { uid: uuid(random), template, revision, former: [] };
    const workload = this.#api.get(resourceOfWorkload(one), one.uid)!;
    const named = { name, namespace: plan.namespace, uid: child.uid, at: this.#clocks.api() };
    this.#api.put(childOf(workload, named, template, revision));
    one.children.push(child);
    return child;
  }

  #renumber({ plan }: Controlled, child: Child, revision: number): void {
    child.former.push(child.revision);
    child.revision = revision;
    if (plan.kind === 'Deployment')
      this.#api.change('replicasets', child.uid, ({ metadata }) => ({
        metadata: {
          ...metadata,
          annotations: { ...metadata.annotations, [REVISION]: String(revision), [FORMER]: child.former.join(',') },
        },
      }));
    else this.#api.change('controllerrevisions', child.uid, () => ({ revision }));
  }

  /** Old revisions without pods go, beyond the limit of the history. */
  #forgetOld(one: Controlled): void {
    const used = new Set(one.pods.values());
    const old = one.children.filter((child) => child !== one.current && child !== one.stable && !used.has(child));
    const resource = resourceOfChildren(one);
    for (const child of old.toSorted((a, b) => a.revision - b.revision).slice(0, Math.max(0, old.length - HISTORY))) {
      one.children.splice(one.children.indexOf(child), 1);
      this.#api.remove(resource, child.uid);
    }
  }
}

export function end(rollout: RolloutTruth, outcome: NonNullable<RolloutTruth['outcome']>, at: number): void {
  rollout.outcome = outcome;
  rollout.endedAt = at;
}
