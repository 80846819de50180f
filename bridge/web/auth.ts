import { BlockList, isIP } from 'node:net';

import express, { type Request, type RequestHandler, type Response, Router } from 'express';

import { sendError } from './api.ts';
import { plainFrame, sendPage } from './errors.ts';
import { html } from './html.ts';
import type { WebOptions } from './options.ts';
import { note, type PageContent } from './pages/layout.ts';
import { createPageToken, type PageToken } from './token.ts';

const COOKIE = 'lifecycle_bridge_session';

/**
 * Lets in who may see the page and the API. Mounted behind /livez, /readyz, /metrics and /version: probes and scrapers
 * carry no credentials, and those tell counts, names of destinations and of kinds, never of a run or its messages.
 */
export function authRouter(options: WebOptions): Router {
  const router = Router();
  if (options.auth === 'token') withToken(router, options);
  if (options.auth === 'proxy-header') router.use(proxyHeader(options));
  return router;
}

function withToken(router: Router, options: WebOptions): void {
  const token = createPageToken(options, options.clock);
  const body = express.urlencoded({ extended: false, limit: '4kb', parameterLimit: 10 });
  router.get('/login', (request, response) => {
    if (isLetIn(request, token)) response.redirect(303, '/');
    else loginForm(options, response, 200, target(request.query['to']), false);
  });
  router.post('/login', body, (request, response) => {
    const given = (request.body ?? {}) as Readonly<Record<string, unknown>>;
    const to = target(given['to']);
    if (typeof given['token'] !== 'string' || !token.isToken(given['token'].trim())) {
      options.logger.warn({ remoteAddress: request.socket.remoteAddress }, 'a login to the page was refused');
      return loginForm(options, response, 401, to, true);
    }
    const { value, maxAgeMs } = token.newSession();
    response.cookie(COOKIE, value, { ...cookieOptions(request), maxAge: maxAgeMs });
    response.redirect(303, to);
  });
  router.post('/logout', (request, response) => {
    response.clearCookie(COOKIE, cookieOptions(request));
    response.redirect(303, '/login');
  });
  router.use((request, response, next) => {
    if (isLetIn(request, token)) return next();
    response.set('WWW-Authenticate', 'Bearer');
    if (request.method === 'GET' && request.accepts(['html', 'json']) === 'html' && !isProgram(request))
      loginForm(options, response, 401, request.originalUrl, false);
    else sendError(response, 401, { message: 'a token is needed: Authorization: Bearer TOKEN' });
  });
}

function isProgram({ path }: Request): boolean {
  return path === '/api' || path.startsWith('/api/') || path === '/events';
}

/** `Secure` on what the browser says came by https; a wrong X-Forwarded-Proto can only make it stricter. */
function cookieOptions(request: Request) {
  const secure = request.headers['x-forwarded-proto'] === 'https';
  return { httpOnly: true, sameSite: 'strict', path: '/', secure } as const;
}

function isLetIn(request: Request, token: PageToken): boolean {
  const bearer = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (bearer !== undefined) return token.isToken(bearer);
  const session = cookie(request, COOKIE);
  return session !== undefined && token.isSession(session);
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
      <p class="empty">
        <code>lifecycle-bridge page-token</code> prints it where the bridge runs; in Kubernetes:
        <code>kubectl -n NAMESPACE exec POD -- lifecycle-bridge page-token</code>.
      </p>`,
  };
  sendPage(response.status(status), { ...plainFrame(options), bare: true }, content);
}

/** The name of who is there comes from a proxy that we trust, by its address, and from nobody else. */
function proxyHeader({ proxyHeader: name, trustedProxies, logger }: WebOptions): RequestHandler {
  const trusted = addressList(trustedProxies);
  return (request, response, next) => {
    const address = plainAddress(request.socket.remoteAddress ?? '');
    if (isListed(trusted, address) && (request.get(name) ?? '').trim() !== '') return next();
    logger.warn({ remoteAddress: address, path: request.path }, 'a request did not come through the trusted proxy');
    sendError(response, 401, { message: `this page is reached only through its proxy, which sends ${name}` });
  };
}

/** Addresses and networks such as 10.0.0.0/8; the configuration has checked them. */
function addressList(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = '', prefix] = entry.split('/', 2);
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return list;
}

function isListed(list: BlockList, address: string): boolean {
  const version = isIP(address);
  return version !== 0 && list.check(address, version === 6 ? 'ipv6' : 'ipv4');
}

/** An IPv4 client of a dual-stack socket, as IPv4. */
function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
}
