import type { KubeObject } from './fields.ts';
import { countAt, intAt, messageAt, objectAt, objectsAt, textAt, timeAt } from './fields.ts';
import { readMetadata } from './metadata.ts';
import type { Because, Condition, ContainerFacts, ContainerType, PodFacts, Termination } from './observation.ts';
import { readConditions } from './read-job.ts';
import { redactImage } from './redact.ts';

const MIRROR = 'kubernetes.io/config.mirror';
const COMPLETION_INDEX = 'batch.kubernetes.io/job-completion-index';

/** Facts of a core/v1 Pod: containers of all four kinds, in `state` and `lastState`. */
export function readPod(object: KubeObject): PodFacts {
  const spec = objectAt(object, 'spec');
  const status = objectAt(object, 'status');
  const metadata = readMetadata(object);
  const conditions = readConditions(status);
  const scheduled = conditions.find((condition) => condition.type === 'PodScheduled');
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
    image: redactImage(textAt(container, 'image') ?? ''),
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
