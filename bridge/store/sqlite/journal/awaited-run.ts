import type { Regarding } from '../../../kubernetes/kinds/event.ts';
import type { Instant } from '../../../lib/clock.ts';
import type { JournalEntry } from '../../../sinks/sink.ts';
import type { Db } from '../db/db.ts';
import type { ReadEntry } from './journal-entries.ts';

/** How long an entry, and what is behind it, waits for the run that it belongs to: counted from when it was taken in. */
const WAIT_MS = 10_000;

/** Of a pod, the run that it is an attempt of, if that is known already. */
const RUN_OF = 'SELECT run_uid AS uid FROM attempts WHERE pod_uid = ?';
const KNOWN = 'SELECT 1 FROM objects WHERE uid = ?1 UNION ALL SELECT 1 FROM tombstones WHERE uid = ?1';

/**
 * The entries before the first one whose run may still come. Each kind has a watch of its own: an Event may be there before
 * the pod that it is about, and a pod before its Job. Without its run an entry has no trace.
 */
export function beforeAwaited(db: Db, read: readonly ReadEntry[], now: Instant): readonly ReadEntry[] {
  const end = read.findIndex((one) => 'entry' in one && isYoung(one.recordedAt, now) && isAwaited(db, one.entry));
  return end === -1 ? read : read.slice(0, end);
}

/** Not after a clock that was set back. */
function isYoung(recordedAt: Instant, now: Instant): boolean {
  return recordedAt <= now && now - recordedAt < WAIT_MS;
}

function isAwaited(db: Db, entry: JournalEntry): boolean {
  if (entry.run !== undefined) return false;
  const uid = 'event' in entry ? ofEvent(db, entry.event.regarding) : entry.transition.runUid;
  return uid !== undefined && db.get(KNOWN, uid) === undefined;
}

/** The object that makes a run of what an Event is about; undefined where there is none. */
function ofEvent(db: Db, { kind, group, uid }: Regarding): string | undefined {
  if (uid === undefined) return undefined;
  if (kind === 'Pod' && group === '') return db.get<{ uid: string }>(RUN_OF, uid)?.uid ?? uid;
  return kind === 'Job' && group === 'batch' ? uid : undefined;
}
