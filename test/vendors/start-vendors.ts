import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cronitor } from './cronitor.ts';
import { faultSchema, Faults } from './faults.ts';
import type { Fault } from './faults.ts';
import { Github } from './github.ts';
import { Sentry } from './sentry.ts';
import { Kubernetes } from './kubernetes.ts';
import type { Vendor, VendorAnswer, VendorRequest } from './vendor.ts';
import { json } from './vendor.ts';

/** A request in order of arrival; the API key in its path is replaced. */
export interface RecordedRequest {
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  /** 0: the connection was closed without an answer. */
  readonly status: number;
  /** It was processed, and its answer thrown away. */
  readonly lost: boolean;
}

export interface Vendors {
  /** Base of every vendor, without a slash at its end. */
  readonly url: string;
  /** The key that is let in. */
  readonly key: string;
  readonly requests: readonly RecordedRequest[];
  readonly cronitor: Cronitor;
  readonly github: Github;
  readonly sentry: Sentry;
  readonly kubernetes: Kubernetes;
  inject(fault: Fault): void;
  /** Forgets faults only. */
  heal(): void;
  /** Refuses connections, after the requests that are under way got their answers. */
  down(): Promise<void>;
  /** Listens again on the same port. */
  up(): Promise<void>;
  /** Forgets faults and everything recorded. */
  clear(): void;
  close(): Promise<void>;
}

export interface VendorsOptions {
  /** Address to listen on, such as that at which pods reach this machine; default 127.0.0.1. */
  readonly host?: string;
  readonly port?: number;
  readonly key?: string;
  /** Cronitor's 50 requests a second of one address; default on. */
  readonly addressLimit?: boolean;
}

export const DEFAULT_KEY = 'simulated-api-key';
/** Public key of the DSN that the simulated Sentry lets in. */
export const SENTRY_KEY = '0123456789abcdef0123456789abcdef';

/** Starts the simulated vendors on one real HTTP server; port 0 takes a free one. */
export async function startVendors({
  host = '127.0.0.1',
  port = 0,
  key = DEFAULT_KEY,
  addressLimit = true,
}: VendorsOptions = {}): Promise<Vendors> {
  const simulation = new Simulation(key, addressLimit);
  const server = createServer((request, response) => {
    simulation.serve(request, response).catch(() => response.destroy());
  });
  const listen = (on: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(on, host, resolve);
    });
  await listen(port);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    url: `http://${host}:${address.port}`,
    key,
    requests: simulation.requests,
    cronitor: simulation.cronitor,
    github: simulation.github,
    sentry: simulation.sentry,
    kubernetes: simulation.kubernetes,
    inject: (fault) => simulation.faults.inject(fault),
    heal: () => simulation.faults.clear(),
    down: () => close(server, 'closeIdleConnections'),
    up: () => listen(address.port),
    clear: () => simulation.clear(),
    close: () => close(server, 'closeAllConnections'),
  };
}

async function close(server: Server, end: 'closeIdleConnections' | 'closeAllConnections'): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server[end]();
  const again = setInterval(() => server[end](), 20);
  await closed;
  clearInterval(again);
}

class Simulation {
  readonly requests: RecordedRequest[] = [];
  readonly faults = new Faults();
  readonly cronitor: Cronitor;
  readonly github: Github;
  readonly sentry = new Sentry([SENTRY_KEY]);
  readonly kubernetes: Kubernetes;
  private readonly vendors: Readonly<Record<string, Vendor>>;

  constructor(key: string, addressLimit: boolean) {
    this.cronitor = new Cronitor(key, addressLimit);
    this.github = new Github(key);
    this.kubernetes = new Kubernetes(key);
    // The others are below /api too, where Cronitor refuses what it does not know.
    const { github, sentry, kubernetes, cronitor } = this;
    this.vendors = { github, sentry, kubernetes, cronitor };
  }

  async serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = Date.now();
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(Buffer.from(chunk));
    const bytes = Buffer.concat(chunks);
    const request: VendorRequest = {
      method: message.method ?? 'GET',
      url: new URL(message.url ?? '/', 'http://vendors'),
      headers: message.headers,
      body: bytes.toString(),
      bytes,
      remoteAddress: message.socket.remoteAddress ?? '',
      at,
    };
    const own = this.own(request);
    const { answer, lost } = own === undefined ? await this.vendorAnswer(request) : { answer: own, lost: false };
    if (own === undefined) this.record(request, answer, lost);
    if (answer === undefined) response.destroy();
    else response.writeHead(answer.status, answer.headers).end(answer.body);
  }

  /** What a vendor answers, after what the injected fault does to it; no answer: the connection is closed. */
  private async vendorAnswer(request: VendorRequest): Promise<{ answer: VendorAnswer | undefined; lost: boolean }> {
    const fault = this.faults.take(`${request.method} ${request.url.pathname}${request.url.search}`);
    if (fault?.reset === true) return { answer: undefined, lost: false };
    const answer =
      fault?.status === undefined ? this.handle(request) : { status: fault.status, body: fault.body ?? '' };
    if (fault?.delayMs !== undefined) await sleep(fault.delayMs);
    if (fault?.resetAfterProcessing === true) return { answer: undefined, lost: answer.status < 300 };
    if (fault?.retryAfter === undefined) return { answer, lost: false };
    const headers = { ...answer.headers, 'retry-after': String(fault.retryAfter) };
    return { answer: { ...answer, headers }, lost: false };
  }

  private handle(request: VendorRequest): VendorAnswer {
    for (const vendor of Object.values(this.vendors)) {
      const answer = vendor.handle(request);
      if (answer !== undefined) return answer;
    }
    return { status: 404, body: 'no vendor has this path' };
  }

  private record(request: VendorRequest, answer: VendorAnswer | undefined, lost: boolean): void {
    const { at, method, url, headers, body } = request;
    const path = (url.pathname + url.search)
      .replace(/^\/(ping|p)\/[^/]+/, '/$1/:key')
      .replace(/(?<=X-Signature=).*/, ':signature');
    const { authorization: _, 'x-sentry-auth': _dsn, ...safe } = headers;
    this.requests.push({ at, method, path, headers: safe, body, status: answer?.status ?? 0, lost });
  }

  /** The simulator's own paths: the page, and what other processes drive it with. */
  private own({ method, url, body }: VendorRequest): VendorAnswer | undefined {
    const route = `${method} ${url.pathname}`;
    if (route === 'GET /') return page(Object.values(this.vendors));
    if (route === 'GET /debug/health') return json(200, { status: 'healthy' });
    if (route === 'GET /debug/state') return json(200, this.state());
    if (route === 'POST /debug/clear') return (this.clear(), json(200, {}));
    if (route === 'POST /debug/inject') return this.injectJson(body);
    return undefined;
  }

  private injectJson(body: string): VendorAnswer {
    try {
      this.faults.inject(faultSchema.parse(JSON.parse(body)));
      return json(200, {});
    } catch (error) {
      return json(400, { error: String(error) });
    }
  }

  private state(): object {
    const vendors = Object.entries(this.vendors).map(([name, vendor]) => [name, vendor.state()]);
    return { ...Object.fromEntries(vendors), requests: this.requests };
  }

  clear(): void {
    this.requests.length = 0;
    this.faults.clear();
    for (const vendor of Object.values(this.vendors)) vendor.clear();
  }
}

const STYLE = `body{font:14px system-ui;margin:2rem}table{border-collapse:collapse}
th,td{text-align:left;padding:.2rem 1rem .2rem 0;border-bottom:1px solid #ddd}`;

function page(vendors: readonly Vendor[]): VendorAnswer {
  const body = vendors.map((vendor) => vendor.html()).join('');
  const head = `<meta charset="utf-8"><meta http-equiv="refresh" content="2"><title>Vendors</title><style>${STYLE}</style>`;
  return {
    status: 200,
    headers: { 'content-type': 'text/html; charset=utf-8' },
    body: `<!doctype html><html lang="en"><head>${head}</head><body><h1>Simulated vendors</h1>${body}</body></html>`,
  };
}
