import { deliveryFor } from '../delivery.ts';
import type { HttpAnswer, HttpRequest, HttpResult } from '../http.ts';
import type { Delivery } from '../sink.ts';
import type { Account } from './account.ts';
import { refused } from './account.ts';
import { CLIENT } from './envelope.ts';
import { API_LIMIT } from './target.ts';

const TIMEOUT_MS = 15_000;

export interface ApiRequest {
  readonly method: HttpRequest['method'];
  /** Below `/api/0/`, segments encoded: `organizations/acme/monitors/`. */
  readonly path: string;
  readonly body?: object;
}

/** The slug or number of the organisation: as it is set, or as the host of the DSN says; undefined when neither does. */
export function organizationOf({ config, dsns }: Account): string | undefined {
  return config.api?.organization ?? /^o(\d+)\./.exec(dsns.resolve({}).dsn.host)?.[1];
}

/** Asks the API with the token, once more with a new one when the file holds another by now. */
export async function apiRequest(account: Account, request: ApiRequest, signal: AbortSignal): Promise<HttpResult> {
  const { token } = account;
  const used = token?.value ?? '';
  const result = await ask(account, used, request, signal);
  const isRefused = result.kind === 'answer' && (result.status === 401 || result.status === 403);
  return isRefused && token?.renew(used) === true ? ask(account, token.value, request, signal) : result;
}

function ask({ http, config }: Account, token: string, request: ApiRequest, signal: AbortSignal): Promise<HttpResult> {
  const { method, path, body } = request;
  return http.request({
    method,
    url: `${(config.api?.url ?? '').replace(/\/+$/, '')}/api/0/${path}`,
    headers: {
      authorization: `Bearer ${token}`,
      'user-agent': CLIENT,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    timeoutMs: TIMEOUT_MS,
    signal,
  });
}

/** What an answer of the API means for the row that it was about. `otherwise`: instead of the usual table of 4xx. */
export function apiDelivery(
  account: Account,
  result: HttpResult,
  otherwise: (answer: HttpAnswer) => Delivery | undefined = () => undefined,
): Delivery {
  return deliveryFor(result, {
    now: account.clock.now(),
    limitKey: API_LIMIT.key,
    addressKey: API_LIMIT.key,
    refused: (answer) => otherwise(answer) ?? refused(account, answer, API_LIMIT.key),
  });
}
