import { condition, T0 } from '../../../test/fixtures/facts.ts';
import type { ControllerRevisionFacts } from '../../kubernetes/kinds/controller-revision.ts';
import type { DaemonSetFacts } from '../../kubernetes/kinds/daemonset.ts';
import type { DeploymentFacts } from '../../kubernetes/kinds/deployment.ts';
import type { ReplicaSetFacts } from '../../kubernetes/kinds/replicaset.ts';
import type { StatefulSetFacts } from '../../kubernetes/kinds/statefulset.ts';
import type { Condition, Observation, PodFacts } from '../../kubernetes/observation.ts';
import type { Instant } from '../../lib/clock.ts';
import type { PodState } from '../pod-state.ts';
import { reducePod } from '../pod.ts';
import { mergeRevision } from '../rollout-revision.ts';
import type { RevisionFacts, WorkloadFacts } from '../rollout-run.ts';
import type { RolloutState } from '../rollout.ts';
import { reduceRollout } from '../rollout.ts';
import type { Transition } from '../transition.ts';

export const at = (seconds: number): Instant => T0 + seconds * 1_000;

export type Seen = Observation<WorkloadFacts | RevisionFacts | PodFacts>;

const metadata = {
  namespace: 'shop',
  resourceVersion: '100',
  createdAt: T0,
  deletionAt: undefined,
  owner: undefined,
  labels: {},
  annotations: {},
};
const WEB = '44444444-0000-4000-8000-000000000001';

export function progress(
  reason: string,
  replicaSet: string,
  seconds: number,
  changes: Partial<Condition> = {},
): Condition {
  const message = `ReplicaSet "${replicaSet}" is progressing.`;
  return condition('Progressing', at(seconds), { reason, message, ...changes });
}

/** A Deployment of three pods, all of them up. */
export function deployment(changes: Partial<DeploymentFacts> = {}): DeploymentFacts {
  return {
    kind: 'Deployment',
    ...metadata,
    uid: WEB,
    name: 'web',
    generation: 1,
    observedGeneration: 1,
    revision: 1,
    paused: false,
    desired: 3,
    replicas: 3,
    updated: 3,
    ready: 3,
    available: 3,
    conditions: [],
    ...changes,
  };
}

const owned = (kind: string, name: string, uid: string) => ({ group: 'apps', kind, name, uid });

export function replicaSet(letter: string, changes: Partial<ReplicaSetFacts> = {}): ReplicaSetFacts {
  return {
    kind: 'ReplicaSet',
    ...metadata,
    uid: `rs-${letter}`,
    name: `web-${letter}`,
    owner: owned('Deployment', 'web', WEB),
    images: [`shop/web:${letter}`],
    restartedAt: undefined,
    revision: 1,
    former: [],
    desired: 3,
    replicas: 3,
    available: 3,
    ...changes,
  };
}

const LEDGER = '55555555-0000-4000-8000-000000000001';

export function statefulSet(changes: Partial<StatefulSetFacts> = {}): StatefulSetFacts {
  return {
    kind: 'StatefulSet',
    ...metadata,
    uid: LEDGER,
    name: 'ledger',
    generation: 1,
    observedGeneration: 1,
    onDelete: false,
    partition: 0,
    currentRevision: 'ledger-a',
    updateRevision: 'ledger-a',
    desired: 3,
    replicas: 3,
    updated: 3,
    ready: 3,
    available: 3,
    ...changes,
  };
}

const AGENT = '66666666-0000-4000-8000-000000000001';

export function daemonSet(changes: Partial<DaemonSetFacts> = {}): DaemonSetFacts {
  return {
    kind: 'DaemonSet',
    ...metadata,
    uid: AGENT,
    name: 'agent',
    generation: 1,
    observedGeneration: 1,
    onDelete: false,
    templateGeneration: 1,
    desired: 3,
    replicas: 3,
    updated: 3,
    ready: 3,
    available: 3,
    ...changes,
  };
}

export function controllerRevision(
  of: 'ledger' | 'agent',
  letter: string,
  changes: Partial<ControllerRevisionFacts> = {},
): ControllerRevisionFacts {
  const owner = of === 'ledger' ? owned('StatefulSet', of, LEDGER) : owned('DaemonSet', of, AGENT);
  return {
    kind: 'ControllerRevision',
    ...metadata,
    uid: `${of}-cr-${letter}`,
    name: `${of}-${letter}`,
    owner,
    labels: of === 'agent' ? { 'controller-revision-hash': letter } : {},
    images: [`shop/${of}:${letter}`],
    restartedAt: undefined,
    revision: 1,
    former: [],
    templateGeneration: undefined,
    ...changes,
  };
}

/** What follows from records of workloads, their revisions and their pods, in the order in which they are seen. */
export class Rollouts {
  readonly reported: Transition[] = [];
  readonly #states = new Map<string, RolloutState>();
  readonly #children = new Map<string, RevisionFacts>();
  readonly #pods = new Map<string, PodState>();
  readonly #followedSince: Instant | undefined;
  #version = 100;

  constructor(followedSince?: Instant) {
    this.#followedSince = followedSince;
  }

  /** A record with the next version, observed at this second; returns what it made known. */
  see(seconds: number, facts: WorkloadFacts | RevisionFacts | PodFacts, deleted = false): string[] {
    const versioned = { ...facts, resourceVersion: String(++this.#version) };
    return this.take({ facts: versioned, deleted, observedAt: at(seconds) }).map(brief);
  }

  take({ facts, ...rest }: Seen): Transition[] {
    if (facts.kind === 'Pod') {
      const before = this.#pods.get(facts.uid);
      this.#pods.set(facts.uid, stored(reducePod(before, { ...rest, facts }).state));
      return this.#again(rest.observedAt);
    }
    if (facts.kind === 'ReplicaSet' || facts.kind === 'ControllerRevision') {
      this.#children.set(facts.uid, stored(mergeRevision(this.#children.get(facts.uid), facts)));
      return this.#again(rest.observedAt);
    }
    return this.#reduce({ ...rest, facts });
  }

  /** All revisions were LISTed at this version. */
  list(seconds: number, version: string): string[] {
    return this.#again(at(seconds), version).map(brief);
  }

  state(name: string): RolloutState | undefined {
    return [...this.#states.values()].find(({ facts }) => facts.name === name);
  }

  put(state: RolloutState): void {
    this.#states.set(state.facts.uid, stored(state));
  }

  /** How each revision of a workload ended so far, the oldest first. */
  outcomes(name: string): string[] {
    const runs = this.state(name)?.runs ?? [];
    return runs.map(({ revision, ended }) => `${revision} ${ended?.outcome ?? 'open'}`).toReversed();
  }

  #again(observedAt: Instant, listed?: string): Transition[] {
    return [...this.#states.values()].flatMap(({ facts }) =>
      this.#reduce({ facts, deleted: false, observedAt }, listed),
    );
  }

  #reduce(observation: Observation<WorkloadFacts>, listed?: string): Transition[] {
    const { uid } = observation.facts;
    const children = [...this.#children.values()].filter(({ owner }) => owner?.uid === uid);
    const owners = new Set([uid, ...children.map((child) => child.uid)]);
    const pods = [...this.#pods.values()].filter(({ facts }) => owners.has(facts.owner?.uid ?? ''));
    const since = this.#followedSince;
    const around = {
      children,
      pods,
      ...(since !== undefined && { followedSince: since }),
      ...(listed !== undefined && { listed }),
    };
    const { state, transitions } = reduceRollout(this.#states.get(uid), observation, around);
    this.#states.set(uid, stored(state));
    this.reported.push(...transitions);
    return [...transitions];
  }
}

/** `2/ended failed` of the id UID/2/ended. */
export function brief({ id, outcome }: Transition): string {
  return [id.slice(id.indexOf('/') + 1), ...(outcome === undefined ? [] : [outcome])].join(' ');
}

/** As it comes back from the store. */
function stored<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
