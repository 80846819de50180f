import { randomUUID } from 'node:crypto';
import type { Clock } from '../../lib/clock.ts';
import type { Http } from '../http.ts';
import type { ClaimedIntent, Deliverer, Delivery } from '../sink.ts';
import type { TestResult } from '../test-result.ts';
import type { Account } from './account.ts';
import { createAccount } from './account.ts';
import { apiDelivery, apiRequest, organizationOf } from './api-client.ts';
import { createCheckIns, resumePace } from './check-in-api.ts';
import type { SendCheckIn } from './check-in-api.ts';
import { PACE_WINDOW_MS } from './check-in-pace.ts';
import type { SentryConfig } from './config.ts';
import { sendDeploy } from './deploy-api.ts';
import { checkDsn, sendItem } from './item-api.ts';
import { exportLogs } from './log-api.ts';
import { converge } from './monitor-api.ts';
import { payloadSchema } from './payload.ts';
import { API_LIMIT } from './target.ts';

const NO_ITEM: Delivery = { outcome: 'drop', reason: 'bad_request', detail: 'the stored payload is not an item' };

/** The half of `sentry/<name>` that talks to Sentry. Throws a UserError when a file cannot be read. */
export function createSentryDeliverer(name: string, config: SentryConfig, http: Http, clock: Clock): Deliverer {
  const destination = `sentry/${name}`;
  const account = createAccount(destination, config, http, clock);
  const checkIns = createCheckIns(account);
  let isFirst = true;
  return {
    destination,
    batch: { intents: 16, desired: 20 },
    convergeLimits: [API_LIMIT],
    recent: { ms: PACE_WINDOW_MS, resume: (sent) => resumePace(account, sent) },
    deliver: (batch, signal) => Promise.all(batch.map((intent) => send(account, checkIns, intent, signal))),
    converge: (rows, signal) => converge(account, rows, signal),
    renewed() {
      if (!isFirst) return account.dsns.renewed();
      isFirst = false;
      return [...account.dsns.keys, API_LIMIT.key];
    },
    isRefused: () => account.dsns.isRefused,
    check: (signal) => check(account, signal),
    ...(config.logs !== 'none' && { journal: exportLogs(account) }),
    test: (signal) => testDelivery(account, signal),
  };
}

function send(account: Account, checkIns: SendCheckIn, intent: ClaimedIntent, signal: AbortSignal): Promise<Delivery> {
  const { data: payload } = payloadSchema.safeParse(intent.payload);
  if (payload === undefined) return Promise.resolve(NO_ITEM);
  if (payload.kind === 'deploy') return sendDeploy(account, payload, signal);
  return payload.kind === 'check_in' ? checkIns(payload, intent, signal) : sendItem(account, payload, intent, signal);
}

async function check(account: Account, signal: AbortSignal): Promise<Delivery> {
  const dsn = await checkDsn(account, signal);
  const organization = organizationOf(account);
  if (dsn.outcome !== 'delivered') return dsn;
  if (account.token === undefined) return { ...dsn, detail: 'the DSN is taken; there is no api.tokenFile' };
  if (organization === undefined)
    return {
      outcome: 'drop',
      reason: 'bad_request',
      detail: 'api.organization is not set, and the DSN does not say it',
    };
  const path = `organizations/${encodeURIComponent(organization)}/`;
  const asked = apiDelivery(account, await apiRequest(account, { method: 'GET', path }, signal));
  return asked.outcome === 'delivered'
    ? { ...asked, detail: 'the DSN is taken, the token reads the organisation' }
    : asked;
}

/** An issue of its own, resolved by nobody and grouped for ever: the whole way, by the least that people can see. */
async function testDelivery(account: Account, signal: AbortSignal): Promise<TestResult> {
  const item = {
    event_id: randomUUID().replaceAll('-', ''),
    timestamp: account.clock.now() / 1000,
    platform: 'other',
    level: 'info',
    logger: 'lifecycle-bridge',
    message: 'lifecycle-bridge test delivery',
    environment: account.config.environment,
    fingerprint: ['lifecycle-bridge', 'test-delivery'],
  };
  const delivery = await sendItem(account, { kind: 'event', target: {}, item }, {}, signal);
  return { delivery, did: delivery.outcome === 'delivered' ? `sent the event ${item.event_id}, level info` : '' };
}
