import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';

import { type ApiError, sendError } from './api.ts';
import { UserError } from '../lib/errors.ts';
import type { Abuse } from './abuse.ts';
import { html } from './html.ts';
import { type Frame, layout, type PageContent } from './pages/layout.ts';
import { BadQuery } from './query.ts';
import type { WebOptions } from './options.ts';

export function sendPage(response: Response, frame: Frame, content: PageContent): void {
  response.type('html').send(layout(frame, content));
}

/** Answers what no route knows: JSON where a program asks, else a page. */
export function notFound(options: WebOptions): RequestHandler {
  return (request, response) => {
    if (request.method === 'GET' || request.method === 'HEAD')
      return refuse(plainFrame(options), request, response, 404, { message: `nothing is at ${request.path}` });
    response.set('Allow', 'GET, HEAD');
    refuse(plainFrame(options), request, response, 405, { message: `${request.method} is not allowed here` });
  };
}

/** 4xx with what is allowed for a bad request; anything else is logged, and answered without its details. */
export function handleErrors(options: WebOptions, abuse: Abuse): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    const status = clientStatus(error);
    if (response.headersSent) next(error);
    else if (error instanceof UserError && 'cursor' in request.query)
      refuse(plainFrame(options), request, response, 400, {
        message: error.message,
        parameter: 'cursor',
        allowed: error.next,
      });
    else if (error instanceof BadQuery) {
      const { message, parameter, given, allowed } = error;
      refuse(plainFrame(options), request, response, 400, { message, parameter, given, allowed });
    } else if (status !== undefined) {
      const message = CLIENT_ERRORS[status] ?? 'the request is not valid';
      refuse(plainFrame(options), request, response, status, { message });
    } else {
      abuse.failed(`${request.method} ${request.baseUrl}${routePath(request)}`, error);
      refuse(plainFrame(options), request, response, 500, {
        message: `the bridge could not answer; its log says more`,
      });
    }
  };
}

function routePath({ route }: Request): string {
  const path = (route as { path?: unknown } | undefined)?.path;
  return typeof path === 'string' ? path : '';
}

const CLIENT_ERRORS: Readonly<Record<number, string>> = {
  400: 'the address or the body of the request is not valid',
  412: 'the file is another one by now',
  413: 'the body of the request is too large',
  415: 'the body of the request is in a form that is not read here',
  416: 'the file has no such part',
};

/** Express and its parts refuse what a caller did wrong with an error that carries the status. */
function clientStatus(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('status' in error)) return undefined;
  const { status } = error;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
}

/** Whether a browser shows the answer: then it is a page. Programs get JSON. */
export function isForPeople(request: Request): boolean {
  const { path } = request;
  if (path === '/api' || path.startsWith('/api/') || path === '/events') return false;
  return request.accepts(['html', 'json']) === 'html';
}

/** Answers with an error, as a page or as JSON. */
export function refuse(frame: Frame, request: Request, response: Response, status: number, error: ApiError): void {
  if (isForPeople(request)) sendPage(response.status(status), frame, errorPage(frame, status, error));
  else sendError(response, status, error);
}

/** An error page reads nothing: the store may be what failed. */
function plainFrame({ cluster, version, clock }: WebOptions): Frame {
  return { cluster, version, ready: true, notes: [], outbox: [], now: clock.now(), retirement: undefined };
}

/** For who is not let in: without links, and without naming the cluster. */
export function strangersFrame(options: WebOptions): Frame {
  return { ...plainFrame(options), bare: true };
}

const TITLES: Readonly<Record<number, string>> = { 401: 'Not let in', 403: 'Refused', 404: 'Not found' };

function errorPage(
  { bare = false }: Frame,
  status: number,
  { message, parameter, given, allowed }: ApiError,
): PageContent {
  const title = TITLES[status] ?? 'This did not work';
  return {
    title,
    body: html`<h1>${title}</h1>
      <p>${message.charAt(0).toUpperCase()}${message.slice(1)}.</p>
      ${status === 404 && html`<p>A run is shown for as long as the store keeps it.</p>`}
      ${given !== undefined && html`<p>${parameter} was “${given}”.</p>`}
      ${allowed !== undefined && html`<p>Allowed: ${allowed}.</p>`} ${!bare && html`<p><a href="/">All runs</a></p>`}`,
  };
}
