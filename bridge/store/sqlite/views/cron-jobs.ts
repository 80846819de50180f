import type { Run } from '../../../lifecycle/transition.ts';
import type { ProblemView } from '../../problems.ts';
import type { SeenCronJob, ListQuery, Page } from '../../read.ts';
import type { UnjudgedView } from '../../unjudged.ts';
import { page, readCursor } from '../db/cursor.ts';
import type { Db } from '../db/db.ts';
import { parsed } from '../db/unreadable-rows.ts';

export type CronJobsQuery = ListQuery & {
  readonly withoutRun?: boolean;
  readonly namespace?: string;
  readonly name?: string;
};

interface CronJobColumns {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly last_run: string | null;
  readonly problems: string | null;
  readonly unjudged: string | null;
}

const LAST_RUN = `(SELECT run FROM runs WHERE owner_name = objects.name AND namespace = objects.namespace
  ORDER BY sort_at DESC, uid DESC LIMIT 1)`;

const UNJUDGED = `(SELECT json_object('reason', reason, 'zone', zone, 'detail', detail, 'sinceAt', since_at)
  FROM unjudged WHERE uid = objects.uid)`;

const PROBLEMS = '(SELECT problems FROM annotation_problems WHERE uid = objects.uid)';

/** CronJobs that are not deleted, by namespace, name and UID. */
export function readCronJobs(db: Db, query: CronJobsQuery): Page<SeenCronJob> {
  const position = readCursor(query.cursor, ['', '', ''] as const);
  const filters = Object.entries({ namespace: query.namespace, name: query.name }).filter(
    ([, value]) => value !== undefined,
  );
  const rows = db.all<CronJobColumns>(
    `SELECT uid, namespace, name, ${LAST_RUN} AS last_run, ${PROBLEMS} AS problems, ${UNJUDGED} AS unjudged FROM objects
     WHERE kind = 'CronJob' AND deleted = 0 AND (namespace, name, uid) > (?, ?, ?)
       ${query.withoutRun === true ? 'AND last_run IS NULL' : ''}
       ${filters.map(([column]) => `AND ${column} = ?`).join(' ')}
     ORDER BY namespace, name, uid LIMIT ?`,
    ...position,
    ...filters.map(([, value]) => value!),
    query.limit + 1,
  );
  return page(rows, query, toCronJob, (row) => [row.namespace, row.name, row.uid]);
}

function toCronJob({ uid, namespace, name, last_run: run, problems, unjudged }: CronJobColumns): SeenCronJob {
  const lastRun = run === null ? undefined : parsed<Run>(run).value;
  const known = problems === null ? [] : (parsed<ProblemView[]>(problems, Array.isArray).value ?? []);
  const why = unjudged === null ? undefined : (JSON.parse(unjudged) as UnjudgedView);
  return { uid, namespace, name, lastRun, problems: known, unjudged: why };
}
