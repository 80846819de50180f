import type { ContainerFacts, PodFacts, Termination } from '../kubernetes/observation.ts';
import type { Instant } from '../lib/clock.ts';

/** One end of a container: `instance` is the restart count of the run that ended. */
export interface SeenEnd {
  readonly container: ContainerFacts;
  readonly instance: number;
  readonly termination: Termination;
}

/**
 * Every end that a pod status proves. While a container waits to be restarted, kubelet has moved its end to lastState
 * and not yet raised the restart count; once it runs or ended again, lastState is the instance before. So it is for a
 * container that its node lost: there kubelet raises the count with the end that it makes up, unless the pod is deleted.
 */
export function containerEnds(facts: PodFacts): SeenEnd[] {
  return facts.containers.flatMap((container) => {
    const ends: SeenEnd[] = [];
    const { terminated, lastTerminated, waiting, restartCount } = container;
    const isCounted = waiting === undefined || (isLost(lastTerminated) && facts.deletionAt === undefined);
    const lastInstance = isCounted ? restartCount - 1 : restartCount;
    if (lastTerminated !== undefined && lastInstance >= 0) {
      ends.push({ container, instance: lastInstance, termination: lastTerminated });
    }
    if (terminated !== undefined) ends.push({ container, instance: restartCount, termination: terminated });
    return ends;
  });
}

/** True for the end that kubelet makes up for a container that it cannot find; its exit code 137 is made up too. */
export function isLost(termination: { readonly reason?: string | undefined } | undefined): boolean {
  return termination?.reason === 'ContainerStatusUnknown';
}

/** Reasons of `state.waiting` that do not go away by themselves, by what they have in common. */
const STUCK_REASONS: ReadonlyMap<string, StuckGroup> = new Map(
  Object.entries({
    ImagePullBackOff: 'image',
    ErrImagePull: 'image',
    ErrImageNeverPull: 'image',
    InvalidImageName: 'image',
    ImageInspectError: 'image',
    RegistryUnavailable: 'image',
    CreateContainerConfigError: 'config',
    CreateContainerError: 'config',
    RunContainerError: 'config',
    CrashLoopBackOff: 'crash',
  }),
);

/** ErrImagePull and ImagePullBackOff take turns: one stuck run, not one a minute. The last two are the clock's (stall.ts). */
export type StuckGroup = 'image' | 'config' | 'crash' | 'unschedulable' | 'pending';

export interface Stuck {
  readonly group: StuckGroup;
  readonly container: string;
  readonly reason: string;
  readonly message: string | undefined;
}

/** The first container that waits for a reason that needs a person; undefined when none does. */
export function stuckContainer(facts: PodFacts): Stuck | undefined {
  for (const { name, waiting } of facts.containers) {
    const group = waiting === undefined ? undefined : STUCK_REASONS.get(waiting.reason);
    if (waiting !== undefined && group !== undefined) {
      return { group, container: name, reason: waiting.reason, message: waiting.message };
    }
  }
  return undefined;
}

/** From the end of the last container to kubelet's last request to delete, whose time is all that some records have. */
const REMOVAL_MS = 10_000;

/**
 * True when it was the deletion of its pod that ended a container: SIGTERM, or SIGKILL after the grace period; or, with an
 * exit code of its own choice, after it. In the second of the deletion it may have failed before.
 */
export function isStoppedWithPod({ exitCode, reason, finishedAt }: Termination, deletionAt?: Instant): boolean {
  if (deletionAt === undefined || reason === 'OOMKilled' || exitCode === 0) return false;
  if (exitCode !== 143 && exitCode !== 137) return finishedAt !== undefined && finishedAt > deletionAt;
  return finishedAt === undefined || finishedAt >= deletionAt - REMOVAL_MS;
}

/** Why a container ended, in words; `OOMKilled` wins over the exit code (design: failures). */
export function terminationText({ exitCode, reason, signal }: Termination, stopped: boolean): string {
  if (reason === 'OOMKilled') return `OOMKilled (exit code ${exitCode})`;
  if (stopped) return `stopped with its pod (exit code ${exitCode})`;
  if (exitCode === 137 && (reason === undefined || reason === 'Error')) return 'exit code 137: probably OOM or killed';
  if (exitCode === 0) return 'completed';
  const why = reason === undefined || reason === 'Error' ? '' : `, ${reason}`;
  return signal === undefined ? `exit code ${exitCode}${why}` : `exit code ${exitCode}, signal ${signal}${why}`;
}
