import { setTimeout as delay } from 'node:timers/promises';
import type { Deps } from '../module.ts';
import type { Deliverer, Delivery, Limit } from '../sink.ts';
import { checkAccess, testDelivery } from './access.ts';
import { API_LIMIT, GithubClient, KEY_LIMIT } from './client.ts';
import type { Sleep } from './client.ts';
import type { GithubConfig } from './config.ts';
import { deliverDeployment } from './deployments.ts';
import { logRecord } from './record-log.ts';
import { Records } from './records.ts';

/** The client spaces requests by itself; by these keys they are held. */
const LIMITS: readonly Limit[] = [API_LIMIT, KEY_LIMIT].map((key) => ({ key, perSecond: 3 }));

const sleepFor: Sleep = (ms, signal) => delay(ms, undefined, { signal }).catch(() => {});

/** The half of `github/<name>` that talks to GitHub. Throws a UserError when a secret cannot be read. */
export function createGithubDeliverer(
  name: string,
  config: GithubConfig,
  { http, clock, log }: Pick<Deps, 'http' | 'clock' | 'log'>,
  sleep: Sleep = sleepFor,
): Deliverer {
  const destination = `github/${name}`;
  const client = new GithubClient({ destination, config, http, clock, sleep });
  const records = new Records(client, config.bulkSync, (record, delivery) =>
    logRecord(log, destination, record, delivery),
  );
  let isFirst = true;
  return {
    destination,
    batch: {
      intents: 1,
      get desired() {
        return records.most;
      },
    },
    // A job may take minutes: what changes meanwhile does not wait for it.
    convergeAtOnce: 2,
    convergeLimits: LIMITS,
    deliver: (batch, signal) => inTurn(batch, (intent) => deliverDeployment(client, intent, signal)),
    converge: (rows, signal) => records.converge(rows, signal),
    renewed() {
      if (!isFirst && !client.auth.isReplaced()) return [];
      isFirst = false;
      records.renewed();
      return [KEY_LIMIT];
    },
    isRefused: () => client.auth.isRefused(),
    check: (signal) => checkAccess(client, config, signal),
    otherMetrics: () => client.metrics.read(),
    test: (signal) => testDelivery(client, config, signal),
  };
}

async function inTurn<T>(items: readonly T[], send: (item: T) => Promise<Delivery>): Promise<Delivery[]> {
  const deliveries: Delivery[] = [];
  for (const item of items) deliveries.push(await send(item));
  return deliveries;
}
