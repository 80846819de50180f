import { KINDS } from '../kubernetes/kinds.ts';
import type { Observation } from '../kubernetes/observation.ts';
import { runUidOf } from '../lifecycle/pod.ts';
import type { Instant } from '../lib/clock.ts';
import type { Tx } from '../store/store.ts';

/**
 * True for a record of an object that the store does not hold and that must not be taken as new: the object, or a pod's
 * run, was pruned (everything of it was told); or it is older than what the store remembers of pruned ones, and then
 * that is recorded. What a LIST shows is alive: it was never pruned, unless a restored etcd brought it back. What is
 * long-lived (kinds.ts), such as a CronJob, is followed again, since it announces nothing by itself; a pod is remembered,
 * so that no LIST asks again.
 */
export function isLate(tx: Tx, { facts, listed }: Observation, now: Instant): boolean {
  const { uid, kind, namespace, name, createdAt } = facts;
  const { longLived } = KINDS[kind];
  if (longLived && listed === true) return false;
  if (tx.isPruned(uid)) return true;
  const runUid = kind === 'Pod' ? runUidOf(facts) : undefined;
  if (runUid !== undefined && runUid !== uid && tx.isPruned(runUid)) {
    if (listed === true) tx.bury({ uid, kind, namespace, name, createdAt }, now);
    return true;
  }
  if (listed === true || longLived) return false;
  if (createdAt === undefined || createdAt > tx.forgottenUpTo()) return false;
  tx.refuse({ uid, kind, namespace, name, reason: 'beyond_retention', at: now });
  return true;
}
