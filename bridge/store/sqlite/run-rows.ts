import { causeOf, hasCause } from '../../lifecycle/cause.ts';
import type { Attempt, Run, RunStatus } from '../../lifecycle/transition.ts';
import type { RunView } from '../read.ts';
import type { RunRow } from '../store.ts';
import type { Db } from './db.ts';
import { attemptsOf, readRun, RUN } from './stored-runs.ts';
import type { RunColumns } from './stored-runs.ts';

/** Of a run with more pods, a list shows what its Job says: it has to be fast. */
const MAX_LISTED = 500;

/** A run of a list with its cause. */
export function listedRun(db: Db, row: RunColumns): RunView {
  const run = readRun(db, row);
  if (!hasCause(run)) return run;
  const attempts = attemptsOf(db, run.uid, MAX_LISTED + 1);
  return withCause(run, attempts.length > MAX_LISTED ? [] : attempts);
}

/** Newest first: by UID, by name, or by the name of the CronJob. */
export function findRuns(db: Db, namespace: string, name: string, limit: number): RunView[] {
  const rows = db.all<RunColumns>(
    `${RUN} WHERE uid IN (
       SELECT uid FROM runs WHERE uid = ?2
       UNION SELECT uid FROM runs WHERE namespace = ?1 AND name = ?2
       UNION SELECT uid FROM runs WHERE namespace = ?1 AND owner_name = ?2)
     ORDER BY sort_at DESC, uid DESC LIMIT ?3`,
    namespace,
    name,
    limit,
  );
  return rows.map((row) => listedRun(db, row));
}

export function withCause(run: Run, attempts: readonly Attempt[]): RunView {
  const cause = causeOf(run, attempts)?.text;
  return cause === undefined ? run : { ...run, cause };
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
