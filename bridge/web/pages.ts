import { type Request, type RequestHandler, Router } from 'express';

import type { Run } from '../lifecycle/transition.ts';
import type { UnjudgedView } from '../store/unjudged.ts';
import { sendPage } from './errors.ts';
import type { WebOptions } from './options.ts';
import { cronJobsPage } from './pages/cron-jobs.ts';
import { dropsPage, quarantinePage } from './pages/drops.ts';
import { deliveriesPage, desiredPage, runNames } from './pages/lists.ts';
import type { Frame, PageContent } from './pages/layout.ts';
import { problemsPage } from './pages/problems.ts';
import { runPage } from './pages/run.ts';
import { runsPage } from './pages/runs.ts';
import {
  cronJobsQuery,
  deliveriesQuery,
  dropsQuery,
  listQuery,
  problemsQuery,
  quarantineId,
  runsQuery,
} from './query.ts';

/** What a page shows for a request; undefined when there is no such thing. */
type Make = (request: Request, frame: Frame) => PageContent | undefined;

/** The pages that people read. */
export function pagesRouter(options: WebOptions): Router {
  const { reader } = options;
  const router = Router();
  const get = (path: string, make: Make) => router.get(path, page(options, make));
  get('/', ({ query: given }, frame) => {
    const query = runsQuery(given);
    const { namespace, owner } = query;
    const cronJob = namespace === undefined || owner === undefined ? undefined : reader.cronJob(namespace, owner);
    const seen = { cronJobs: reader.cronJobCount(), problemObjects: reader.problemObjects() };
    return runsPage({ query, page: reader.runs(query), counts: reader.runCounts(query), seen, cronJob }, frame);
  });
  get('/runs/:uid', ({ params }, frame) => {
    const detail = reader.run(String(params['uid']));
    return detail && runPage(detail, frame, moreOf(options, detail.run));
  });
  get('/desired', ({ query: given }) => {
    const query = listQuery(given);
    return desiredPage(reader.desired(query), query);
  });
  get('/deliveries', ({ query: given }, frame) => {
    const query = deliveriesQuery(given);
    const rows = reader.deliveries(query);
    return deliveriesPage(rows, query, frame, runNames(reader, rows.items), reader.journals());
  });
  get('/drops', ({ query: given }) => {
    const query = dropsQuery(given);
    const page = reader.drops(query);
    const quiet = options.metrics.quiet();
    return dropsPage({ query, page, counts: reader.dropCounts(), quiet, names: runNames(reader, page.items) });
  });
  get('/quarantine/:id', ({ params }) => {
    const row = reader.quarantined(quarantineId(String(params['id'])));
    return row && quarantinePage(row);
  });
  cronJobPages(reader, get);
  return router;
}

function moreOf({ reader, links }: WebOptions, run: Run): Parameters<typeof runPage>[2] {
  return {
    quarantined: reader.quarantinedObject(run.uid),
    unjudged: unjudgedOf(reader, run),
    links: links(run),
  };
}

/** Why missed runs of the run's CronJob are not judged. */
function unjudgedOf(
  reader: WebOptions['reader'],
  { namespace, ownerKind, ownerName = '' }: Run,
): UnjudgedView | undefined {
  return ownerKind === 'CronJob' ? reader.cronJob(namespace, ownerName)?.unjudged : undefined;
}

function cronJobPages(reader: WebOptions['reader'], get: (path: string, make: Make) => void): void {
  get('/problems', ({ query: given }) => {
    const query = problemsQuery(given);
    return problemsPage(reader.problems(query), query);
  });
  get('/cronjobs', ({ query: given }) => {
    const query = cronJobsQuery(given);
    return cronJobsPage(reader.cronJobs(query), query);
  });
}

function page(options: WebOptions, make: Make): RequestHandler {
  return (request, response, next) => {
    const show = async () => {
      const frame = await frameOf(options);
      const content = make(request, frame);
      if (content === undefined) next();
      else sendPage(response, frame, content);
    };
    show().catch(next);
  };
}

async function frameOf(options: WebOptions): Promise<Frame> {
  // Before anything is read: what changes meanwhile is fetched again.
  const live = options.live.version;
  const { ready, notes = [] } = await options.readiness();
  const { cluster, version, reader, clock } = options;
  const retirement = options.retirement();
  return {
    cluster,
    version,
    ready,
    notes,
    outbox: reader.depth(),
    now: clock.now(),
    retirement,
    logout: options.auth === 'token',
    live,
  };
}
