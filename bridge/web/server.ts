import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { fileURLToPath } from 'node:url';

import express, { type Express } from 'express';

import { ConnectionLimit } from '../lib/connection-limit.ts';
import { errorText, UserError } from '../lib/errors.ts';
import { hostAndPort, listenHost } from '../lib/listen-host.ts';
import { Abuse } from './abuse.ts';
import { apiRouter } from './api.ts';
import { authRouter } from './auth.ts';
import { handleErrors, notFound } from './errors.ts';
import { healthRouter, probesFirst } from './health.ts';
import type { WebOptions } from './options.ts';
import { pagesRouter } from './pages.ts';

export interface Web {
  readonly port: number;
  /** Answers what is under way, for at most 2 s, and stops. */
  close(): Promise<void>;
}

const CLOSE_MS = 2000;
/** Who scrapes every half minute, or minute, keeps its connection. */
const KEEP_ALIVE_MS = 65_000;
/** Browsers, probes and scrapers together; idle connections of a stranger do not keep others out. */
const MAX_CONNECTIONS = 1000;

/** Serves page, JSON API, health and metrics. Throws a UserError when the address cannot be used. */
export async function startWeb(options: WebOptions): Promise<Web> {
  const { host, port } = options;
  const server = createServer(probesFirst(options, { ...HEADERS, ...NO_STORE }, webApp(options)));
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  limitConnections(server, options.maxConnections ?? MAX_CONNECTIONS);
  server.listen(port, listenHost(host));
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new UserError(
      `the page cannot listen on ${hostAndPort(host, port)}: ${errorText(error)}`,
      'Choose another address with web.host and web.port (0: any free port).',
    );
  }
  const address = server.address();
  return {
    port: address !== null && typeof address === 'object' ? address.port : port,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      options.live.close();
      const hard = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
      await closed;
      clearTimeout(hard);
    },
  };
}

/** When there are too many, the one goes that has been idle for longest; without any, the new one. */
function limitConnections(server: Server, max: number): void {
  const limit = new ConnectionLimit(max);
  server.on('connection', (socket) => {
    if (limit.add(socket, () => socket.destroy()) === 'full') socket.destroy();
    else socket.once('close', () => limit.remove(socket));
  });
  server.on('request', (request, response) => response.once('close', limit.busy(request.socket)));
}

/** Nothing from elsewhere is loaded, framed or sent to. */
const HEADERS = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "style-src 'self'",
    "script-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; '),
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

const NO_STORE = { 'Cache-Control': 'no-store' };
const ASSETS_AGE = '1h';
/** What keeps a page as it is while it is updated, from its package. */
const IDIOMORPH = fileURLToPath(import.meta.resolve('idiomorph/dist/idiomorph.min.js'));

function webApp(options: WebOptions): Express {
  const app = express();
  const abuse = new Abuse(options);
  app.disable('x-powered-by');
  app.use((_request, response, next) => {
    response.set(HEADERS).set(NO_STORE);
    next();
  });
  app.get('/assets/idiomorph.js', (_request, response) => response.sendFile(IDIOMORPH, { maxAge: ASSETS_AGE }));
  app.use(
    '/assets',
    express.static(`${import.meta.dirname}/assets`, { maxAge: ASSETS_AGE, index: false, redirect: false }),
  );
  app.use(healthRouter(options));
  app.use(authRouter(options, abuse));
  app.get('/events', options.live.handler());
  app.use('/api', apiRouter(options));
  app.use(pagesRouter(options));
  app.use(notFound(options));
  app.use(handleErrors(options, abuse));
  return app;
}
