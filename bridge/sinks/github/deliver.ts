import { setTimeout as delay } from 'node:timers/promises';
import type { Deps } from '../module.ts';
import type { ClaimedDesired, Deliverer, Delivery } from '../sink.ts';
import { checkAccess, testDelivery } from './access.ts';
import { GithubClient } from './client.ts';
import type { Sleep } from './client.ts';
import type { GithubConfig } from './config.ts';
import { closeDeployments, deliverDeployment } from './deployments.ts';
import { inTurn, oneAtATime } from './in-turn.ts';
import { KEY_LIMIT, LIMITS } from './limits.ts';
import { logRecord } from './record-log.ts';
import { Records } from './records.ts';
import { readStanding } from './standing.ts';
import type { Standing } from './standing.ts';

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
  // Two that look at what stands at the same time would both close it. Their requests go one after the other anyway.
  const alone = oneAtATime();
  const close: Close = ({ row, standing }, signal) => alone(() => closeDeployments(client, standing, row, signal));
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
    deliver: (batch, signal) => inTurn(batch, (intent) => alone(() => deliverDeployment(client, intent, signal))),
    converge: (rows, signal) => converge(close, records, rows, signal),
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

interface Closing {
  readonly row: ClaimedDesired;
  readonly standing: Standing;
}

type Close = (closing: Closing, signal: AbortSignal) => Promise<Delivery>;

/** Records together, and the Deployments of each workload by themselves. */
async function converge(
  close: Close,
  records: Records,
  rows: readonly ClaimedDesired[],
  signal: AbortSignal,
): Promise<Delivery[]> {
  const deliveries = new Map<ClaimedDesired, Delivery>();
  const closing: Closing[] = [];
  const ofRecords: ClaimedDesired[] = [];
  for (const row of rows) {
    const standing = readStanding(row.wanted);
    if (standing === undefined) ofRecords.push(row);
    // While a workload lives, its rollouts say what stands.
    else if (standing.state === 'rolled_out') deliveries.set(row, { outcome: 'delivered' });
    else closing.push({ row, standing });
  }
  const closed = await inTurn(closing, (one) => close(one, signal));
  closing.forEach(({ row }, index) => deliveries.set(row, closed[index]!));
  const answers = ofRecords.length === 0 ? [] : await records.converge(ofRecords, signal);
  ofRecords.forEach((row, index) => deliveries.set(row, answers[index]!));
  return rows.map((row) => deliveries.get(row)!);
}
