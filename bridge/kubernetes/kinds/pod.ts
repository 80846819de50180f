import { isOwnAnnotation } from '../annotations.ts';
import type { Instant } from '../../lib/clock.ts';
import type { Condition } from '../conditions.ts';
import { CONDITIONS, readConditions } from '../conditions.ts';
import type { KubeObject } from '../fields.ts';
import { countAt, intAt, messageAt, objectAt, objectsAt, textAt, timeAt } from '../fields.ts';
import { readMetadata } from '../metadata.ts';
import type { KindSpec } from '../kind-spec.ts';
import type { ObjectFacts } from '../object-facts.ts';
import type { FieldsPlan } from '../plan.ts';
import { redactImage } from '../redact.ts';

export type ContainerType = 'app' | 'init' | 'sidecar' | 'ephemeral';

export interface Termination {
  /** Of what ended, by its runtime, shortened; kubelet makes up ends without one (`ContainerStatusUnknown`). */
  readonly containerId?: string;
  readonly exitCode: number;
  readonly signal: number | undefined;
  readonly reason: string | undefined;
  readonly message: string | undefined;
  readonly startedAt: Instant | undefined;
  readonly finishedAt: Instant | undefined;
}

export interface ContainerFacts {
  readonly name: string;
  readonly type: ContainerType;
  readonly image: string;
  /** The image as the pod's spec has it; absent where its status alone names the container. */
  readonly specImage?: string;
  /** What its node made of it, such as `docker.io/library/busybox@sha256:…`; absent until it is there. */
  readonly imageId?: string;
  readonly restartCount: number;
  readonly waiting: { readonly reason: string; readonly message: string | undefined } | undefined;
  readonly runningSince: Instant | undefined;
  readonly terminated: Termination | undefined;
  readonly lastTerminated: Termination | undefined;
}

/** What a condition says of its cause. */
export interface Because {
  readonly reason: string;
  readonly message: string | undefined;
}

/** True where a pod's phase is its last. */
export function isLastPhase(phase: unknown): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}

export interface PodFacts extends ObjectFacts {
  readonly kind: 'Pod';
  readonly phase: string;
  readonly reason: string | undefined;
  readonly message: string | undefined;
  readonly nodeName: string | undefined;
  /** When it got a node. */
  readonly podScheduledAt?: Instant;
  readonly startAt: Instant | undefined;
  readonly restartPolicy: string | undefined;
  /** The kubelet's copy of a static pod: no run. */
  readonly mirror: boolean;
  readonly unschedulable: string | undefined;
  /** Why it has no node for another reason: it is gated, or its scheduler failed. */
  readonly unscheduled?: Because;
  /** The condition `DisruptionTarget`: it is evicted, preempted, or goes with its node. */
  readonly disruption?: Because;
  /** `batch.kubernetes.io/job-completion-index` of an indexed Job's pod. */
  readonly completionIndex: number | undefined;
  readonly containers: readonly ContainerFacts[];
}

const TERMINATED: FieldsPlan = {
  containerID: 'scalar',
  exitCode: 'scalar',
  signal: 'scalar',
  reason: 'scalar',
  message: 'scalar',
  startedAt: 'scalar',
  finishedAt: 'scalar',
};

const CONTAINER_STATUSES: FieldsPlan = {
  name: 'scalar',
  image: 'scalar',
  imageID: 'scalar',
  restartCount: 'scalar',
  state: { waiting: { reason: 'scalar', message: 'scalar' }, running: { startedAt: 'scalar' }, terminated: TERMINATED },
  lastState: { terminated: TERMINATED },
};

const PLAN: FieldsPlan = {
  spec: {
    nodeName: 'scalar',
    restartPolicy: 'scalar',
    containers: { name: 'scalar', image: 'scalar' },
    initContainers: { name: 'scalar', image: 'scalar', restartPolicy: 'scalar' },
  },
  status: {
    phase: 'scalar',
    reason: 'scalar',
    message: 'scalar',
    startTime: 'scalar',
    conditions: CONDITIONS,
    initContainerStatuses: CONTAINER_STATUSES,
    containerStatuses: CONTAINER_STATUSES,
    ephemeralContainerStatuses: CONTAINER_STATUSES,
  },
};

const MIRROR = 'kubernetes.io/config.mirror';
const COMPLETION_INDEX = 'batch.kubernetes.io/job-completion-index';

/** Containers of all four kinds, in `state` and `lastState`. */
function read(object: KubeObject, keeps = isOwnAnnotation): PodFacts {
  const spec = objectAt(object, 'spec');
  const status = objectAt(object, 'status');
  const metadata = readMetadata(object, keeps);
  const conditions = readConditions(status);
  const scheduled = conditions.find((condition) => condition.type === 'PodScheduled');
  const podScheduledAt = scheduled?.status === 'True' ? scheduled.at : undefined;
  const unscheduled = scheduled?.status === 'False' ? scheduled : undefined;
  const isUnschedulable = unscheduled?.reason === 'Unschedulable';
  const disruption = conditions.find(({ type, status }) => type === 'DisruptionTarget' && status === 'True');
  return {
    kind: 'Pod',
    ...metadata,
    phase: textAt(status, 'phase') ?? 'Pending',
    reason: messageAt(status, 'reason'),
    message: messageAt(status, 'message'),
    nodeName: textAt(spec, 'nodeName'),
    ...(podScheduledAt !== undefined && { podScheduledAt }),
    startAt: timeAt(status, 'startTime'),
    restartPolicy: textAt(spec, 'restartPolicy'),
    mirror: Object.hasOwn(metadata.annotations, MIRROR),
    unschedulable: isUnschedulable ? (unscheduled.message ?? '') : undefined,
    ...(unscheduled !== undefined && !isUnschedulable && { unscheduled: because(unscheduled) }),
    ...(disruption !== undefined && { disruption: because(disruption) }),
    completionIndex: readIndex(metadata.annotations[COMPLETION_INDEX]),
    containers: readContainers(spec, status),
  };
}

function readIndex(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function because({ type, reason = type, message }: Condition): Because {
  return { reason, message };
}

function readContainers(spec: KubeObject, status: KubeObject): ContainerFacts[] {
  const init = objectsAt(spec, 'initContainers');
  const sidecars = new Set(
    init.filter((it) => textAt(it, 'restartPolicy') === 'Always').map((it) => textAt(it, 'name')),
  );
  const images = new Map(
    [...objectsAt(spec, 'containers'), ...init].map((it) => [textAt(it, 'name'), textAt(it, 'image')]),
  );
  const ofType = (field: string, type: ContainerType): ContainerFacts[] =>
    objectsAt(status, field).map((container) => readContainer(container, type, images.get(textAt(container, 'name'))));
  return [
    ...ofType('initContainerStatuses', 'init').map((container) =>
      sidecars.has(container.name) ? { ...container, type: 'sidecar' as const } : container,
    ),
    ...ofType('containerStatuses', 'app'),
    ...ofType('ephemeralContainerStatuses', 'ephemeral'),
  ];
}

function readContainer(container: KubeObject, type: ContainerType, specImage: string | undefined): ContainerFacts {
  const state = objectAt(container, 'state');
  const waiting = objectAt(state, 'waiting');
  const reason = messageAt(waiting, 'reason');
  const imageId = textAt(container, 'imageID');
  return {
    name: textAt(container, 'name') ?? '',
    type,
    image: redactImage(textAt(container, 'image') ?? ''),
    ...(specImage !== undefined && { specImage: redactImage(specImage) }),
    ...(imageId !== undefined && { imageId: redactImage(imageId) }),
    restartCount: countAt(container, 'restartCount') ?? 0,
    waiting: reason === undefined ? undefined : { reason, message: messageAt(waiting, 'message') },
    runningSince: timeAt(objectAt(state, 'running'), 'startedAt'),
    terminated: readTermination(state),
    lastTerminated: readTermination(objectAt(container, 'lastState')),
  };
}

function readTermination(state: KubeObject): Termination | undefined {
  const terminated = objectAt(state, 'terminated');
  const exitCode = intAt(terminated, 'exitCode');
  if (exitCode === undefined) return undefined;
  // `containerd://9f6b…`: 16 digits are unique within a pod.
  const id = textAt(terminated, 'containerID');
  return {
    ...(id !== undefined && { containerId: id.slice(id.lastIndexOf('/') + 1).slice(0, 16) }),
    exitCode,
    signal: intAt(terminated, 'signal'),
    reason: messageAt(terminated, 'reason'),
    message: messageAt(terminated, 'message'),
    startedAt: timeAt(terminated, 'startedAt'),
    finishedAt: timeAt(terminated, 'finishedAt'),
  };
}

export const POD: KindSpec<PodFacts> = {
  apiVersion: 'v1',
  resource: 'pods',
  namespaced: true,
  plan: PLAN,
  read,
  schema: 5,
  longLived: false,
  audit: 'full',
};
