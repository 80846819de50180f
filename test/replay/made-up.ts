import { status } from '@grpc/grpc-js';
import { connectOtlp, encodeLogs, watchBody } from '../otlp-client.ts';
import type { ExportReply } from '../otlp-client.ts';
import type { RecordedRequest } from '../vendors/start-vendors.ts';

const NAMESPACE = 'shop';
const CRON_UID = '33333333-0000-4000-8000-000000000001';

const metadata = (uid: string, name: string, version: number, at: number) => ({
  uid,
  name,
  namespace: NAMESPACE,
  resourceVersion: String(version),
  creationTimestamp: iso(at),
});

/** As the API server writes it: whole seconds. */
function iso(at: number): string {
  return new Date(Math.floor(at / 1000) * 1000).toISOString().replace('.000Z', 'Z');
}

/** A CronJob as the watch brings it. */
export function cronJob(at: number): object {
  const spec = { schedule: '* * * * *', suspend: false, concurrencyPolicy: 'Allow' };
  const object = { apiVersion: 'batch/v1', kind: 'CronJob', metadata: metadata(CRON_UID, 'report', 100, at), spec };
  return watchBody('ADDED', object);
}

export const jobUid = (n: number): string => `11111111-0000-4000-8000-${String(n).padStart(12, '0')}`;

/** A Job of the CronJob that began at `at`, and completed at `endedAt` if given. */
export function job(n: number, at: number, endedAt?: number): object {
  const scheduled = { 'batch.kubernetes.io/cronjob-scheduled-timestamp': iso(at) };
  const owner = { apiVersion: 'batch/v1', kind: 'CronJob', name: 'report', uid: CRON_UID, controller: true };
  const meta = metadata(jobUid(n), `report-${n}`, endedAt === undefined ? 110 : 120, at);
  const complete = endedAt !== undefined && {
    completionTime: iso(endedAt),
    succeeded: 1,
    conditions: [{ type: 'Complete', status: 'True', lastTransitionTime: iso(endedAt) }],
  };
  const object = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { ...meta, annotations: scheduled, ownerReferences: [owner] },
    spec: { parallelism: 1, completions: 1, backoffLimit: 6 },
    status: { startTime: iso(at), ...complete },
  };
  return watchBody('MODIFIED', object);
}

/** Sends records as the Collector does, once. */
export async function send(endpoint: string, ...bodies: object[]): Promise<ExportReply> {
  const client = connectOtlp(endpoint);
  try {
    return await client.export(encodeLogs(bodies.map((body) => ({ body, observedAt: Date.now() }))));
  } finally {
    client.close();
  }
}

/** Sends until it is taken, as the Collector does. */
export async function sendUntilTaken(endpoint: string, ...bodies: object[]): Promise<void> {
  for (const deadline = Date.now() + 60_000; ;) {
    const { code } = await send(endpoint, ...bodies);
    if (code === status.OK) return;
    if (Date.now() > deadline) throw new Error(`not taken: ${code}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** `state series` of every ping, in order of arrival. */
export function pings(requests: readonly RecordedRequest[]): string[] {
  return requests.flatMap(({ path }) => {
    const query = new URL(path, 'http://vendors').searchParams;
    const state = query.get('state');
    return state === null ? [] : [`${state} ${query.get('series')?.slice(-2)}`];
  });
}
