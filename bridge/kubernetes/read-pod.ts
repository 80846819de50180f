import type { KubeObject } from './fields.ts';
import { messageAt, numberAt, objectAt, objectsAt, textAt, timeAt } from './fields.ts';
import { readMetadata } from './metadata.ts';
import type { ContainerFacts, ContainerType, PodFacts, Termination } from './observation.ts';
import { readConditions } from './read-job.ts';

const MIRROR = 'kubernetes.io/config.mirror';
const COMPLETION_INDEX = 'batch.kubernetes.io/job-completion-index';

/** Facts of a core/v1 Pod: containers of all four kinds, in `state` and `lastState`. */
export function readPod(object: KubeObject): PodFacts {
  const spec = objectAt(object, 'spec');
  const status = objectAt(object, 'status');
  const metadata = readMetadata(object);
  const scheduled = readConditions(status).find((condition) => condition.type === 'PodScheduled');
  const index = Number.parseInt(metadata.annotations[COMPLETION_INDEX] ?? '', 10);
  return {
    kind: 'Pod',
    ...metadata,
    phase: textAt(status, 'phase') ?? 'Pending',
    reason: messageAt(status, 'reason'),
    message: messageAt(status, 'message'),
    nodeName: textAt(spec, 'nodeName'),
    startAt: timeAt(status, 'startTime'),
    restartPolicy: textAt(spec, 'restartPolicy'),
    mirror: Object.hasOwn(metadata.annotations, MIRROR),
    unschedulable:
      scheduled?.status === 'False' && scheduled.reason === 'Unschedulable' ? (scheduled.message ?? '') : undefined,
    completionIndex: Number.isNaN(index) ? undefined : index,
    containers: readContainers(spec, status),
  };
}

function readContainers(spec: KubeObject, status: KubeObject): ContainerFacts[] {
  const sidecars = new Set(
    objectsAt(spec, 'initContainers')
      .filter((container) => textAt(container, 'restartPolicy') === 'Always')
      .map((container) => textAt(container, 'name')),
  );
  const read = (field: string, type: ContainerType): ContainerFacts[] =>
    objectsAt(status, field).map((container) => readContainer(container, type));
  return [
    ...read('initContainerStatuses', 'init').map((container) =>
      sidecars.has(container.name) ? { ...container, type: 'sidecar' as const } : container,
    ),
    ...read('containerStatuses', 'app'),
    ...read('ephemeralContainerStatuses', 'ephemeral'),
  ];
}

function readContainer(container: KubeObject, type: ContainerType): ContainerFacts {
  const state = objectAt(container, 'state');
  const waiting = objectAt(state, 'waiting');
  const reason = messageAt(waiting, 'reason');
  return {
    name: textAt(container, 'name') ?? '',
    type,
    image: textAt(container, 'image') ?? '',
    restartCount: numberAt(container, 'restartCount') ?? 0,
    waiting: reason === undefined ? undefined : { reason, message: messageAt(waiting, 'message') },
    runningSince: timeAt(objectAt(state, 'running'), 'startedAt'),
    terminated: readTermination(state),
    lastTerminated: readTermination(objectAt(container, 'lastState')),
  };
}

function readTermination(state: KubeObject): Termination | undefined {
  const terminated = objectAt(state, 'terminated');
  const exitCode = numberAt(terminated, 'exitCode');
  if (exitCode === undefined) return undefined;
  // `containerd://9f6b…`: 16 digits are unique within a pod.
  const id = textAt(terminated, 'containerID');
  return {
    ...(id !== undefined && { containerId: id.slice(id.lastIndexOf('/') + 1).slice(0, 16) }),
    exitCode,
    signal: numberAt(terminated, 'signal'),
    reason: messageAt(terminated, 'reason'),
    message: messageAt(terminated, 'message'),
    startedAt: timeAt(terminated, 'startedAt'),
    finishedAt: timeAt(terminated, 'finishedAt'),
  };
}
