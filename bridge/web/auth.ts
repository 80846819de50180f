import express, { type Request, type RequestHandler, type Response, Router } from 'express';

import { errorText } from '../lib/errors.ts';
import type { Abuse } from './abuse.ts';
import { sendError } from './api.ts';
import { isForPeople, refuse, sendPage, strangersFrame } from './errors.ts';
import { html } from './html.ts';
import type { WebOptions } from './options.ts';
import { note, type PageContent } from './pages/layout.ts';
import { proxyHeader } from './proxy-header.ts';
import { isSameOrigin } from './same-origin.ts';
import { createPageToken, type PageToken } from './token.ts';

const COOKIE = 'lifecycle_bridge_session';

/**
 * Lets in who may see the page and the API. Mounted behind /livez, /readyz, /metrics and /version: probes and scrapers
 * carry no credentials, and those show counts, names of destinations and of kinds, never a run or its messages.
 */
export function authRouter(options: WebOptions, abuse: Abuse): Router {
  const router = Router();
  if (options.auth === 'token') withToken(router, options, abuse);
  if (options.auth === 'proxy-header') router.use(proxyHeader(options, abuse));
  return router;
}

function withToken(router: Router, options: WebOptions, abuse: Abuse): void {
  const token = createPageToken(options, options.clock);
  const body = express.urlencoded({ extended: false, limit: '4kb', parameterLimit: 10 });
  router.post(['/login', '/logout'], ofThisSite(options, abuse));
  router.get('/login', (request, response) => {
    if (isLetIn(request, token)) response.redirect(303, '/');
    else loginForm(options, response, 200, target(request.query['to']), false);
  });
  router.post('/login', body, (request, response) => {
    const given = (request.body ?? {}) as Readonly<Record<string, unknown>>;
    const to = target(given['to']);
    if (typeof given['token'] !== 'string' || !token.isToken(given['token'].trim())) {
      abuse.seen(request, 'a login to the page was refused');
      return loginForm(options, response, 401, to, true);
    }
    const { value, maxAgeMs } = token.newSession();
    response.cookie(COOKIE, value, { ...cookieOptions(request), maxAge: maxAgeMs });
    response.redirect(303, to);
  });
  router.post('/logout', (request, response) => {
    logOut(request, token, options);
    response.clearCookie(COOKIE, cookieOptions(request));
    response.redirect(303, '/login');
  });
  router.use(letIn(options, token, abuse));
}

/** Another site must neither log its reader in with a token of its choice nor log them out. */
function ofThisSite(options: WebOptions, abuse: Abuse): RequestHandler {
  return (request, response, next) => {
    if (isSameOrigin(request)) return next();
    abuse.seen(request, 'a form for the page came from another site');
    refuse(strangersFrame(options), request, response, 403, { message: 'this form was not sent by this page' });
  };
}

function letIn(options: WebOptions, token: PageToken, abuse: Abuse): RequestHandler {
  return (request, response, next) => {
    if (isLetIn(request, token)) return next();
    if (bearer(request) !== undefined) abuse.seen(request, 'a request with a wrong token was refused');
    response.set('WWW-Authenticate', 'Bearer');
    if (isForPeople(request)) loginForm(options, response, 401, request.originalUrl, false);
    else sendError(response, 401, { message: 'a token is needed: Authorization: Bearer TOKEN' });
  };
}

function logOut(request: Request, token: PageToken, { logger }: WebOptions): void {
  const session = cookie(request, COOKIE);
  if (session === undefined) return;
  try {
    token.endSession(session);
  } catch (error) {
    logger.warn({ error: errorText(error) }, 'a logout could not be written: a restart of the bridge would undo it');
  }
}

/** `Secure` on what the browser says came by https; a wrong X-Forwarded-Proto can only make it stricter. */
function cookieOptions(request: Request) {
  const secure = request.headers['x-forwarded-proto'] === 'https';
  return { httpOnly: true, sameSite: 'strict', path: '/', secure } as const;
}

function isLetIn(request: Request, token: PageToken): boolean {
  const given = bearer(request);
  if (given !== undefined) return token.isToken(given);
  const session = cookie(request, COOKIE);
  return session !== undefined && token.isSession(session);
}

function bearer({ headers }: Request): string | undefined {
  return /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
}

function cookie(request: Request, name: string): string | undefined {
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** Where to go after the login: a path of this page and nothing else. */
function target(to: unknown): string {
  return typeof to === 'string' && /^\/(?![/\\])[\x20-\x7e]*$/.test(to) && !to.startsWith('/login') ? to : '/';
}

function loginForm(options: WebOptions, response: Response, status: number, to: string, refused: boolean): void {
  const content: PageContent = {
    title: 'Log in',
    body: html`<h1>Log in</h1>
      ${refused && note('bad', 'This is not the token.')}
      <form class="login" method="post" action="/login">
        <input type="hidden" name="to" value="${to}" />
        <label for="token">Token</label>
        <input id="token" name="token" type="password" autocomplete="current-password" required autofocus />
        <button type="submit">Log in</button>
      </form>
      <p class="hint">
        <code>lifecycle-bridge page-token</code> prints it where the bridge runs; in Kubernetes:<br />
        <code>kubectl -n NAMESPACE exec POD -- lifecycle-bridge page-token</code>
      </p>`,
  };
  sendPage(response.status(status), strangersFrame(options), content);
}
