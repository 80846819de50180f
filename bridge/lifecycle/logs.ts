import type { PodFacts } from '../kubernetes/observation.ts';
import type { Instant } from '../lib/clock.ts';
import type { Run, Transition } from './transition.ts';
import { refOf } from './transition.ts';

/** One end of a container whose log is wanted. */
export interface LogEnd {
  /** Of a pod that belongs to no run, its own UID. */
  readonly runUid: string;
  readonly namespace: string;
  readonly podUid: string;
  readonly podName: string;
  readonly container: string;
  /** The restart count of the container when it ended. */
  readonly instance: number;
  readonly exitCode: number;
  readonly endedAt: Instant;
  /** Whether the pod may have started the container again since. */
  readonly restarts: boolean;
}

/** What became of a log: its tail is kept, or why there is none. */
export type LogOutcome = 'kept' | 'log_empty' | 'log_unavailable' | 'log_forbidden' | 'log_limit' | 'log_expired';

/** A log that was wanted, without its text; `outcome` is undefined while it is being read. */
export interface RunLog extends LogEnd {
  readonly outcome: LogOutcome | undefined;
  /** Of `log_unavailable` and `log_forbidden` the Kubernetes API's own words. */
  readonly detail: string | undefined;
  /** Of the tail, before compression. */
  readonly bytes: number;
  /** There was more before the tail. */
  readonly cut: boolean;
}

/** SIGKILL and SIGTERM: how kubelet ends the sidecars of a pod that is done. */
const STOPPED: readonly number[] = [137, 143];

/**
 * The container's end that a `container.terminated` reports, if its log matters: always for app containers, for init
 * containers and sidecars only when they failed, never for debug containers.
 */
export function logEnd(facts: PodFacts, { about, container, at, runUid }: Transition): LogEnd | undefined {
  if (container === undefined || container.type === 'ephemeral') return undefined;
  const { name, type, instance, exitCode } = container;
  const isFailed = exitCode !== 0 && !(type === 'sidecar' && STOPPED.includes(exitCode));
  if (type !== 'app' && !isFailed) return undefined;
  const { uid: podUid, namespace, name: podName } = about;
  const restarts = facts.restartPolicy !== 'Never' || type === 'sidecar' || instance > 0;
  return {
    runUid: runUid ?? podUid,
    namespace,
    podUid,
    podName,
    container: name,
    instance,
    exitCode,
    endedAt: at,
    restarts,
  };
}

/** Id of the transition that reports that the logs of a run are read. */
export const logsId = (run: Run): string => `${run.runKey}/logs`;

/** All logs of a run that has ended were read, or it is known why not. */
export function logsTransition(run: Run, logs: readonly RunLog[]): Transition {
  const kept = logs.filter(({ outcome }) => outcome === 'kept');
  const bytes = kept.reduce((sum, log) => sum + log.bytes, 0);
  const tails = kept.length === 1 ? 'log tail' : `tails of ${kept.length} logs`;
  const others = logs.length - kept.length;
  const parts = [
    kept.length === 0 ? '' : `${tails} kept (${bytes} bytes)`,
    others === 0 ? '' : `${others} of ${logs.length} logs without text`,
  ];
  const text = parts.filter((part) => part !== '').join(', ');
  return { id: logsId(run), kind: 'run.logs', at: run.endedAt ?? 0, about: refOf(run), runUid: run.uid, text };
}
