import { causeOf, hasCause } from '../../../lifecycle/cause.ts';
import type { Attempt, Run, RunStatus } from '../../../lifecycle/transition.ts';
import type { RunView } from '../../read.ts';
import type { RunRow } from '../../store.ts';
import type { Db } from '../db/db.ts';
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

/** Writes a run; `known` is the row that it replaces, if the caller knows it: then only columns that differ are written. */
export function putRun(db: Db, row: RunRow, known?: RunRow): void {
  const next = columnsOf(row);
  const json = [JSON.stringify(row.run), JSON.stringify(row.memory)] as const;
  if (known !== undefined) {
    const before = columnsOf(known);
    const changed = COLUMNS.filter((column) => next[column] !== before[column]);
    const set = changed.map((column) => `${column} = ?, `).join('');
    const sql = `UPDATE runs SET ${set}run = ?, memory = ? WHERE uid = ?`;
    if (db.run(sql, ...changed.map((column) => next[column]), ...json, row.run.uid) > 0) return;
  }
  db.run(PUT_RUN, row.run.uid, ...COLUMNS.map((column) => next[column]), ...json);
}

/** What lists find runs by. */
const COLUMNS = ['namespace', 'name', 'owner_uid', 'owner_name', 'status', 'sort_at', 'waiting_for'] as const;

const PUT_RUN = `INSERT INTO runs (uid, ${COLUMNS.join(', ')}, run, memory) VALUES (?, ${COLUMNS.map(() => '?').join(', ')}, ?, ?)
  ON CONFLICT (uid) DO UPDATE SET ${COLUMNS.map((column) => `${column} = excluded.${column}`).join(', ')},
    run = excluded.run, memory = excluded.memory`;

function columnsOf({ run, memory }: RunRow): Record<(typeof COLUMNS)[number], string | number | null> {
  return {
    namespace: run.namespace,
    name: run.name,
    owner_uid: run.ownerUid ?? null,
    owner_name: run.ownerName ?? null,
    status: run.status,
    sort_at: run.startedAt ?? run.createdAt ?? run.scheduledAt ?? 0,
    waiting_for: memory.waitingFor ?? null,
  };
}

const CHANGE_ATTEMPT = 'UPDATE attempts SET started_at = ?, attempt = ? WHERE pod_uid = ? AND run_uid = ?';
const PUT_ATTEMPT = `INSERT INTO attempts (pod_uid, run_uid, started_at, attempt) VALUES (?, ?, ?, ?)
  ON CONFLICT (pod_uid) DO UPDATE SET
    run_uid = excluded.run_uid, started_at = excluded.started_at, attempt = excluded.attempt`;

/** Writes a pod of a run; nearly always of the run that it had, which then costs no index. */
export function putAttempt(db: Db, runUid: string, attempt: Attempt): void {
  const { podUid, startedAt = null } = attempt;
  const json = JSON.stringify(attempt);
  if (db.run(CHANGE_ATTEMPT, startedAt, json, podUid, runUid) > 0) return;
  db.run(PUT_ATTEMPT, podUid, runUid, startedAt, json);
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
