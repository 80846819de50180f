import type { Fields, KubeObject } from './objects.ts';
import { timestamp } from './objects.ts';
import type { Controlled } from './workload-revisions.ts';
import { REVISION } from './workload-objects.ts';

export interface Written {
  readonly status: Fields;
  readonly annotations: Readonly<Record<string, string>>;
  /** It says how the rollout of the newest revision ended. */
  readonly proof: 'succeeded' | 'failed' | undefined;
}

interface Now {
  readonly wanted: number;
  readonly now: number;
  /** The progress deadline is over. */
  readonly isLate: boolean;
}

interface Counted extends Now {
  /** Pods of the newest revision, all pods, and those that are up. */
  readonly fresh: number;
  readonly all: number;
  readonly up: number;
  readonly isUp: boolean;
}

/** The status that its controller writes; `child`: the ReplicaSet or ControllerRevision of its template. */
export function statusOf(
  one: Controlled,
  { child, stable }: { readonly child: KubeObject; readonly stable: KubeObject | undefined },
  before: KubeObject,
  now: Now,
): Written {
  // While it is paused there is no ReplicaSet of a template that has changed.
  const isBehind = one.paused && one.template !== one.current!.template;
  const fresh = isBehind ? 0 : [...one.pods].filter(([, of]) => of === one.current).length;
  const [all, up] = [one.pods.size, one.up.size];
  const counted = { ...now, fresh, all, up, isUp: fresh >= now.wanted && all <= fresh && up >= fresh };
  if (one.plan.kind === 'Deployment') return ofDeployment(one, child.metadata.name, before, counted);
  const status = { observedGeneration: before.metadata.generation };
  if (one.plan.kind === 'StatefulSet') return ofStatefulSet(status, child, stable ?? child, counted);
  return {
    status: {
      ...status,
      desiredNumberScheduled: now.wanted,
      currentNumberScheduled: all,
      updatedNumberScheduled: fresh,
      numberReady: up,
      numberAvailable: up,
    },
    annotations: {},
    proof: counted.isUp ? 'succeeded' : undefined,
  };
}

function ofDeployment(one: Controlled, child: string, before: KubeObject, counted: Counted): Written {
  const { fresh, all, up, isUp, wanted, isLate, now } = counted;
  const known = progressingOf(before);
  const isSame = known !== undefined && String(known['message']).includes(`"${child}"`);
  const isDone = isSame && known['reason'] === 'NewReplicaSetAvailable';
  const proof = verdict(isDone, isUp && !one.paused && wanted > 0, isLate);
  const condition = conditionOf(one, child, { known: isSame ? known : undefined, proof, now });
  return {
    status: {
      observedGeneration: before.metadata.generation,
      replicas: all,
      updatedReplicas: fresh,
      readyReplicas: up,
      availableReplicas: up,
      conditions: isDone ? before.status['conditions'] : [condition],
    },
    annotations: { [REVISION]: String(one.current!.revision) },
    proof: one.paused ? undefined : proof,
  };
}

function ofStatefulSet(status: Fields, child: KubeObject, stable: KubeObject, counted: Counted): Written {
  const { fresh, all, up, isUp, wanted } = counted;
  return {
    status: {
      ...status,
      replicas: all,
      updatedReplicas: fresh,
      readyReplicas: up,
      availableReplicas: up,
      currentRevision: (isUp ? child : stable).metadata.name,
      updateRevision: child.metadata.name,
    },
    annotations: {},
    proof: isUp && wanted > 0 ? 'succeeded' : undefined,
  };
}

function verdict(isDone: boolean, isUp: boolean, isLate: boolean): Written['proof'] {
  if (isDone || isUp) return 'succeeded';
  return isLate ? 'failed' : undefined;
}

function progressingOf({ status }: KubeObject): Fields | undefined {
  return (status['conditions'] as readonly Fields[] | undefined)?.[0];
}

/** The condition Progressing: its time of the last write moves with each progress. */
function conditionOf(
  one: Controlled,
  name: string,
  given: {
    readonly known: Fields | undefined;
    readonly proof: Written['proof'];
    readonly now: number;
  },
): Fields {
  const { known, proof, now } = given;
  const [reason, text] = reasonOf(one, known, proof);
  const ended = proof === 'failed' ? 'False' : 'True';
  const status = one.paused ? 'Unknown' : ended;
  const message = text.replace('%', `"${name}"`);
  if (known?.['reason'] === reason && known['message'] === message && reason !== 'ReplicaSetUpdated') return known;
  const at = timestamp(now);
  const since = known?.['status'] === status ? known['lastTransitionTime'] : at;
  return { type: 'Progressing', status, reason, message, lastUpdateTime: at, lastTransitionTime: since };
}

function reasonOf(one: Controlled, known: Fields | undefined, proof: Written['proof']): readonly [string, string] {
  if (one.paused) return ['DeploymentPaused', 'Deployment is paused'];
  if (proof === 'succeeded') return ['NewReplicaSetAvailable', 'ReplicaSet % has successfully progressed.'];
  if (proof === 'failed') return ['ProgressDeadlineExceeded', 'ReplicaSet % has timed out progressing.'];
  if (known !== undefined) return ['ReplicaSetUpdated', 'ReplicaSet % is progressing.'];
  return one.current!.former.length > 0
    ? ['FoundNewReplicaSet', 'Found new replica set %']
    : ['NewReplicaSetCreated', 'Created new replica set %'];
}
