import { KINDS } from '../kubernetes/kinds.ts';
import type { Observation } from '../kubernetes/observation.ts';
import { runUidOf } from '../lifecycle/pod-state.ts';
import type { Turn } from '../turn/turn.ts';

/**
 * Whether a record of an object that the store does not hold must not be taken as new; the first that applies decides:
 * - a LIST shows it and it is long-lived (kinds.ts), such as a CronJob: no, it is followed again;
 * - the object was pruned: yes, everything about it was reported;
 * - the run of a pod was pruned: yes. A pod that a LIST shows (after a restored etcd) is remembered, so that no LIST asks
 *   for it again;
 * - a LIST shows it, or it is long-lived: no;
 * - it was created before everything that the store still remembers of pruned objects: yes, and that is recorded.
 */
export function isLate(turn: Turn, { facts, listed }: Observation): boolean {
  const { tx, now } = turn;
  const { uid, kind, namespace, name, createdAt } = facts;
  const { longLived } = KINDS[kind];
  if (longLived && listed === true) return false;
  if (tx.tombstones.has(uid)) return true;
  const runUid = kind === 'Pod' ? runUidOf(facts) : undefined;
  if (runUid !== undefined && runUid !== uid && tx.tombstones.has(runUid)) {
    if (listed === true) tx.tombstones.put({ uid, kind, namespace, name, createdAt }, now);
    return true;
  }
  if (listed === true || longLived) return false;
  if (createdAt === undefined || createdAt > tx.tombstones.forgottenUpTo()) return false;
  tx.tombstones.refuse({ uid, kind, namespace, name, reason: 'beyond_retention', at: now });
  return true;
}
