import type { RequestHandler, Response } from 'express';

/** How many open pages are notified of changes; further ones poll. */
const MAX_PAGES = 100;
/** A burst of changes is one notification. */
const PAUSE_MS = 200;
/** Keeps proxies from ending a connection on which nothing happens. */
const HEARTBEAT_MS = 25_000;

/**
 * Notifies open pages of changes, by Server-Sent Events: a page compares the version with the one that it was
 * rendered with, and fetches itself again. Without a change a page costs a comment every 25 s.
 */
export class Live {
  readonly #pages = new Set<Response>();
  readonly #born = Date.now().toString(36);
  #count = 0;
  #timer: NodeJS.Timeout | undefined;
  #heartbeat: NodeJS.Timeout | undefined;

  /** Differs after every change, and from that of another start of the bridge. */
  get version(): string {
    return `${this.#born}.${this.#count}`;
  }

  /** To be called after each commit that changed something. */
  changed(): void {
    this.#count++;
    if (this.#pages.size === 0) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      for (const page of this.#pages) page.write(this.#message());
    }, PAUSE_MS).unref();
  }

  /** `GET /events`. */
  handler(): RequestHandler {
    return (request, response) => {
      if (this.#pages.size >= MAX_PAGES) {
        response.status(503).set('Retry-After', '10').type('text').send('too many open pages\n');
        return;
      }
      const headers = { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no', Connection: 'close' };
      response.writeHead(200, headers);
      // It is never notified.
      if (request.method === 'HEAD') {
        response.end();
        return;
      }
      response.write(`retry: 2000\n${this.#message()}`);
      this.#pages.add(response);
      this.#heartbeat ??= setInterval(() => this.#beat(), HEARTBEAT_MS).unref();
      response.once('close', () => this.#pages.delete(response));
    };
  }

  /** Ends every connection: an open page must not hold up the stop of the bridge. */
  close(): void {
    clearTimeout(this.#timer);
    clearInterval(this.#heartbeat);
    for (const page of this.#pages) page.end();
  }

  #message(): string {
    return `data: ${this.version}\n\n`;
  }

  #beat(): void {
    for (const page of this.#pages) page.write(':\n\n');
  }
}
