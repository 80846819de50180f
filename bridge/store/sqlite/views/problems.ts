import type { ObjectProblems, ProblemCount, ProblemView } from '../../problems.ts';
import type { ObjectsQuery, Page } from '../../read.ts';
import { page, readCursor } from '../db/cursor.ts';
import type { Db } from '../db/db.ts';
import type { ProblemColumns } from '../objects/problems.ts';
import { toProblems } from '../objects/problems.ts';

/** By namespace, name and UID. */
export function readProblems(db: Db, query: ObjectsQuery): Page<ObjectProblems> {
  const position = readCursor(query.cursor, ['', '', ''] as const);
  const filters = Object.entries({ namespace: query.namespace, name: query.name }).filter(
    ([, value]) => value !== undefined,
  );
  const rows = db.all<ProblemColumns>(
    `SELECT * FROM annotation_problems WHERE (namespace, name, uid) > (?, ?, ?)
       ${filters.map(([column]) => `AND ${column} = ?`).join(' ')} ORDER BY namespace, name, uid LIMIT ?`,
    ...position,
    ...filters.map(([, value]) => value!),
    query.limit + 1,
  );
  return page(
    rows,
    query,
    (row) => toView(db, row),
    (row) => [row.namespace, row.name, row.uid],
  );
}

export function problemsOf(db: Db, uid: string): ProblemView[] {
  const row = db.get<ProblemColumns>('SELECT * FROM annotation_problems WHERE uid = ?', uid);
  return row === undefined ? [] : toProblems(db, row);
}

/** CronJobs with a problem of this annotation, by destination and annotation. */
export function countProblems(db: Db): ProblemCount[] {
  return db
    .all<ProblemCount>(
      `SELECT target.value AS destination, json_extract(problem.value, '$.annotation') AS annotation,
         count(DISTINCT uid) AS count
       FROM annotation_problems, json_each(iif(json_valid(problems), problems, '[]')) AS problem,
         json_each(problem.value, '$.destinations') AS target
       GROUP BY 1, 2 ORDER BY 1, 2`,
    )
    .map((row) => ({ ...row }));
}

function toView(db: Db, row: ProblemColumns): ObjectProblems {
  const { uid, kind, namespace, name } = row;
  const event = { eventAt: row.event_at ?? undefined, eventError: row.event_error ?? undefined };
  return { kind, uid, namespace, name, problems: toProblems(db, row), ...event };
}
