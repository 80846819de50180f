import type { Json } from '../../lib/json.ts';
import { isSegment } from '../../lib/url-path.ts';
import { deliveryFor } from '../delivery.ts';
import type { HttpAnswer, HttpRequest, HttpResult } from '../http.ts';
import { basicUser } from '../redact.ts';
import type { ClaimedDesired, Delivery } from '../sink.ts';
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

/** A hundred monitors in one request take the vendor a while. */
const PUT_TIMEOUT_MS = 60_000;
const TIMEOUT_MS = 10_000;
/** Notes and tags come from annotations, which may be large. */
const PUT_MAX_BYTES = 1024 * 1024;
const ANSWER_MAX_BYTES = 8 * PUT_MAX_BYTES;

/** Limit key of all requests to the monitor API. */
export const API_LIMIT = 'api';

/**
 * Makes the vendor's monitors what the rows want, one request after the other: PUTs in chunks, then a DELETE for each row
 * that wants none. Who asks for a pause gets one: what was not sent then is tried again with the rest.
 */
export async function converge(
  account: Account,
  rows: readonly ClaimedDesired[],
  signal: AbortSignal,
): Promise<Delivery[]> {
  const good = rows.filter(({ key }) => isSegment(key));
  const put = good.filter(({ wanted }) => wanted !== null);
  const removed = good.filter(({ wanted }) => wanted === null).map((row) => [row]);
  const chunks = [...chunked(put), ...removed];
  const sent = await inTurn(chunks, (chunk) =>
    chunk[0]!.wanted === null ? deleteMonitor(account, chunk[0]!, signal) : putMonitors(account, chunk, signal),
  );
  const deliveries = new Map(chunks.flat().map((row, index) => [row, sent[index]!]));
  return rows.map((row) => deliveries.get(row) ?? BAD_KEY);
}

/** Rows in requests of a bounded size. */
function chunked(rows: readonly ClaimedDesired[]): ClaimedDesired[][] {
  const chunks: ClaimedDesired[][] = [];
  let bytes = Infinity;
  for (const row of rows) {
    const size = Buffer.byteLength(JSON.stringify(row.wanted)) + 1;
    bytes += size;
    if (bytes <= PUT_MAX_BYTES) chunks.at(-1)!.push(row);
    else {
      chunks.push([row]);
      bytes = size;
    }
  }
  return chunks;
}

/** One delivery per row of all chunks; after a `retry` nothing more is sent. */
async function inTurn(
  chunks: readonly (readonly ClaimedDesired[])[],
  send: (chunk: readonly ClaimedDesired[]) => Promise<Delivery[]>,
): Promise<Delivery[]> {
  const deliveries: Delivery[] = [];
  let blocked: Delivery | undefined;
  for (const chunk of chunks) {
    if (blocked === undefined) {
      const answers = await send(chunk);
      deliveries.push(...answers);
      blocked = answers.find(isBlocking);
    } else {
      const same: Delivery = blocked.outcome === 'retry' ? { ...blocked, unknown: false } : blocked;
      deliveries.push(...chunk.map(() => same));
    }
  }
  return deliveries;
}

/** True for an answer that what is still to be sent would get too. */
function isBlocking(delivery: Delivery): boolean {
  return delivery.outcome === 'retry' || (delivery.outcome === 'drop' && delivery.hold !== undefined);
}

/**
 * One request for all rows. When the vendor finds fault with the batch, its halves are sent, down to the rows that are
 * wrong: those are refused, the others accepted.
 */
async function putMonitors(
  account: Account,
  rows: readonly ClaimedDesired[],
  signal: AbortSignal,
): Promise<Delivery[]> {
  const { result, used } = await withKey(account.key, (key) =>
    account.http.request({
      ...apiRequest(account, key, '/api/monitors?auto-discover=1', signal),
      method: 'PUT',
      body: JSON.stringify(rows.map(({ wanted }): Json => wanted)),
      timeoutMs: PUT_TIMEOUT_MS,
    }),
  );
  if (rows.length > 1 && result.kind === 'answer' && [400, 413, 422].includes(result.status)) {
    const middle = Math.ceil(rows.length / 2);
    const halves = [rows.slice(0, middle), rows.slice(middle)];
    return inTurn(halves, (half) => putMonitors(account, half, signal));
  }
  const delivery = apiDelivery(account, result, used);
  if (delivery.outcome !== 'delivered' || result.kind !== 'answer') return rows.map(() => delivery);
  const accepted = (result.status === 200 || result.status === 201) && isArray(result.body);
  const bad: Delivery = { outcome: 'retry', reason: 'bad_answer', detail: refusal(result, account.key) };
  return rows.map(() => (accepted ? delivery : bad));
}

/** A monitor that the vendor does not know is as good as deleted. */
async function deleteMonitor(account: Account, { key }: ClaimedDesired, signal: AbortSignal): Promise<Delivery[]> {
  const path = `/api/monitors/${encodeURIComponent(key)}`;
  const { result, used } = await withKey(account.key, (apiKey) =>
    account.http.request({ ...apiRequest(account, apiKey, path, signal), method: 'DELETE' }),
  );
  if (result.kind === 'answer' && result.status === 404) return [{ outcome: 'delivered' }];
  return [apiDelivery(account, result, used)];
}

/** Reads the account's monitors: whether the key is right for the API. Changes nothing. */
export async function readMonitors(account: Account, signal: AbortSignal): Promise<Delivery> {
  const { result, used } = await withKey(account.key, (key) =>
    account.http.request({ ...apiRequest(account, key, '/api/monitors', signal), method: 'GET' }),
  );
  return apiDelivery(account, result, used);
}

/** A request of the management API, but its method. */
export function apiRequest(
  { config: { apiUrl } }: Account,
  apiKey: string,
  path: string,
  signal: AbortSignal,
): Omit<HttpRequest, 'method'> {
  return {
    url: withoutSlash(apiUrl) + path,
    headers: {
      authorization: `Basic ${basicUser(apiKey)}`,
      'content-type': 'application/json',
      'cronitor-version': '2020-10-27',
      'user-agent': USER_AGENT,
    },
    timeoutMs: TIMEOUT_MS,
    maxBytes: ANSWER_MAX_BYTES,
    signal,
  };
}

function apiDelivery(account: Account, result: HttpResult, used: string): Delivery {
  return deliveryFor(result, {
    now: account.clock.now(),
    limitKey: API_LIMIT,
    addressKey: API_LIMIT,
    pauseMs: PAUSE_MS,
    refused: (answer) => apiRefused(account, answer, used),
  });
}

/** A refused key holds all monitors: none of them would be taken. */
function apiRefused({ key }: Account, answer: HttpAnswer, used: string): Delivery {
  const { status } = answer;
  const detail = refusal(answer, key);
  if (!isKeyRefused(status)) return { outcome: 'drop', reason: status === 404 ? 'not_found' : 'bad_request', detail };
  const wait = { outcome: 'drop', afterMs: KEY_PAUSE_MS, hold: { key: API_LIMIT } } as const;
  if (key.mayPing(used)) return { ...wait, reason: 'limited_key', detail };
  const reason = status === 401 ? 'unauthorized' : 'forbidden';
  return { ...wait, reason, detail: `${detail} (the key is wrong, or may only send telemetry)` };
}

function isArray(body: string): boolean {
  try {
    return Array.isArray(JSON.parse(body));
  } catch {
    return false;
  }
}
