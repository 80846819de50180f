import type { ContainerFacts, PodFacts } from '../../kubernetes/observation.ts';
import type { Attempt, Transition } from '../../lifecycle/transition.ts';

/** What went wrong, as far as it decides which issue it belongs to. */
export interface Failure {
  readonly kind: FailureKind;
  readonly container?: string | undefined;
  /** What distinguishes it from other failures of its kind: an exit code, a reason, the shape of a message. */
  readonly detail?: string;
}

/**
 * `crash` and `oom`: a container ended; `image`, `config`: it cannot start; `unschedulable`, `pending`: the pod does not;
 * `pod`: it was evicted, refused, preempted or ran out of time; `node`: it was lost with its node; `create`, `progress`: a
 * rollout makes no pods, or no progress.
 */
export type FailureKind =
  | 'crash'
  | 'oom'
  | 'image'
  | 'config'
  | 'unschedulable'
  | 'pending'
  | 'pod'
  | 'node'
  | 'create'
  | 'progress'
  | 'run'
  | 'rollout'
  | 'warning';

interface Ended {
  readonly exitCode: number;
  readonly reason?: string | undefined;
}

/** Reasons that say no more than the exit code. */
const PLAIN: ReadonlySet<string | undefined> = new Set(['Error', 'Completed', 'OOMKilled', undefined, '']);

/** The end of a container: its exit code, or the reason if that says more. */
export function crash(container: string, { exitCode, reason }: Ended): Failure {
  if (reason === 'OOMKilled') return { kind: 'oom', container };
  const detail = PLAIN.has(reason) ? `exit code ${exitCode}` : `${reason}`;
  return { kind: 'crash', container, detail };
}

/** What a container waits for; a crash loop is the crash that it is about. */
function waitFailure(kind: FailureKind, container: ContainerFacts | undefined, name?: string): Failure {
  const last = container?.lastTerminated ?? container?.terminated;
  if (kind === 'crash' && last !== undefined && container !== undefined) return crash(container.name, last);
  const of = container?.name ?? name;
  return { kind, ...(of !== undefined && { container: of }) };
}

const GROUPS: ReadonlySet<string> = new Set([
  'image',
  'config',
  'crash',
  'unschedulable',
  'pending',
  'create',
  'progress',
]);

/** Of `run.stuck`: its id ends with the group of reasons that it was reported for. */
export function stuckFailure({ id, waiting }: Transition, pod: PodFacts | undefined): Failure {
  const group = id.slice(id.lastIndexOf('/') + 1);
  const kind = GROUPS.has(group) ? (group as FailureKind) : 'pending';
  const container = pod?.containers.find(({ name }) => name === waiting);
  return waitFailure(kind, container, waiting);
}

const IMAGE = /pull|ErrImage|InvalidImageName|RegistryUnavailable|ImageInspect/i;

/** What a pod waits or waited for, by the reason alone. */
export function failureOfWait({ waiting }: Pick<Attempt, 'waiting'>): Failure | undefined {
  if (waiting === undefined) return undefined;
  const { reason, container } = waiting;
  if (reason === 'Unschedulable') return { kind: 'unschedulable' };
  const of = { ...(container !== undefined && { container }) };
  if (reason === 'CrashLoopBackOff') return { kind: 'crash', ...of };
  if (IMAGE.test(reason)) return { kind: 'image', ...of };
  return /^(?:Create|RunContainer)/.test(reason) ? { kind: 'config', ...of } : { kind: 'pending', ...of };
}

/** How a pod failed; undefined for one that did not. */
export function failureOfAttempt(attempt: Attempt): Failure | undefined {
  const { failed, reason, container, exitCode } = attempt;
  if (failed === 'disrupted') return podFailure(reason ?? 'Disrupted');
  if (container === undefined || exitCode === undefined) return reason === undefined ? undefined : podFailure(reason);
  return exitCode === 0 && reason !== 'OOMKilled' ? undefined : crash(container, { exitCode, reason });
}

/** Reasons for which a pod is over because its node is. */
const NODE: ReadonlySet<string> = new Set([
  'NodeLost',
  'NodeShutdown',
  'Terminated',
  'DeletionByTaintManager',
  'DeletionByPodGC',
]);

/** A pod that ended for what no container of it did. */
export function podFailure(reason: string): Failure {
  return { kind: NODE.has(reason) ? 'node' : 'pod', detail: reason };
}

const FIELD = /\{([^}]+)\}$/;

/** The container that an Event is about, as `fieldPath` names it. */
export function saidContainer({ said }: Transition): string | undefined {
  return FIELD.exec(said?.fieldPath ?? '')?.[1];
}

/** What status shows of the object of a Warning, if the Warning is about that: both are one issue. */
export function failureOfWarning(warning: Transition, pod?: PodFacts): Failure | undefined {
  const { reason = '', message = '' } = warning;
  const name = saidContainer(warning);
  const container = pod?.containers.find((one) => one.name === name);
  if (reason === 'FailedScheduling') return { kind: 'unschedulable' };
  if (reason === 'FailedCreate') return { kind: 'create' };
  if (reason === 'BackOff' && !IMAGE.test(message)) return waitFailure('crash', container, name);
  if (reason === 'BackOff' || IMAGE.test(reason)) return waitFailure('image', container, name);
  if (reason !== 'Failed' || name === undefined) return undefined;
  if (IMAGE.test(message)) return waitFailure('image', container, name);
  const end = container?.terminated ?? container?.lastTerminated;
  return end !== undefined && NEVER_RAN.has(end.reason)
    ? crash(container!.name, end)
    : waitFailure('config', container, name);
}

/** Ends of containers whose program could not be started: kubelet says both, that and a Warning. */
const NEVER_RAN: ReadonlySet<string | undefined> = new Set(['StartError', 'ContainerCannotRun']);
