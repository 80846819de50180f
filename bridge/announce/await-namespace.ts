import type { Transition } from '../lifecycle/transition.ts';
import type { Destination } from '../turn/destination.ts';
import type { Turn } from '../turn/turn.ts';
import { namespaceOf } from './known-run.ts';

/** Namespaces come by a watch of their own: a new one may be seen after its first pod. */
const WAIT_MS = 2 * 60_000;
export const NAMESPACE_TIMER = 'namespace';

/**
 * Whether a destination waits for a namespace that was not seen yet. Where it only may be needed, as for an annotation that it
 * could have, it is waited for if namespaces are seen at all.
 */
export function isAwaited({ tx, kinds, unseen }: Turn, { planner }: Destination, namespace: string): boolean {
  const { needsNamespace } = planner.reads;
  if (needsNamespace === undefined || !kinds.has('Namespace') || namespace === '' || namespace === unseen) return false;
  if (namespaceOf(tx, namespace) !== undefined) return false;
  return needsNamespace === 'always' || tx.versions.newest('Namespace') !== undefined;
}

/** A transition waits for the namespace that it happened in. What follows it there waits too, so the order stays. */
export function awaitNamespace({ tx, now }: Turn, { planner }: Destination, { id, about }: Transition): void {
  const { destination } = planner;
  const reason = 'namespace_unknown';
  tx.timeline.decide({ transitionId: id, destination, verdict: 'waiting', reason, detail: undefined, at: now });
  const timer = `${NAMESPACE_TIMER}/${about.namespace}/${destination}/${id}`;
  tx.timers.set({ id: timer, kind: NAMESPACE_TIMER, uid: about.uid, due: now + WAIT_MS });
}
