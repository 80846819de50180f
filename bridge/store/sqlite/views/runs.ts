import { causeOf, hasCause } from '../../../lifecycle/cause.ts';
import type { ActiveRuns } from '../../../lifecycle/ended-run.ts';
import type { Attempt, Run, RunStatus, RunKind } from '../../../lifecycle/transition.ts';
import type { ListQuery, Page, RunDetail, RunFilter, RunReads, RunView } from '../../read.ts';
import type { Decision } from '../../timeline.ts';
import { page, readCursor } from '../db/cursor.ts';
import type { Db } from '../db/db.ts';
import { eventsOfRun } from '../events/event-rows.ts';
import { toDecision } from '../outbox/timeline.ts';
import type { DecisionColumns } from '../outbox/timeline.ts';
import { keptLogsOf, toLogView } from '../runs/logs.ts';
import { attemptsOf, readRun, RUN, transitionsOf } from '../runs/stored-runs.ts';
import type { RunColumns } from '../runs/stored-runs.ts';
import { deliveriesOf } from './deliveries.ts';
import { runCondition } from './run-filter.ts';
import { journalsOfRun } from './journals.ts';
import { readPruned } from './pruned.ts';

/** Of a run with more pods, a list shows what its Job says: it has to be fast. */
const MAX_LISTED = 500;

/** Those on its transitions, and those on an end that is awaited and is not a transition yet. */
const DECISIONS = `SELECT decisions.* FROM decisions
  WHERE transition_id IN (SELECT id FROM transitions WHERE run_uid = ?) OR transition_id = ? ORDER BY id`;

export function runReads(db: Db): RunReads {
  return {
    runs: (query) => listRuns(db, query),
    run: (uid) => db.snapshot(() => runDetail(db, uid)),
    pruned: (uid) => readPruned(db, uid),
    uidsFrom: (prefix, limit) => uidsFrom(db, prefix, limit),
    findRuns: (namespace, name, limit, kind) => findRuns(db, namespace, name, limit, kind),
    runCounts: (query = {}) => countRuns(db, query),
    activeRuns: () => activeRuns(db),
  };
}

function listRuns(db: Db, query: ListQuery & RunFilter & { readonly status?: RunStatus }): Page<RunView> {
  const position = readCursor(query.cursor, [Number.MAX_SAFE_INTEGER, ''] as const);
  const { sql, values } = runCondition(query);
  const rows = db.all<RunColumns>(
    `${RUN} WHERE (sort_at, uid) < (?, ?)${sql} ORDER BY sort_at DESC, uid DESC LIMIT ?`,
    ...position,
    ...values,
    query.limit + 1,
  );
  return page(
    rows,
    query,
    (row) => listedRun(db, row),
    (row) => [row.sort_at, row.uid],
  );
}

function runDetail(db: Db, uid: string): RunDetail | undefined {
  const row = db.get<RunColumns>(`${RUN} WHERE uid = ?`, uid);
  if (row === undefined) return undefined;
  const run = readRun(db, row);
  const attempts = attemptsOf(db, uid);
  return {
    run: withCause(run, attempts),
    attempts,
    transitions: transitionsOf(db, uid),
    decisions: decisionsOf(db, run),
    deliveries: deliveriesOf(db, uid),
    logs: keptLogsOf(db, uid).map(toLogView),
    events: eventsOfRun(db, run, attempts),
    journals: journalsOfRun(db, uid),
  };
}

function decisionsOf(db: Db, { uid, runKey }: Run): Decision[] {
  return db.all<DecisionColumns>(DECISIONS, uid, `${runKey}/ended`).map(toDecision);
}

/** A run of a list with its cause. */
function listedRun(db: Db, row: RunColumns): RunView {
  const run = readRun(db, row);
  if (!hasCause(run)) return run;
  const attempts = attemptsOf(db, run.uid, MAX_LISTED + 1);
  return withCause(run, attempts.length > MAX_LISTED ? [] : attempts);
}

/** Newest first: by UID, by name, or by the name of the CronJob; all of them or those of one kind. */
function findRuns(db: Db, namespace: string, name: string, limit: number, kind?: RunKind): RunView[] {
  const rows = db.all<RunColumns>(
    `${RUN} WHERE uid IN (
       SELECT uid FROM runs WHERE uid = ?2
       UNION SELECT uid FROM runs WHERE namespace = ?1 AND name = ?2
       UNION SELECT uid FROM runs WHERE namespace = ?1 AND owner_name = ?2)
       AND (?4 IS NULL OR iif(json_valid(run), json_extract(run, '$.kind'), NULL) = ?4)
     ORDER BY sort_at DESC, uid DESC LIMIT ?3`,
    namespace,
    name,
    limit,
    kind ?? null,
  );
  return rows.map((row) => listedRun(db, row));
}

function withCause(run: Run, attempts: readonly Attempt[]): RunView {
  const cause = causeOf(run, attempts)?.text;
  return cause === undefined ? run : { ...run, cause };
}

/** How many runs of each state there are; those that have none are left out. */
function countRuns(db: Db, { q, namespace, owner }: RunFilter): Partial<Record<RunStatus, number>> {
  const { sql, values } = runCondition({
    ...(q !== undefined && { q }),
    ...(namespace !== undefined && { namespace }),
    ...(owner !== undefined && { owner }),
  });
  const counted =
    q === undefined ? 'sum(count) AS count FROM run_counts WHERE count > 0' : 'count(*) AS count FROM runs WHERE true';
  const rows = db.all<{ status: RunStatus; count: number }>(
    `SELECT status, ${counted}${sql} GROUP BY status`,
    ...values,
  );
  return Object.fromEntries(rows.map(({ status, count }) => [status, count]));
}

/** By the index of states: what is over is not looked at. */
const ACTIVE = `SELECT namespace, kind, name, recurs, status, count(*) AS count FROM (
    SELECT namespace, status, run ->> '$.kind' AS kind,
      iif(run ->> '$.ownerKind' = 'CronJob', owner_name, name) AS name,
      (run ->> '$.ownerKind' = 'CronJob' OR run ->> '$.revision' IS NOT NULL) IS TRUE AS recurs
    FROM runs WHERE status IN ('pending', 'running', 'stuck', 'suspended') AND json_valid(run))
  WHERE kind IS NOT NULL AND name IS NOT NULL GROUP BY namespace, kind, name, recurs, status`;

function activeRuns(db: Db): ActiveRuns[] {
  const rows = db.all<Omit<ActiveRuns, 'recurs'> & { recurs: number }>(ACTIVE);
  return rows.map((row) => ({ ...row, recurs: row.recurs === 1 }));
}

/** UIDs of runs and pruned objects that begin so, in order. */
function uidsFrom(db: Db, prefix: string, limit: number): string[] {
  const sql = `SELECT uid FROM runs WHERE uid >= ?1 AND uid < ?1 || char(0x10ffff)
    UNION SELECT uid FROM tombstones WHERE uid >= ?1 AND uid < ?1 || char(0x10ffff) ORDER BY uid LIMIT ?2`;
  return db.all<{ uid: string }>(sql, prefix, limit).map(({ uid }) => uid);
}
