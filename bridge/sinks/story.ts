import type { EventFacts } from '../kubernetes/kinds/event.ts';
import type { Facts } from '../kubernetes/observation.ts';
import type { RunLog } from '../lifecycle/logs.ts';
import type { Attempt, ContainerEnd, Run, Transition } from '../lifecycle/transition.ts';
import type { Instant } from '../lib/clock.ts';

/** Most pods of a story, and most transitions. */
export const [MAX_ATTEMPTS, MAX_TRANSITIONS] = [200, 1_000] as const;

/**
 * What is known of a run when an intent about it is sent. Of a run with very many pods a part: the first `MAX_ATTEMPTS` of
 * those that failed, then of the others; then of what is known of these, the first and the last `MAX_TRANSITIONS / 2`.
 */
export interface RunStory {
  readonly run: Run;
  /** The Job, pod or workload that it is, live or deleted. */
  readonly object: Facts | undefined;
  /** Who owns it, nearest first, live or deleted, as far as they were seen. */
  readonly owners: readonly Facts[];
  /** The run of the same owner that started last before it: the rollout before, or the scheduled run before. */
  readonly previous: Run | undefined;
  /** Its pods by their start. */
  readonly attempts: readonly Attempt[];
  /** Every end of a container, by the time: a container that was started again has several. */
  readonly containers: readonly StoryContainer[];
  /** By their times. */
  readonly transitions: readonly Transition[];
  /** By the ends of their containers; those that no destination wanted are not there. */
  readonly logs: readonly KeptLog[];
  /** Kubernetes Events about it, by their times. */
  readonly events: readonly EventFacts[];
  /** How many of all are left out; absent where that is none. */
  readonly leftOut?: { readonly attempts: number; readonly transitions: number };
}

/** The end of a container: `instance` says how often it had been started again before. */
export interface StoryContainer extends ContainerEnd {
  readonly podUid: string;
  readonly podName: string;
  readonly endedAt: Instant;
}

/** A log of a run with its tail, gzip of UTF-8; no text: `outcome` says why. */
export interface KeptLog extends RunLog {
  readonly text?: Uint8Array;
}
