import type { Clock } from '../../lib/clock.ts';
import { isJsonObject, readJson } from '../../lib/json.ts';
import { redact } from '../../kubernetes/redact.ts';
import type { Http, HttpAnswer } from '../http.ts';
import { redactor } from '../redact.ts';
import { SecretFile } from '../secret-file.ts';
import type { Delivery } from '../sink.ts';
import { CheckInPace } from './check-in-pace.ts';
import type { SentryConfig } from './config.ts';
import type { Dsn } from './dsn.ts';
import { Dsns } from './dsns.ts';
import { createGke } from './gke.ts';
import type { Describe } from './gke.ts';
import { RateLimits } from './rate-limits.ts';

const MAX_DETAIL = 500;
const MAX_READ = 16_000;
/** A refused DSN or token is tried again this often: whoever rotates it back loses nothing. */
const REFUSED_PAUSE_MS = 60_000;

/** Several destinations may send to one project: what it takes is for all of them, so for all that share the HTTP client. */
const PACES = new WeakMap<Http, CheckInPace>();

/** One destination as its requests need it. */
export interface Account {
  readonly config: SentryConfig;
  readonly http: Http;
  readonly clock: Clock;
  readonly dsns: Dsns;
  /** Of the API; undefined without one. */
  readonly token: SecretFile | undefined;
  readonly limits: RateLimits;
  readonly pace: CheckInPace;
  /** Slugs of projects, by what the API calls them by number. */
  readonly projects: Map<string, string>;
  /** Undefined where events are not to have anything of GKE. */
  readonly describe: Describe | undefined;
}

/** Throws a UserError when a file cannot be read. */
export function createAccount(destination: string, config: SentryConfig, http: Http, clock: Clock): Account {
  const { api } = config;
  const token = api && new SecretFile(`${destination}: api.tokenFile`, { file: api.tokenFile });
  const dsns = new Dsns(destination, config);
  const describe = config.gke ? createGke(http, clock) : undefined;
  const pace = PACES.get(http) ?? new CheckInPace();
  PACES.set(http, pace);
  const state = { limits: new RateLimits(), projects: new Map<string, string>() };
  return { config, http, clock, dsns, token, describe, pace, ...state };
}

type Refused = Exclude<Delivery, { outcome: 'delivered' }>;

/**
 * What a 4xx means: one about the DSN or the token holds all that shares `key` until there is another, the same request will
 * be refused again for any other reason. `more`: DSNs that its words may show beside the configured ones.
 */
export function refused(account: Account, answer: HttpAnswer, key: string, ...more: readonly Dsn[]): Refused {
  const detail = refusal(account, answer, more);
  const { status } = answer;
  if (status === 401 || status === 403) {
    const reason = status === 401 ? 'unauthorized' : 'forbidden';
    return { outcome: 'retry', reason, detail, afterMs: REFUSED_PAUSE_MS, hold: { key } };
  }
  return { outcome: 'drop', reason: status === 404 ? 'not_found' : 'bad_request', detail };
}

/** Status and Sentry's own words, bounded, without DSNs, tokens and control characters. */
function refusal({ dsns, token }: Account, answer: HttpAnswer, more: readonly Dsn[]): string {
  const body = dsns.redact(redactor(token === undefined ? [] : [token.value])(answer.body.slice(0, MAX_READ)), more);
  const words = redact(wordsOf(body)).replaceAll(/\s+/g, ' ').trim();
  return `HTTP ${answer.status}${words === '' ? '' : `: ${Array.from(words).slice(0, MAX_DETAIL).join('')}`}`;
}

/** `{"detail": "…", "causes": ["…"]}` as a sentence; anything else as it is. */
function wordsOf(body: string): string {
  const answer = readJson(body);
  const { detail, causes } = isJsonObject(answer) ? answer : {};
  if (typeof detail !== 'string') return body;
  return [detail, ...(Array.isArray(causes) ? causes.map(String) : [])].join(': ');
}
