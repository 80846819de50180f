import type { Instant } from '../../lib/clock.ts';
import type { Timer } from '../store.ts';
import type { Db } from './db.ts';

/** Timers of a kind that are due, in the order of their due times. */
export function dueTimers(db: Db, kind: Timer['kind'], now: Instant): Timer[] {
  return db
    .all<Timer>('SELECT id, kind, uid, due FROM timers WHERE due <= ? AND kind = ? ORDER BY due, id', now, kind)
    .map(({ id, uid, due }) => ({ id, kind, uid, due }));
}

/** All timers of a kind, due or not. By the primary key: of thousands of timers most are of another kind. */
export function timersOf(db: Db, kind: Timer['kind']): Timer[] {
  return db
    .all<Timer>("SELECT id, kind, uid, due FROM timers WHERE id > ?1 || '/' AND id < ?1 || '0' ORDER BY id", kind)
    .map(({ id, uid, due }) => ({ id, kind, uid, due }));
}
