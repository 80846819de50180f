import { isOwnedByJob } from '../kubernetes/metadata.ts';
import type { PodFacts } from '../kubernetes/observation.ts';
import type { Instant } from '../lib/clock.ts';
import type { StuckGroup } from './containers.ts';
import type { Gone } from './gone.ts';
import type { ReportedEnds } from './reported-ends.ts';
import type { Transition } from './transition.ts';
import { refOf } from './transition.ts';
import type { LastWait } from './wait.ts';

/**
 * The life of a pod, as an attempt of a run (or, without owner, as a run of its own: bare-pod.ts):
 *
 *   pending ──status.startTime──▶ started ──phase Succeeded | Failed──▶ ended
 *      │   ◀─ waiting reason,         │                                  ▲
 *      │      stall too long ─▶ stuck │                                  │
 *      └──────────────DELETED─────────┴──────────────────────────────────┘
 *
 * In addition each container: (running ──▶ terminated)*, one `container.terminated` per container and restart count,
 * read from `state` and `lastState` of any observation, old or new.
 */
export interface PodState {
  readonly facts: PodFacts;
  readonly deletedAt: Instant | undefined;
  readonly startedAt: Instant | undefined;
  readonly endedAt: Instant | undefined;
  readonly reportedEnds: readonly ReportedEnds[];
  /** A record showed it as Failed before its deletion was requested: it was not stopped. */
  readonly failedAlive?: boolean;
  /** Some of its records name its owner and others none: it was cut off (cascade=orphan), or taken in. */
  readonly partlyOwned?: true;
  readonly waited?: LastWait | undefined;
  /** What the pod is stuck on now, and all groups that were reported, as stuck and as moving again. */
  readonly stuck: { readonly group: StuckGroup; readonly reason: string } | undefined;
  readonly stuckReported: readonly StuckGroup[];
  readonly movedReported: readonly StuckGroup[];
  readonly gone?: Gone | undefined;
  /** When a run of its own that is gone was given up as `unknown`. */
  readonly unknownAt?: Instant | undefined;
}

export interface PodStep {
  readonly state: PodState;
  readonly transitions: readonly Transition[];
}

/** UID of the run that a pod belongs to: its Job, itself without an owner, none for other controllers' pods. */
export function runUidOf(facts: PodFacts): string | undefined {
  if (isOwnedByJob(facts.owner)) return facts.owner.uid;
  return facts.owner === undefined && !facts.mirror ? facts.uid : undefined;
}

export function podTransition(
  facts: PodFacts,
  kind: Transition['kind'],
  at: Instant,
  suffix: string,
  text: string,
): Transition {
  const id = `${facts.uid}/${kind === 'attempt.started' || kind === 'attempt.ended' ? `attempt-${suffix}` : suffix}`;
  return { id, kind, at, about: refOf(facts), runUid: runUidOf(facts), text };
}
