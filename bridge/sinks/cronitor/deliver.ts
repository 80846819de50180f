import { randomUUID } from 'node:crypto';
import type { Clock } from '../../lib/clock.ts';
import type { Http } from '../http.ts';
import type { ClaimedIntent, Deliverer, Delivery } from '../sink.ts';
import type { TestResult } from '../test-result.ts';
import type { Account } from './account.ts';
import type { CronitorConfig } from './config.ts';
import { createApiKey } from './key.ts';
import { API_LIMIT, converge, readMonitors } from './monitor-api.ts';
import { logsEvent } from './log-text.ts';
import { createPing } from './telemetry-api.ts';
import type { Ping } from './telemetry-api.ts';
import { ADDRESS_LIMIT } from './ping.ts';
import { isUpload, upload } from './upload.ts';

/** The half of `cronitor/<name>` that talks to Cronitor. Throws a UserError when the key file cannot be read. */
export function createCronitorDeliverer(name: string, config: CronitorConfig, http: Http, clock: Clock): Deliverer {
  const destination = `cronitor/${name}`;
  const account: Account = { config, http, clock, key: createApiKey(destination, config) };
  const ping = createPing(account);
  let isFirst = true;
  return {
    destination,
    batch: { intents: 16, desired: 100 },
    convergeLimits: [{ key: API_LIMIT, perSecond: 2 }],
    deliver: (batch, signal) => Promise.all(batch.map((intent) => send(account, ping, intent, signal))),
    converge: (rows, signal) => converge(account, rows, signal),
    renewed() {
      if (account.key.isReplaced()) return [API_LIMIT, ADDRESS_LIMIT];
      const askAgain = account.key.isRecognised() || isFirst;
      isFirst = false;
      return askAgain ? [API_LIMIT] : [];
    },
    isRefused: () => account.key.isRefused(),
    check: (signal) => checkKey(account, signal),
    ...(config.heartbeat !== undefined && {
      heartbeat: { intervalMs: config.heartbeat.interval, send: (key, signal) => beat(ping, config, key, signal) },
    }),
    test: (signal) => testDelivery(account, ping, destination, signal),
  };
}

async function checkKey(account: Account, signal: AbortSignal): Promise<Delivery> {
  const delivery = await readMonitors(account, signal);
  return delivery.outcome === 'delivered' ? { ...delivery, detail: 'the key may read monitors' } : delivery;
}

/** A heartbeat has no state: that it comes is what it says. */
function beat(ping: Ping, { env }: CronitorConfig, key: string, signal: AbortSignal): Promise<Delivery> {
  return ping({ payload: { key, query: env === undefined ? {} : { env } } }, signal);
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
async function testDelivery(
  account: Account,
  ping: Ping,
  destination: string,
  signal: AbortSignal,
): Promise<TestResult> {
  const { key } = TEST_MONITOR;
  const row = { destination, key, wanted: TEST_MONITOR, wantedHash: '', attempt: 1 };
  const series = randomUUID();
  const stamp = String(Math.floor(account.clock.now() / 1000));
  const pinged = (state: string) => ({
    did: `sent ${state}`,
    send: () => ping({ payload: { key, query: { state, series, stamp, message: 'test delivery' } } }, signal),
  });
  const put = {
    did: `put the paused monitor ${key}`,
    send: async () => (await converge(account, [row], signal))[0]!,
  };
  const did: string[] = [];
  for (const step of [put, pinged('run'), pinged('complete')]) {
    const delivery = await step.send();
    if (delivery.outcome !== 'delivered') return { delivery, did: did.join(', ') };
    did.push(step.did);
  }
  return { delivery: { outcome: 'delivered' }, did: did.join(', ') };
}

/** What an intent is: an upload of logs, the event after it, or a ping. */
async function send(account: Account, ping: Ping, intent: ClaimedIntent, signal: AbortSignal): Promise<Delivery> {
  if (isUpload(intent)) return upload(account, intent, signal);
  if (intent.story === undefined) return ping(intent, signal);
  const event = logsEvent(intent.payload, intent.story.logs);
  return event === undefined ? { outcome: 'drop', reason: 'log_expired' } : ping({ payload: event }, signal);
}
