import type { Attempt, RunStatus, Transition } from '../../lifecycle/transition.ts';
import type { RunRow } from '../store.ts';
import type { Db } from './db.ts';
import { toAttempt } from './rows.ts';
import type { AttemptColumns } from './rows.ts';

/** Attempts of a run by start, those that did not start last. */
export function attemptsOf(db: Db, runUid: string): Attempt[] {
  return db
    .all<AttemptColumns>(
      'SELECT attempt FROM attempts WHERE run_uid = ? ORDER BY started_at IS NULL, started_at, id',
      runUid,
    )
    .map(toAttempt);
}

export function putRun(db: Db, { run, memory }: RunRow): void {
  const sortAt = run.startedAt ?? run.createdAt ?? run.scheduledAt ?? 0;
  db.run(
    `INSERT INTO runs (uid, namespace, name, owner_uid, owner_name, status, sort_at, waiting_for, run, memory)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (uid) DO UPDATE SET namespace = excluded.namespace, name = excluded.name,
       owner_uid = excluded.owner_uid, owner_name = excluded.owner_name, status = excluded.status,
       sort_at = excluded.sort_at, waiting_for = excluded.waiting_for, run = excluded.run, memory = excluded.memory`,
    run.uid,
    run.namespace,
    run.name,
    run.ownerUid ?? null,
    run.ownerName ?? null,
    run.status,
    sortAt,
    memory.waitingFor ?? null,
    JSON.stringify(run),
    JSON.stringify(memory),
  );
}

/** All transitions of a run in the order of their times. */
export function transitionsOf(db: Db, runUid: string): Transition[] {
  return db
    .all<{ transition: string }>('SELECT transition FROM transitions WHERE run_uid = ? ORDER BY at, seq', runUid)
    .map(({ transition }) => JSON.parse(transition) as Transition);
}

export interface RunFilter {
  readonly namespace?: string;
  readonly owner?: string;
}

/** How many runs of each state there are; those that have none are left out. */
export function countRuns(db: Db, { namespace, owner }: RunFilter): Partial<Record<RunStatus, number>> {
  const filters = Object.entries({ namespace, owner_name: owner }).filter(([, value]) => value !== undefined);
  const where = filters.map(([column]) => ` AND ${column} = ?`).join('');
  const rows = db.all<{ status: RunStatus; count: number }>(
    `SELECT status, sum(count) AS count FROM run_counts WHERE count > 0${where} GROUP BY status`,
    ...filters.map(([, value]) => value!),
  );
  return Object.fromEntries(rows.map(({ status, count }) => [status, count]));
}

/** UIDs of runs and pruned objects that begin so, in order. */
export function uidsFrom(db: Db, prefix: string, limit: number): string[] {
  const sql = `SELECT uid FROM runs WHERE uid >= ?1 AND uid < ?1 || char(0x10ffff)
    UNION SELECT uid FROM tombstones WHERE uid >= ?1 AND uid < ?1 || char(0x10ffff) ORDER BY uid LIMIT ?2`;
  return db.all<{ uid: string }>(sql, prefix, limit).map(({ uid }) => uid);
}
