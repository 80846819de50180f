import type { Http, HttpFailure, HttpRequest, HttpResult } from '../../bridge/sinks/http.ts';
import type { Destinations, OpenAccount } from './destinations.ts';
import type { Random } from './random.ts';
import { chance, pick, skewed, whole } from './random.ts';
import type { Program, Scheduler } from './scheduler.ts';
import { WORLD } from './scheduler.ts';
import type { Weather } from './weather.ts';

/** One report that went out, and whether its sender learnt what became of it. */
export interface Sent {
  /** Of the account that it goes to. */
  readonly host: string;
  /** As its account's `said` has it. */
  readonly said: string;
  readonly program: Program;
  readonly sentAt: number;
  /** When the answer was there. */
  answeredAt: number | undefined;
  status: number | undefined;
}

export interface VendorHttpOptions {
  readonly scheduler: Scheduler;
  readonly weather: Weather;
  readonly random: Random;
  readonly program: Program;
  readonly destinations: Destinations;
  readonly sent: Sent[];
  /** A report is on its way. */
  readonly onAsked: () => void;
}

/**
 * What asks for the tokens of GitHub Apps waits for the request before it in a variable of its module, which all processes of
 * a simulation share: that of a killed one must end, or nobody gets a token any more.
 */
function isOfToken({ url }: HttpRequest): boolean {
  return url.endsWith('/access_tokens');
}

/** Within it the program has noted what it heard; clocks differ by less. */
const NOTED_MS = 5_000;

/** The way to the vendors: instead of sockets the simulated vendor itself, with the troubles between the two. */
export class VendorHttp implements Http {
  readonly #options: VendorHttpOptions;
  /** What the vendor said it wants no requests of for a while, and this program heard. */
  readonly #pauses = new Map<string, { readonly heardAt: number; readonly until: number }>();

  constructor(options: VendorHttpOptions) {
    this.#options = options;
  }

  async close(): Promise<void> {
    // There is nothing to close.
  }

  request(request: HttpRequest): Promise<HttpResult> {
    const { scheduler, program } = this.#options;
    const isShared = isOfToken(request);
    if (!program.alive)
      return isShared ? Promise.resolve(failure('shutting_down', false)) : new Promise(() => undefined);
    return new Promise((resolve) => {
      let isOver = false;
      let written = false;
      const abort = (): void => end(failure('shutting_down', written));
      const end = (result: HttpResult): void => {
        if (isOver) return;
        isOver = true;
        late.run = undefined;
        request.signal?.removeEventListener('abort', abort);
        resolve(result);
      };
      const late = scheduler.in(
        request.timeoutMs,
        () => end(failure(written ? 'timeout' : 'connection_failed', written)),
        isShared ? WORLD : program,
      );
      request.signal?.addEventListener('abort', abort);
      void this.#send(
        request,
        () => (written = true),
        () => !isOver,
      ).then(end);
    });
  }

  async #send(request: HttpRequest, onWritten: () => void, isHeard: () => boolean): Promise<HttpResult> {
    const { scheduler, weather, random, program, sent, destinations } = this.#options;
    const to = destinations.at(new URL(request.url));
    if (to === undefined) throw new Error(`a request to nobody: ${request.url}`);
    if (weather.is('vendor-refuses')) {
      await scheduler.pause(skewed(random, 1, 2_000));
      return failure('connection_failed', false);
    }
    // What a killed program has written may still arrive.
    const carrier = chance(random, 0.5) ? program : WORLD;
    const said = to.account.said(request);
    const record: Sent = {
      host: to.host,
      said,
      program,
      sentAt: scheduler.now,
      answeredAt: undefined,
      status: undefined,
    };
    if (said !== '') sent.push(record);
    if (said !== '') this.#options.onAsked();
    const limit = `${to.host} ${to.account.limitOf(new URL(request.url))}`;
    this.#mindPause(to, limit);
    onWritten();
    to.account.asked?.(request);
    const result = await new Promise<HttpResult>((resolve) => {
      scheduler.in(
        weather.is('vendor-slow') ? skewed(random, 500, 45_000) : skewed(random, 5, 400),
        () => this.#arrive(to, request, record, resolve),
        carrier,
      );
    });
    // Who has given up waiting does not hear it.
    if (!isHeard()) return result;
    record.answeredAt = result.kind === 'answer' ? scheduler.now : undefined;
    this.#hearPause(limit, result);
    return result;
  }

  /** Whoever was asked to wait must, with everything that the same limit counts. */
  #mindPause({ account }: OpenAccount, limit: string): void {
    const { now } = this.#options.scheduler;
    const pause = this.#pauses.get(limit);
    if (pause === undefined || now < pause.heardAt + NOTED_MS || now > pause.until - NOTED_MS) return;
    account.violations.push({ at: now, kind: 'rate', detail: `${limit} within its Retry-After` });
  }

  #hearPause(limit: string, result: HttpResult): void {
    if (result.kind !== 'answer' || result.status !== 429) return;
    const heardAt = this.#options.scheduler.now;
    const until = heardAt + Number(result.headers['retry-after']) * 1_000;
    const before = this.#pauses.get(limit);
    if (before === undefined || before.until < until) this.#pauses.set(limit, { heardAt, until });
  }

  #arrive({ account }: OpenAccount, request: HttpRequest, record: Sent, resolve: (result: HttpResult) => void): void {
    const { scheduler, weather, random, program } = this.#options;
    const answer = (result: HttpResult): void =>
      void scheduler.in(skewed(random, 5, 400), () => resolve(result), program);
    const refused = this.#refusal();
    if (refused !== undefined) {
      record.status = refused;
      const afterSeconds = whole(random, 1, refused === 429 ? 300 : 30);
      return answer(answerOf(refused, { 'retry-after': String(afterSeconds) }, '{}'));
    }
    const url = new URL(request.url);
    const body = typeof request.body === 'string' ? request.body : '';
    const bytes = Buffer.from(request.body ?? '');
    const { method } = request;
    const headers = { host: url.host, ...request.headers };
    const asked = { method, url, headers, body, bytes, remoteAddress: '10.0.0.9', at: scheduler.now };
    const given = account.handle(asked) ?? { status: 404, body: '' };
    record.status = given.status;
    if (weather.is('vendor-lost') && chance(random, 0.7)) {
      if (chance(random, 0.5)) answer(failure('answer_lost', true));
      return;
    }
    // TLS ends before it: the addresses that it names are those of its front.
    const named = given.body.replaceAll(`http://${url.host}`, url.origin);
    answer(answerOf(given.status, given.headers ?? {}, named));
  }

  #refusal(): number | undefined {
    const { weather, random } = this.#options;
    if (weather.is('vendor-500') && chance(random, 0.8)) return pick(random, [500, 502, 503, 504]);
    if (weather.is('vendor-503')) return 503;
    if (weather.is('vendor-429') && chance(random, 0.8)) return 429;
    if (weather.is('vendor-401')) return pick(random, [401, 403]);
    return undefined;
  }
}

function answerOf(status: number, headers: Readonly<Record<string, string>>, body: string): HttpResult {
  return { kind: 'answer', status, headers, body, complete: true };
}

function failure(reason: HttpFailure['reason'], unknown: boolean): HttpFailure {
  return { kind: 'failed', reason, detail: 'simulated', unknown };
}
