import type { Transition } from '../lifecycle/transition.ts';
import type { Destination } from '../turn/destination.ts';
import type { Turn } from '../turn/turn.ts';
import { namespaceOf } from './known-run.ts';

/** Namespaces come by a watch of their own: a new one may be seen after its first pod. */
const WAIT_MS = 2 * 60_000;
export const NAMESPACE_TIMER = 'namespace';

/** Whether a destination needs the labels of a namespace that was not seen yet. */
export function isUnseen({ tx, kinds }: Turn, { planner }: Destination, namespace: string): boolean {
  if (planner.reads.needsNamespace !== true || namespace === '' || !kinds.has('Namespace')) return false;
  return namespaceOf(tx, namespace) === undefined;
}

/** A transition waits for the namespace that it happened in. What follows it there waits too, so the order stays. */
export function awaitNamespace({ tx, now }: Turn, { planner }: Destination, { id, about }: Transition): void {
  const { destination } = planner;
  const reason = 'namespace_unknown';
  tx.timeline.decide({ transitionId: id, destination, verdict: 'waiting', reason, detail: undefined, at: now });
  const timer = `${NAMESPACE_TIMER}/${about.namespace}/${destination}/${id}`;
  tx.timers.set({ id: timer, kind: NAMESPACE_TIMER, uid: about.uid, due: now + WAIT_MS });
}
