import { type Response, Router } from 'express';

import { sendPage } from './errors.ts';
import { deliveriesPage, dropsPage, monitorsPage } from './pages/lists.ts';
import type { Frame, PageContent } from './pages/layout.ts';
import { runPage } from './pages/run.ts';
import { runsPage } from './pages/runs.ts';
import { deliveriesQuery, listQuery, runsQuery } from './query.ts';
import type { WebOptions } from './options.ts';

/** The pages that people read. */
export function pagesRouter(options: WebOptions): Router {
  const { reader } = options;
  const router = Router();
  const show = (response: Response, make: (frame: Frame) => PageContent) => {
    const frame = frameOf(options);
    sendPage(response, frame, make(frame));
  };
  router.get('/', (request, response) => {
    const query = runsQuery(request.query);
    show(response, (frame) =>
      runsPage({ query, page: reader.runs(query), counts: reader.runCounts(), cronJobs: reader.cronJobCount() }, frame),
    );
  });
  router.get('/runs/:uid', (request, response, next) => {
    const detail = reader.run(request.params.uid);
    if (detail === undefined) next();
    else show(response, (frame) => runPage(detail, frame));
  });
  router.get('/monitors', (request, response) => {
    const query = listQuery(request.query);
    show(response, () => monitorsPage(reader.monitors(query), query));
  });
  router.get('/deliveries', (request, response) => {
    const query = deliveriesQuery(request.query);
    show(response, (frame) => deliveriesPage(reader.deliveries(query), query, frame));
  });
  router.get('/drops', (request, response) => {
    const query = listQuery(request.query);
    show(response, () => dropsPage(reader.drops(query), query));
  });
  return router;
}

/** What every page shows beside its content. */
function frameOf({ reader, readiness, cluster, version, clock }: WebOptions): Frame {
  const { ready } = readiness();
  return { cluster, version, ready, outbox: reader.depth(), now: clock.now() };
}
