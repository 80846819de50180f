import type { Clock } from '../../lib/clock.ts';
import type { Reason } from '../../lib/reasons.ts';
import { redact } from '../../kubernetes/redact.ts';
import { VERSION } from '../../lib/version.ts';
import { deliveryFor } from '../delivery.ts';
import type { Http, HttpAnswer, HttpRequest, HttpResult } from '../http.ts';
import type { Delivery } from '../sink.ts';
import { createAuth } from './auth.ts';
import type { Auth } from './auth.ts';
import type { GithubConfig } from './config.ts';
import { objectOf } from './fields.ts';
import { oneAtATime } from './in-turn.ts';
import { API_LIMIT, KEY_LIMIT, Limits } from './limits.ts';
import type { Reply } from './reply.ts';
import { TrackerMetrics } from './tracker-metrics.ts';

/** Refused credentials are tried again this often. */
const KEY_PAUSE_MS = 60_000;
/** Who has to wait longer for its turn gives way. */
const MAX_TURN_MS = 2_000;
const TIMEOUT_MS = 30_000;
/** A job may refuse thousands of records. */
const MAX_BYTES = 10 * 1024 * 1024;
const MAX_DETAIL = 500;
const MAX_READ = 16_000;
const MAX_REDIRECTS = 3;

/** The version that github.com, GHE.com and GitHub Enterprise Server all know. */
const API_VERSION = '2022-11-28';

export interface Call {
  readonly method: 'GET' | 'POST';
  /** From the root of the API, with its query. */
  readonly path: string;
  readonly body?: object;
}

/** All but a success. */
export type Refusal = Exclude<Delivery, { outcome: 'delivered' }>;

/** In ms, less when the signal aborts; never rejects. */
export type Sleep = (ms: number, signal: AbortSignal) => Promise<void>;

export interface ClientOptions {
  readonly destination: string;
  readonly config: GithubConfig;
  readonly http: Http;
  readonly clock: Clock;
  readonly sleep: Sleep;
}

/** GitHub's API with one set of credentials: one request after the other, within its limits. */
export class GithubClient {
  readonly auth: Auth;
  readonly limits = new Limits();
  readonly metrics = new TrackerMetrics();
  readonly #options: ClientOptions;
  readonly #inTurn = oneAtATime();

  /** Throws a UserError when a secret cannot be read. */
  constructor(options: ClientOptions) {
    const { destination, config } = options;
    this.#options = options;
    this.auth = createAuth(destination, config, options.clock, (path, authorization) =>
      this.#request({ method: 'POST', path, body: {} }, authorization),
    );
  }

  get clock(): Clock {
    return this.#options.clock;
  }

  get sleep(): Sleep {
    return this.#options.sleep;
  }

  /** Never throws. */
  call(call: Call, signal: AbortSignal): Promise<Reply> {
    return this.#inTurn(() => this.#send(call, signal));
  }

  /** Status and GitHub's own words, bounded, without secrets, what looks like one, and control characters. */
  words({ status, body }: HttpAnswer): string {
    const text = redact(this.auth.redact(messageOf(body.slice(0, MAX_READ))))
      .replaceAll(/\s+/g, ' ')
      .trim();
    return `HTTP ${status}${text === '' ? '' : `: ${Array.from(text).slice(0, MAX_DETAIL).join('')}`}`;
  }

  /** What a success comes to that is not the answer which was expected. */
  badAnswer({ answer }: Pick<Reply, 'answer'>): Refusal {
    const detail = answer === undefined ? '' : this.words(answer);
    return { outcome: 'retry', reason: 'bad_answer', detail, unknown: true };
  }

  async #send(call: Call, signal: AbortSignal): Promise<Reply> {
    const { clock, sleep } = this.#options;
    const pausedMs = this.limits.pausedMs(clock.now());
    if (pausedMs > 0) return { delivery: limited(pausedMs) };
    const isChange = call.method !== 'GET';
    const turnMs = isChange ? this.limits.changeInMs(clock.now()) : 0;
    if (turnMs > MAX_TURN_MS) return { delivery: limited(turnMs, 'as many changes as GitHub allows in an hour') };
    if (turnMs > 0) await sleep(turnMs, signal);
    if (signal.aborted) return { delivery: { outcome: 'retry', reason: 'shutting_down', unknown: false } };
    const reply = await this.#withToken(call, signal);
    if (isChange) this.limits.changed(clock.now());
    return reply;
  }

  /** Sends with the current token; once more when GitHub refuses it and there is another one. */
  async #withToken(call: Call, signal: AbortSignal): Promise<Reply> {
    const first = await this.auth.current();
    if ('failed' in first) return this.#noToken(first.failed);
    let result = await this.#request(call, `Bearer ${first.token}`, signal);
    if (isRefused(result)) {
      const other = await this.auth.renew(first.token);
      if (other !== undefined && 'failed' in other) return this.#noToken(other.failed);
      if (other !== undefined) result = await this.#request(call, `Bearer ${other.token}`, signal);
    }
    if (isRefused(result)) this.auth.refused();
    else if (result.kind === 'answer' && result.status < 300) this.auth.accepted();
    return this.#reply(result);
  }

  /** GitHub gives an App no token: its key, ID or installation is wrong, or it is suspended. */
  #noToken(failed: HttpResult | string): Reply {
    if (typeof failed !== 'string') {
      const { delivery } = this.#reply(failed);
      if (failed.kind === 'failed' || delivery.outcome === 'retry') return { delivery };
    }
    this.auth.refused();
    const why = typeof failed === 'string' ? failed : `GitHub gives the App no token: ${this.words(failed)}`;
    return { delivery: this.#unauthorized(why) };
  }

  #unauthorized(detail: string): Delivery {
    return { outcome: 'drop', reason: 'unauthorized', detail, afterMs: KEY_PAUSE_MS, hold: { key: KEY_LIMIT } };
  }

  #reply(result: HttpResult): Reply {
    const { clock } = this.#options;
    const limitedMs = result.kind === 'answer' ? this.limits.heard(result, clock.now()) : undefined;
    if (result.kind === 'answer' && limitedMs !== undefined)
      return { delivery: limited(limitedMs, this.words(result)), answer: result };
    const delivery = deliveryFor(result, {
      now: clock.now(),
      limitKey: API_LIMIT,
      addressKey: API_LIMIT,
      refused: (answer) => this.#refused(answer),
    });
    return result.kind === 'answer' ? { delivery, answer: result } : { delivery };
  }

  /** A 4xx about this request alone, but for 401. */
  #refused(answer: HttpAnswer): Delivery {
    const detail = this.words(answer);
    if (answer.status === 401) return this.#unauthorized(detail);
    const reasons: Readonly<Record<number, Reason>> = { 403: 'forbidden', 404: 'not_found', 409: 'conflict' };
    return { outcome: 'drop', reason: reasons[answer.status] ?? 'bad_request', detail };
  }

  async #request(call: Call, authorization: string, signal?: AbortSignal): Promise<HttpResult> {
    const { config, http, clock } = this.#options;
    let url = config.apiUrl + call.path;
    for (let redirects = 0; ; redirects++) {
      const began = clock.now();
      const result = await http.request(httpRequest(call, url, authorization, signal));
      this.metrics.took(clock.now() - began);
      const next = result.kind === 'answer' ? redirectOf(result, url) : undefined;
      if (next === undefined || redirects === MAX_REDIRECTS) return result;
      url = next;
    }
  }
}

function httpRequest(
  { method, body }: Call,
  url: string,
  authorization: string,
  signal: AbortSignal | undefined,
): HttpRequest {
  return {
    method,
    url,
    headers: {
      accept: 'application/vnd.github+json',
      authorization,
      'user-agent': `lifecycle-bridge/${VERSION}`,
      'x-github-api-version': API_VERSION,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    timeoutMs: TIMEOUT_MS,
    maxBytes: MAX_BYTES,
    ...(signal && { signal }),
  };
}

/** Where what was renamed is now, as GitHub answers it; never another host: the token goes with it. */
function redirectOf({ status, headers }: HttpAnswer, url: string): string | undefined {
  if (![301, 302, 307, 308].includes(status)) return undefined;
  const next = URL.parse(headers['location'] ?? '', url);
  return headers['location'] !== undefined && next?.origin === new URL(url).origin ? next.href : undefined;
}

const isRefused = (result: HttpResult): boolean => result.kind === 'answer' && result.status === 401;

function limited(afterMs: number, detail?: string): Delivery {
  const hold = { outcome: 'retry', reason: 'rate_limited', afterMs, hold: { key: API_LIMIT } } as const;
  return detail === undefined ? hold : { ...hold, detail };
}

/** What GitHub's error says, or all of it. */
function messageOf(body: string): string {
  const { message, errors } = objectOf(body);
  if (typeof message !== 'string') return body;
  return errors === undefined ? message : `${message} ${JSON.stringify(errors)}`;
}
