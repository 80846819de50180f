import type { Instant } from '../../../lib/clock.ts';
import type { Timer } from '../../timers.ts';
import type { Db } from '../db/db.ts';

/** Whether timers of a kind move with the clock; those that do not follow from times of the cluster's objects. */
const MOVES: Readonly<Record<Timer['kind'], boolean>> = {
  gone: true,
  replacement: true,
  inferred: true,
  logs: true,
  pods: true,
  owner: true,
  namespace: true,
  settled: true,
  schedule: false,
  stuck: false,
  rollout: false,
  active: false,
  storm: false,
  probe: false,
};
const MOVED = JSON.stringify(Object.entries(MOVES).flatMap(([kind, moves]) => (moves ? [kind] : [])));

/**
 * Moves what is planned, waits or is measured from by `ms`, inside a transaction: the clock was set. Times that come from
 * the cluster's objects (schedules, what is stuck) and those of what is over stay.
 */
export function shiftTimes(db: Db, ms: number): void {
  db.run(
    `UPDATE intents SET created_at = created_at + ?1, next_at = next_at + ?1, eligible_at = eligible_at + ?1,
       age_from = age_from + ?1 WHERE settled_at IS NULL`,
    ms,
  );
  db.run('UPDATE left_destinations SET left_at = left_at + ?', ms);
  db.run('UPDATE holds SET until = until + ?', ms);
  db.run(
    `UPDATE desired SET next_at = next_at + ?1, not_in_sync_since = not_in_sync_since + ?1,
       remove_at = remove_at + ?1`,
    ms,
  );
  db.run('UPDATE logs SET next_at = next_at + ?1, wanted_at = wanted_at + ?1 WHERE outcome IS NULL', ms);
  db.run('UPDATE timers SET due = due + ? WHERE kind IN (SELECT value FROM json_each(?))', ms, MOVED);
  db.run('UPDATE annotation_problems SET next_at = next_at + ?', ms);
  db.run('UPDATE journals SET next_at = next_at + ?1, age_from = age_from + ?1', ms);
  db.run("UPDATE meta SET value = value + ? WHERE key = 'alive_at'", ms);
}

/** At a start: the clock was set back while no bridge ran. */
export function shiftBack(db: Db, now: Instant): void {
  const { ms } = db.get<{ ms: number }>("SELECT value - ? AS ms FROM meta WHERE key = 'alive_at'", now) ?? { ms: 0 };
  if (ms > 0) db.write(() => shiftTimes(db, -ms));
}
