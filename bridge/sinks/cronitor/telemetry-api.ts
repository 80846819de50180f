import { isSegment } from '../../lib/url-path.ts';
import { deliveryFor } from '../delivery.ts';
import type { HttpAnswer, HttpResult } from '../http.ts';
import type { ClaimedIntent, Delivery } from '../sink.ts';
import {
  BAD_KEY,
  isKeyRefused,
  KEY_PAUSE_MS,
  PAUSE_MS,
  refusal,
  USER_AGENT,
  withKey,
  withoutSlash,
} from './account.ts';
import type { Account } from './account.ts';
import { Hosts } from './hosts.ts';
import type { ApiKey } from './key.ts';
import { ADDRESS_LIMIT, monitorLimit, pingSchema } from './ping.ts';

const TIMEOUT_MS = 10_000;
/** Two monitors that are over their rate within this time: it is the address that is. */
const SAME_MOMENT_MS = 2000;
const DEFAULT_HOST = 'https://cronitor.link';
const DEFAULT_FALLBACK = 'https://cronitor.io';

export type Ping = (intent: Pick<ClaimedIntent, 'payload'>, signal: AbortSignal) => Promise<Delivery>;

/** Sends one ping; its result says what becomes of the intent. */
export function createPing(account: Account): Ping {
  const { key, clock } = account;
  const { pingUrl: first, pingFallbackUrl: second } = account.config;
  const hosts = new Hosts(first, second ?? (withoutSlash(first) === DEFAULT_HOST ? DEFAULT_FALLBACK : undefined));
  let limited = { monitor: '', at: -Infinity };
  const limitKey = (monitor: string): string => {
    const now = clock.now();
    const isAddress = limited.monitor !== monitor && Math.abs(now - limited.at) < SAME_MOMENT_MS;
    limited = { monitor, at: now };
    return isAddress ? ADDRESS_LIMIT : monitorLimit(monitor);
  };
  return async (intent, signal) => {
    const payload = pingSchema.safeParse(intent.payload);
    if (!payload.success) return { outcome: 'drop', reason: 'bad_request', detail: 'the stored payload is not a ping' };
    const { key: monitor, query } = payload.data;
    if (!isSegment(monitor)) return BAD_KEY;
    const { result, used } = await withKey(key, (apiKey) =>
      hosts.send(clock.now(), (base) => request(account, pingUrl(base, apiKey, monitor, query), signal)),
    );
    if (result.kind === 'answer' && result.status < 300) key.pinged(used);
    return deliveryFor(result, {
      now: clock.now(),
      limitKey: result.kind === 'answer' && result.status === 429 ? limitKey(monitor) : '',
      addressKey: ADDRESS_LIMIT,
      pauseMs: PAUSE_MS,
      refused: (answer) => pingRefused(answer, key),
    });
  };
}

function request({ http }: Account, url: string, signal: AbortSignal): Promise<HttpResult> {
  return http.request({ method: 'POST', url, headers: { 'user-agent': USER_AGENT }, timeoutMs: TIMEOUT_MS, signal });
}

function pingUrl(base: string, apiKey: string, monitor: string, query: Readonly<Record<string, string>>): string {
  const parameters = new URLSearchParams(query);
  parameters.sort();
  return `${withoutSlash(base)}/ping/${encodeURIComponent(apiKey)}/${encodeURIComponent(monitor)}?${parameters.toString()}`;
}

/** The same request will be refused again, except when only the key is wrong: then all pings wait for a good one. */
function pingRefused(answer: HttpAnswer, key: ApiKey): Delivery {
  const detail = refusal(answer, key);
  const { status } = answer;
  if (isKeyRefused(status)) {
    const reason = status === 401 ? 'unauthorized' : 'forbidden';
    return { outcome: 'retry', reason, detail, afterMs: KEY_PAUSE_MS, hold: { key: ADDRESS_LIMIT } };
  }
  return { outcome: 'drop', reason: status === 404 ? 'not_found' : 'bad_request', detail };
}
