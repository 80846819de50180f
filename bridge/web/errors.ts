import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';

import { type ApiError, sendError } from './api.ts';
import { UserError } from '../lib/errors.ts';
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
    const message =
      request.method === 'GET' ? `nothing is at ${request.path}` : `${request.method} is not allowed here`;
    answer(options, request, response, request.method === 'GET' ? 404 : 405, { message });
  };
}

/** 400 with what is allowed for a bad query; anything else is logged and told without its details. */
export function handleErrors(options: WebOptions): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (response.headersSent) next(error);
    else if (error instanceof UserError && 'cursor' in request.query)
      answer(options, request, response, 400, { message: error.message, parameter: 'cursor', allowed: error.next });
    else if (error instanceof BadQuery) {
      const { message, parameter, given, allowed } = error;
      answer(options, request, response, 400, { message, parameter, given, allowed });
    } else if (isClientError(error)) answer(options, request, response, 400, { message: 'the address is not valid' });
    else {
      options.logger.error({ err: error, path: request.path }, 'a page could not be served');
      answer(options, request, response, 500, { message: `the bridge could not answer; its log says more` });
    }
  };
}

/** Express refuses a malformed path with an error that carries the status. */
function isClientError(error: unknown): boolean {
  return error instanceof Error && 'status' in error && error.status === 400;
}

function answer(options: WebOptions, request: Request, response: Response, status: number, error: ApiError): void {
  if (request.path.startsWith('/api')) sendError(response, status, error);
  else sendPage(response.status(status), plainFrame(options), errorPage(status, error));
}

/** An error page reads nothing: the store may be what failed. */
export function plainFrame({ cluster, version, clock }: WebOptions): Frame {
  return { cluster, version, ready: true, notes: [], outbox: [], now: clock.now(), retirement: undefined };
}

function errorPage(status: number, { message, parameter, given, allowed }: ApiError): PageContent {
  const title = status === 404 ? 'Not found' : 'This did not work';
  return {
    title,
    body: html`<h1>${title}</h1>
      <p>${message}.</p>
      ${status === 404 && html`<p>A run is shown for as long as the store keeps it.</p>`}
      ${given !== undefined && html`<p>${parameter} was “${given}”.</p>`}
      ${allowed !== undefined && html`<p>Allowed: ${allowed}.</p>`}
      <p><a href="/">All runs</a></p>`,
  };
}
