import type { PodFacts } from '../kubernetes/observation.ts';
import type { Instant } from '../lib/clock.ts';
import type { StuckGroup } from './containers.ts';
import { stuckContainer } from './containers.ts';

/** How long a pod may be without a node, and with one before its first container starts; ms. */
export interface StuckLimits {
  readonly unschedulable: number;
  readonly pending: number;
}

/** What a pod waits for that only the clock can call stuck. */
export interface Stall {
  readonly group: keyof StuckLimits & StuckGroup;
  readonly reason: 'Unschedulable' | 'Pending';
  readonly message: string | undefined;
  readonly since: Instant;
}

/** Undefined while the pod moves, ends, or waits for a reason that is stuck by itself (containers.ts). */
export function stall(facts: PodFacts): Stall | undefined {
  const { phase, deletionAt, createdAt = 0, startAt = createdAt, nodeName, unschedulable, containers } = facts;
  if (phase !== 'Pending' || deletionAt !== undefined) return undefined;
  if (unschedulable !== undefined) {
    const message = unschedulable === '' ? undefined : unschedulable;
    return { group: 'unschedulable', reason: 'Unschedulable', message, since: createdAt };
  }
  const started = containers.some(
    ({ runningSince, terminated, lastTerminated }) => (runningSince ?? terminated ?? lastTerminated) !== undefined,
  );
  if (nodeName === undefined || started || stuckContainer(facts) !== undefined) return undefined;
  const waiting = containers.find((container) => container.waiting !== undefined)?.waiting;
  return { group: 'pending', reason: 'Pending', message: waiting?.reason, since: startAt };
}
