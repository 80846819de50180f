import type { Observation } from '../kubernetes/observation.ts';
import { runUidOf } from '../lifecycle/pod.ts';
import type { Instant } from '../lib/clock.ts';
import type { Tx } from '../store/store.ts';

/**
 * True for a record of an object that the store does not hold and that must not be taken as new: the object, or a pod's
 * run, was pruned (everything of it was told); or it is older than what the store remembers of pruned ones, and then
 * that is recorded. What a LIST shows is alive, so it was never pruned; a CronJob tells nothing by itself.
 */
export function isLate(tx: Tx, { facts, listed }: Observation, now: Instant): boolean {
  if (tx.isPruned(facts.uid)) return true;
  const runUid = facts.kind === 'Pod' ? runUidOf(facts) : undefined;
  if (runUid !== undefined && runUid !== facts.uid && tx.isPruned(runUid)) return true;
  if (listed === true || facts.kind === 'CronJob') return false;
  if (facts.createdAt === undefined || facts.createdAt > tx.forgottenUpTo()) return false;
  const { uid, kind, namespace, name } = facts;
  tx.refuse({ uid, kind, namespace, name, reason: 'beyond_retention', at: now });
  return true;
}
