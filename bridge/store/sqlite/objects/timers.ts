import type { Instant } from '../../../lib/clock.ts';
import type { Timer } from '../../store.ts';
import type { Db } from '../db/db.ts';

/** Timers of a kind that are due, in the order of their due times, `limit` at most. */
export function dueTimers(db: Db, kind: Timer['kind'], now: Instant, limit: number): Timer[] {
  return db
    .all<Timer>(
      'SELECT id, kind, uid, due FROM timers WHERE kind = ? AND due <= ? ORDER BY due, id LIMIT ?',
      kind,
      now,
      limit,
    )
    .map(({ id, uid, due }) => ({ id, kind, uid, due }));
}

/** Timers whose id begins with `path` and a slash, due or not. By the primary key: of thousands most are others. */
export function timersBelow(db: Db, path: string): Timer[] {
  return db
    .all<Timer>("SELECT id, kind, uid, due FROM timers WHERE id > ?1 || '/' AND id < ?1 || '0' ORDER BY id", path)
    .map(({ id, kind, uid, due }) => ({ id, kind, uid, due }));
}
