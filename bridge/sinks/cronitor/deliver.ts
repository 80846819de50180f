import { randomUUID } from 'node:crypto';
import type { Clock } from '../../lib/clock.ts';
import type { Json } from '../../lib/json.ts';
import { VERSION } from '../../lib/version.ts';
import { deliveryFor } from '../delivery.ts';
import type { Http, HttpAnswer, HttpRequest, HttpResult } from '../http.ts';
import { basicUser } from '../redact.ts';
import type { ClaimedDesired, ClaimedIntent, Deliverer, Delivery, TestResult } from '../sink.ts';
import type { CronitorConfig } from './config.ts';
import type { ApiKey } from './key.ts';
import { createApiKey } from './key.ts';
import { ADDRESS_LIMIT, monitorLimit, pingSchema } from './ping.ts';

const USER_AGENT = `lifecycle-bridge/${VERSION}`;
const PING_TIMEOUT_MS = 10_000;
/** A hundred monitors in one request take the vendor a while. */
const PUT_TIMEOUT_MS = 60_000;
const PUT_MAX_BYTES = 8 * 1024 * 1024;
/** Cronitor's buckets refill at 5/s to 10 per monitor: after two seconds a full burst is free again. */
const PAUSE_MS = 2000;
/** A refused key is tried again this often: whoever rotates it back loses nothing. */
const KEY_PAUSE_MS = 60_000;
const API_LIMIT = 'api';
const MAX_DETAIL = 500;

interface Context {
  readonly config: CronitorConfig;
  readonly key: ApiKey;
  readonly http: Http;
  readonly clock: Clock;
}

/** The half of `cronitor/<name>` that talks to Cronitor. Throws a UserError when the key file cannot be read. */
export function createCronitorDeliverer(name: string, config: CronitorConfig, http: Http, clock: Clock): Deliverer {
  const destination = `cronitor/${name}`;
  const context = { config, http, clock, key: createApiKey(destination, config) };
  const dry = (rows: readonly unknown[]): Delivery[] => rows.map(() => ({ outcome: 'drop', reason: 'dry_run' }));
  return {
    destination,
    dryRun: config.dryRun,
    batch: { intents: 16, desired: 100 },
    convergeLimits: [{ key: API_LIMIT, perSecond: 2 }],
    deliver: async (batch, signal) =>
      config.dryRun ? dry(batch) : Promise.all(batch.map((intent) => ping(context, intent, signal))),
    converge: async (rows, signal) => (config.dryRun ? dry(rows) : putMonitors(context, rows, signal)),
    test: (signal) => testDelivery(context, destination, signal),
  };
}

const TEST_MONITOR = {
  key: 'lifecycle-bridge-test',
  name: 'lifecycle-bridge test delivery',
  note: 'Made by "lifecycle-bridge test-delivery"; paused, so it never alerts. May be deleted.',
  type: 'job',
  schedule: '0 0 1 1 *',
  tags: ['kubernetes'],
  paused: true,
};

/** A monitor of its own that never alerts, then one run of it: both APIs and the key's rights for them. */
async function testDelivery(context: Context, destination: string, signal: AbortSignal): Promise<TestResult> {
  const { key } = TEST_MONITOR;
  const row = { destination, key, wanted: TEST_MONITOR, wantedHash: '', attempt: 1 };
  const series = randomUUID();
  const stamp = String(Math.floor(context.clock.now() / 1000));
  const pinged = (state: string) => ({
    did: `sent ${state}`,
    send: () => ping(context, { payload: { key, query: { state, series, stamp, message: 'test delivery' } } }, signal),
  });
  const put = {
    did: `put the paused monitor ${key}`,
    send: async () => (await putMonitors(context, [row], signal))[0]!,
  };
  const did: string[] = [];
  for (const step of [put, pinged('run'), pinged('complete')]) {
    const delivery = await step.send();
    if (delivery.outcome !== 'delivered') return { delivery, did: did.join(', ') };
    did.push(step.did);
  }
  return { delivery: { outcome: 'delivered' }, did: did.join(', ') };
}

/** Sends with the current key; once more when the vendor refuses it and its file holds another by now. */
async function withKey(key: ApiKey, send: (key: string) => Promise<HttpResult>): Promise<HttpResult> {
  const used = key.current();
  const result = await send(used);
  const refused = result.kind === 'answer' && (result.status === 401 || result.status === 403);
  return refused && key.renew(used) ? send(key.current()) : result;
}

async function ping(
  { config, key, http, clock }: Context,
  intent: Pick<ClaimedIntent, 'payload'>,
  signal: AbortSignal,
): Promise<Delivery> {
  const payload = pingSchema.safeParse(intent.payload);
  if (!payload.success) return { outcome: 'drop', reason: 'bad_request', detail: 'the stored payload is no ping' };
  const { key: monitor, query } = payload.data;
  const result = await withKey(key, (apiKey) =>
    http.request({
      method: 'POST',
      url: pingUrl(config.pingUrl, apiKey, monitor, query),
      headers: { 'user-agent': USER_AGENT },
      timeoutMs: PING_TIMEOUT_MS,
      signal,
    }),
  );
  return deliveryFor(result, {
    now: clock.now(),
    limitKey: monitorLimit(monitor),
    addressKey: ADDRESS_LIMIT,
    pauseMs: PAUSE_MS,
    refused: (answer) => pingRefused(answer, key),
  });
}

function pingUrl(base: string, apiKey: string, monitor: string, query: Readonly<Record<string, string>>): string {
  const parameters = new URLSearchParams(query);
  parameters.sort();
  const path = [apiKey, monitor].map((part) => encodeURIComponent(part.toWellFormed())).join('/');
  return `${withoutSlash(base)}/ping/${path}?${parameters.toString()}`;
}

/** The same request will be refused again, except when only the key is wrong: then all pings wait for a good one. */
function pingRefused(answer: HttpAnswer, key: ApiKey): Delivery {
  const detail = refusal(answer, key);
  const { status } = answer;
  if (status === 401 || status === 403) {
    const reason = status === 401 ? 'unauthorized' : 'forbidden';
    return { outcome: 'retry', reason, detail, afterMs: KEY_PAUSE_MS, hold: { key: ADDRESS_LIMIT } };
  }
  return { outcome: 'drop', reason: status === 404 ? 'not_found' : 'bad_request', detail };
}

/**
 * One request for all rows. When the vendor finds fault with the batch, its halves are sent, down to the rows that are
 * wrong: those are refused, the others accepted.
 */
async function putMonitors(
  context: Context,
  rows: readonly ClaimedDesired[],
  signal: AbortSignal,
): Promise<Delivery[]> {
  const result = await withKey(context.key, (apiKey) =>
    context.http.request(putRequest(context.config.apiUrl, apiKey, rows, signal)),
  );
  if (rows.length > 1 && result.kind === 'answer' && [400, 413, 422].includes(result.status)) {
    const middle = Math.ceil(rows.length / 2);
    const first = await putMonitors(context, rows.slice(0, middle), signal);
    const blocked = first.find((delivery) => delivery.outcome === 'retry');
    const rest = rows.slice(middle);
    // Who asks for a pause gets one: what was not sent is tried again with the rest.
    if (blocked !== undefined) return [...first, ...rest.map(() => ({ ...blocked, unknown: false }))];
    return [...first, ...(await putMonitors(context, rest, signal))];
  }
  const delivery = putDelivery(context, result);
  return rows.map(() => delivery);
}

function putRequest(apiUrl: string, apiKey: string, rows: readonly ClaimedDesired[], signal: AbortSignal): HttpRequest {
  return {
    method: 'PUT',
    url: `${withoutSlash(apiUrl)}/api/monitors?auto-discover=1`,
    headers: {
      authorization: `Basic ${basicUser(apiKey)}`,
      'content-type': 'application/json',
      'cronitor-version': '2020-10-27',
      'user-agent': USER_AGENT,
    },
    body: JSON.stringify(rows.map(({ wanted }): Json => wanted)),
    timeoutMs: PUT_TIMEOUT_MS,
    maxBytes: PUT_MAX_BYTES,
    signal,
  };
}

function putDelivery({ clock, key }: Context, result: HttpResult): Delivery {
  const delivery = deliveryFor(result, {
    now: clock.now(),
    limitKey: API_LIMIT,
    addressKey: API_LIMIT,
    pauseMs: PAUSE_MS,
    refused: (answer) => ({ outcome: 'drop', reason: putReason(answer.status), detail: refusal(answer, key) }),
  });
  if (delivery.outcome !== 'delivered' || result.kind !== 'answer') return delivery;
  const accepted = (result.status === 200 || result.status === 201) && isArray(result.body);
  return accepted ? delivery : { outcome: 'retry', reason: 'bad_answer', detail: refusal(result, key) };
}

function putReason(status: number): 'unauthorized' | 'forbidden' | 'not_found' | 'bad_request' {
  if (status === 401) return 'unauthorized';
  if (status === 403) return 'forbidden';
  return status === 404 ? 'not_found' : 'bad_request';
}

function isArray(body: string): boolean {
  try {
    return Array.isArray(JSON.parse(body));
  } catch {
    return false;
  }
}

/** Status and the vendor's own words, without keys and bounded. */
function refusal(answer: HttpAnswer, key: ApiKey): string {
  const words = key.redact(answer.body).replaceAll(/\s+/g, ' ').trim();
  return `HTTP ${answer.status}${words === '' ? '' : `: ${Array.from(words).slice(0, MAX_DETAIL).join('')}`}`;
}

function withoutSlash(base: string): string {
  return base.replace(/\/+$/, '');
}
