import type { CronJobState } from '../../../lifecycle/cronjob.ts';
import type { Run } from '../../../lifecycle/transition.ts';
import type { ProblemView } from '../../problems.ts';
import type { CronJobReads, CronJobsQuery, CronJobView, Page, SeenCronJob } from '../../read.ts';
import type { UnjudgedView } from '../../unjudged.ts';
import { page, readCursor } from '../db/cursor.ts';
import type { Db } from '../db/db.ts';
import { parsed } from '../db/unreadable-rows.ts';
import { countUnjudged, unjudgedOf } from '../objects/unjudged.ts';
import { claimedBy } from './desired.ts';
import { countProblems, problemsOf, readProblems } from './problems.ts';

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

const BY_NAME = `SELECT uid, state FROM objects WHERE kind = 'CronJob' AND namespace = ? AND name = ?
  ORDER BY deleted LIMIT 1`;
const COUNT = "SELECT count(*) AS count FROM objects WHERE kind = 'CronJob' AND deleted = 0";

/** `dryRuns`: destinations that send nothing. */
export function cronJobReads(db: Db, dryRuns: ReadonlySet<string>): CronJobReads {
  const count = (sql: string): number => db.get<{ count: number }>(sql)!.count;
  return {
    cronJob: (namespace, name) => db.snapshot(() => cronJob(db, namespace, name, dryRuns)),
    cronJobs: (query) => db.snapshot(() => readCronJobs(db, query)),
    cronJobCount: () => count(COUNT),
    problems: (query) => readProblems(db, query),
    problemCounts: () => countProblems(db),
    problemObjects: () => count('SELECT count(*) AS count FROM annotation_problems'),
    unjudgedCounts: () => countUnjudged(db),
  };
}

function cronJob(db: Db, namespace: string, name: string, dryRuns: ReadonlySet<string>): CronJobView | undefined {
  const row = db.get<{ uid: string; state: string }>(BY_NAME, namespace, name);
  const state = row && parsed<CronJobState>(row.state).value;
  if (row === undefined || state === undefined) return undefined;
  const known = { problems: problemsOf(db, row.uid), unjudged: unjudgedOf(db, row.uid) };
  return { ...state, ...known, desired: claimedBy(db, row.uid, dryRuns) };
}

/** CronJobs that are not deleted, by namespace, name and UID. */
function readCronJobs(db: Db, query: CronJobsQuery): Page<SeenCronJob> {
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
