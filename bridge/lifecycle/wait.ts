import type { ContainerFacts, PodFacts } from '../kubernetes/observation.ts';
import { compareVersions } from '../kubernetes/version.ts';
import { isLost, stuckContainer } from './containers.ts';
import type { Wait } from './transition.ts';

/** What a pod was last seen to wait for, until it got beyond that. */
export interface LastWait extends Wait {
  /** resourceVersion of the record that showed it. */
  readonly version: string;
}

interface Given {
  readonly reason: string;
  readonly message?: string | undefined;
  readonly container?: string | undefined;
}

/** Every container starts with these, and those of a pod that is being deleted go back to them. */
const ORDINARY: ReadonlySet<string> = new Set(['ContainerCreating', 'PodInitializing']);

/**
 * What the pod waits for after one more record: the newest that shows any. Undefined once `latest`, the newest facts of
 * all, show that it got beyond.
 */
export function nextWait(previous: LastWait | undefined, facts: PodFacts, latest: PodFacts): LastWait | undefined {
  const shown = waitOf(facts);
  const isNewer = previous === undefined || compareVersions(facts.resourceVersion, previous.version) > 0;
  const wait = shown !== undefined && isNewer ? { ...shown, version: facts.resourceVersion } : previous;
  return wait !== undefined && isOpen(wait, latest) ? wait : undefined;
}

/** What a container that ran before waits for now: its restart. */
export function restartWait(facts: PodFacts): Wait | undefined {
  const stuck = stuckContainer(facts);
  return stuck && asWait(stuck);
}

function waitOf(facts: PodFacts): Wait | undefined {
  const { unschedulable, unscheduled, nodeName, deletionAt, containers } = facts;
  if (facts.phase !== 'Pending') return undefined;
  if (nodeName === undefined) {
    if (unschedulable !== undefined) return asWait({ reason: 'Unschedulable', message: unschedulable || undefined });
    return unscheduled && asWait(unscheduled);
  }
  const waiting = containers.filter((container) => container.waiting !== undefined && !ran(container));
  const stuck = waiting.find((container) => !ORDINARY.has(container.waiting!.reason));
  const container = stuck ?? (deletionAt === undefined ? waiting[0] : undefined);
  return container && asWait({ ...container.waiting!, container: container.name });
}

function isOpen({ container }: Wait, latest: PodFacts): boolean {
  if (container === undefined) return latest.nodeName === undefined;
  const now = latest.containers.find(({ name }) => name === container);
  return now === undefined || !ran(now);
}

function ran({ runningSince, terminated, lastTerminated }: ContainerFacts): boolean {
  const ended =
    (terminated !== undefined && !isLost(terminated)) || (lastTerminated !== undefined && !isLost(lastTerminated));
  return runningSince !== undefined || ended;
}

/** Without fields that are undefined, and without others. */
export function asWait({ reason, message, container }: Given): Wait {
  return { reason, ...(message !== undefined && { message }), ...(container !== undefined && { container }) };
}
