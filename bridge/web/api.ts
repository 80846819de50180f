import { type Response, Router } from 'express';

import { iso } from '../lib/clock.ts';
import type { Json } from '../lib/json.ts';
import { masked } from './masked.ts';
import type { WebOptions } from './options.ts';
import {
  cronJobsQuery,
  deliveriesQuery,
  dropsQuery,
  listQuery,
  problemsQuery,
  quarantineId,
  runsQuery,
} from './query.ts';
import { readable } from './readable.ts';

/** JSON of vendors, handed on as it is but for its secrets. */
const FOREIGN = new Set(['payload', 'wanted']);

/** The JSON API: every list is `{items, next?}`, every time an ISO string, what is not known is left out. */
export function apiRouter({ reader, links }: Pick<WebOptions, 'reader' | 'links'>): Router {
  const router = Router();
  router.get('/runs', (request, response) => send(response, reader.runs(runsQuery(request.query))));
  router.get('/runs/:uid', (request, response) => {
    const detail = reader.run(request.params.uid);
    if (detail === undefined) sendError(response, 404, { message: `no run has the UID ${request.params.uid}` });
    else {
      const found = links(detail.run);
      send(response, found.length === 0 ? detail : { ...detail, links: found });
    }
  });
  router.get('/desired', (request, response) => send(response, reader.desired(listQuery(request.query))));
  router.get('/deliveries', (request, response) => send(response, reader.deliveries(deliveriesQuery(request.query))));
  router.get('/drops', (request, response) => send(response, reader.drops(dropsQuery(request.query))));
  router.get('/drops/counts', (_request, response) => send(response, { items: reader.dropCounts() }));
  router.get('/cronjobs', (request, response) => send(response, reader.cronJobs(cronJobsQuery(request.query))));
  router.get('/problems', (request, response) => send(response, reader.problems(problemsQuery(request.query))));
  router.get('/quarantine/:id', (request, response) => {
    const row = reader.quarantined(quarantineId(request.params.id));
    if (row === undefined) sendError(response, 404, { message: 'nothing of this number is in quarantine' });
    else send(response, { ...row, bytes: undefined, text: readable(row.bytes) });
  });
  return router;
}

export interface ApiError {
  readonly message: string;
  readonly parameter?: string;
  readonly given?: string;
  readonly allowed?: string;
}

export function sendError(response: Response, status: number, error: ApiError): void {
  response.status(status).json({ error });
}

function send(response: Response, view: object): void {
  response.json(apiJson(view));
}

/** A view of the store as JSON: instants (`at`, `…At`) become ISO strings. */
export function apiJson(view: unknown, key = ''): unknown {
  if (typeof view === 'number' && (key === 'at' || key.endsWith('At'))) return iso(view);
  if (FOREIGN.has(key)) return masked(view as Json);
  if (view === null || typeof view !== 'object') return view;
  if (Array.isArray(view)) return view.map((item) => apiJson(item));
  return Object.fromEntries(Object.entries(view).map(([name, value]) => [name, apiJson(value, name)]));
}
