import { Router } from 'express';

import { iso } from '../lib/clock.ts';
import type { WebOptions } from './options.ts';

/** No commit takes so long. */
const DEAD_SECONDS = 120;

/** /livez, /readyz, /metrics and /version. */
export function healthRouter(options: WebOptions): Router {
  const router = Router();
  router.get('/livez', (_request, response) => {
    const seconds = options.silentSeconds();
    const isDead = seconds >= DEAD_SECONDS;
    const text = isDead ? `the thread of the store has not answered for ${seconds} s: only a restart helps` : 'ok';
    response
      .status(isDead ? 503 : 200)
      .type('text')
      .send(`${text}\n`);
  });
  router.get('/readyz', async (_request, response) => {
    const { ready, report, notes = [] } = await options.readiness();
    response.status(ready ? 200 : 503).json({
      ready,
      ...report,
      notes,
      ...retired(options),
      lastRecordAgeSeconds: recordAges(options),
      outbox: outbox(options),
    });
  });
  router.get('/metrics', async (_request, response) => {
    response.type('text/plain; version=0.0.4; charset=utf-8').send(await options.metrics.text());
  });
  router.get('/version', (_request, response) => {
    response.json({ name: 'lifecycle-bridge', version: options.version, node: process.version });
  });
  return router;
}

/** Not a fault: it is reported, not judged. */
function retired({ retirement }: WebOptions): object {
  const current = retirement();
  if (current === undefined) return {};
  const { since, destinations } = current;
  return { retired: { since: iso(since), destinations } };
}

function recordAges({ metrics, clock }: WebOptions): Record<string, number> {
  const now = clock.now();
  return Object.fromEntries([...metrics.lastRecords()].map(([kind, at]) => [kind, Math.round((now - at) / 1000)]));
}

function outbox({ reader, clock }: WebOptions): object[] {
  const now = clock.now();
  return reader.depth().map(({ destination, pending, notInSync, oldestCreatedAt }) => ({
    destination,
    pending,
    oldestAgeSeconds: oldestCreatedAt === undefined ? 0 : Math.round((now - oldestCreatedAt) / 1000),
    notInSync,
  }));
}
