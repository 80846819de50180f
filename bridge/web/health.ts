import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

import { Router } from 'express';

import { iso } from '../lib/clock.ts';
import { CONTENT_TYPES, formatOf } from '../telemetry/exposition.ts';
import type { WebOptions } from './options.ts';

/** No commit takes this long. */
const DEAD_SECONDS = 120;

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

/** /livez, /readyz, /metrics and /version. */
export function healthRouter(options: WebOptions): Router {
  const router = Router();
  for (const [path, answer] of Object.entries(ASKED_OFTEN)) {
    router.get(path, async ({ headers }, response) => send(response, await answer(options, headers.accept)));
  }
  router.get('/version', (_request, response) => {
    response.json({ name: 'lifecycle-bridge', version: options.version, node: process.version });
  });
  return router;
}

/**
 * Answers kubelet and scrapes, which ask 20 times a minute for ever, before all that pages need; `rest` answers everything
 * else, and what fails here.
 */
export function probesFirst(
  options: WebOptions,
  headers: Readonly<Record<string, string>>,
  rest: RequestListener,
): RequestListener {
  const answered = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const answer = request.method === 'GET' ? ASKED_OFTEN[request.url ?? ''] : undefined;
    if (answer === undefined) return rest(request, response);
    try {
      const found = await answer(options, request.headers.accept);
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
      send(response, found);
    } catch {
      rest(request, response);
    }
  };
  return (request, response) => void answered(request, response);
}

function send(response: ServerResponse, { status, type, text }: Answer): void {
  response.statusCode = status;
  response.setHeader('Content-Type', `${type}; charset=utf-8`);
  response.end(text);
}

const ASKED_OFTEN: Readonly<Record<string, (options: WebOptions, accept?: string) => Answer | Promise<Answer>>> = {
  '/livez': ({ silentSeconds }) => {
    const seconds = silentSeconds();
    const isDead = seconds >= DEAD_SECONDS;
    const text = isDead ? `the thread of the store has not answered for ${seconds} s: only a restart helps` : 'ok';
    return { status: isDead ? 503 : 200, type: 'text/plain', text: `${text}\n` };
  },
  '/readyz': async (options) => {
    const { ready, report, notes = [] } = await options.readiness();
    const ages = { lastRecordAgeSeconds: recordAges(options), outbox: outbox(options), ...journals(options) };
    const text = JSON.stringify({ ready, ...report, notes, ...retired(options), ...ages });
    return { status: ready ? 200 : 503, type: 'application/json', text };
  },
  '/metrics': async ({ metrics }, accept) => {
    const format = formatOf(accept);
    return { status: 200, type: CONTENT_TYPES[format], text: await metrics.text(format) };
  },
};

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

/** Only where a destination follows the journal. */
function journals({ reader, clock }: WebOptions): object {
  const now = clock.now();
  const journals = reader.journals().map(({ destination, waiting, oldestAt = now }) => ({
    destination,
    waiting,
    oldestAgeSeconds: waiting === 0 ? 0 : Math.round((now - oldestAt) / 1000),
  }));
  return journals.length === 0 ? {} : { journals };
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
