import type { Clock } from '../../lib/clock.ts';
import { redact } from '../../kubernetes/redact.ts';
import { VERSION } from '../../lib/version.ts';
import type { Http, HttpAnswer, HttpResult } from '../http.ts';
import type { Delivery } from '../sink.ts';
import type { CronitorConfig } from './config.ts';
import type { ApiKey } from './key.ts';

export const USER_AGENT = `lifecycle-bridge/${VERSION}`;
/** Cronitor's buckets refill at 5/s to 10 per monitor: after two seconds a full burst is free again. */
export const PAUSE_MS = 2000;
/** A refused key is tried again this often: whoever rotates it back, or grants it more, loses nothing. */
export const KEY_PAUSE_MS = 60_000;
const MAX_DETAIL = 500;
const MAX_READ = 16_000;

/** For a key that would make another URL: `..` asks the account's whole collection, not one monitor. */
export const BAD_KEY: Delivery = { outcome: 'drop', reason: 'bad_request', detail: 'the key cannot be part of a URL' };

/** One account as its requests need it. */
export interface Account {
  readonly config: CronitorConfig;
  readonly key: ApiKey;
  readonly http: Http;
  readonly clock: Clock;
}

/** True when the answer is about the key, not about the request. */
export const isKeyRefused = (status: number): boolean => status === 401 || status === 403;

/** Sends with the current key; once more when the vendor refuses it and its file holds another by now. */
export async function withKey(
  key: ApiKey,
  send: (key: string) => Promise<HttpResult>,
): Promise<{ readonly result: HttpResult; readonly used: string }> {
  const used = key.current();
  const result = await send(used);
  if (result.kind !== 'answer' || !isKeyRefused(result.status)) return { result, used };
  if (!key.renew(used)) {
    key.refused(used);
    return { result, used };
  }
  const renewed = key.current();
  const again = await send(renewed);
  if (again.kind === 'answer' && isKeyRefused(again.status)) key.refused(renewed);
  return { result: again, used: renewed };
}

/** Status and the vendor's own words, bounded, without keys, what looks like a credential and control characters. */
export function refusal(answer: HttpAnswer, key: ApiKey): string {
  const words = redact(key.redact(answer.body.slice(0, MAX_READ)))
    .replaceAll(/\s+/g, ' ')
    .trim();
  return `HTTP ${answer.status}${words === '' ? '' : `: ${Array.from(words).slice(0, MAX_DETAIL).join('')}`}`;
}

/** A base URL without the slashes at its end. */
export function withoutSlash(base: string): string {
  return base.replace(/\/+$/, '');
}
