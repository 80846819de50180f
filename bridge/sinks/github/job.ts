import type { Delivery } from '../sink.ts';
import type { HttpAnswer } from '../http.ts';
import type { GithubClient, Refusal } from './client.ts';
import { objectOf } from './fields.ts';
import type { RecordRow } from './record-row.ts';
import { verdicts } from './job-errors.ts';
import { API_LIMIT } from './limits.ts';
import { bulkEntry } from './record.ts';
import type { DeploymentRecord } from './record.ts';

/** The most that a job takes. */
export const MAX_JOB = 5_000;
const FIRST_POLL_MS = 2_000;
const LAST_POLL_MS = 30_000;
/** A job that takes longer counts as failed. */
const MAX_JOB_MS = 15 * 60_000;
const CONFLICT_MS = 30_000;

/** It goes on without us: its records may be set. */
const STOPPED: Refusal = { outcome: 'retry', reason: 'shutting_down', unknown: true };

/** What became of a job: an answer for each row; or it is useless now, for this reason, and each record is sent alone. */
export type JobResult =
  | { readonly deliveries: readonly Delivery[] }
  | { readonly conflict: Refusal }
  | { readonly failed: Refusal };

/** Sets many records of one cluster and environment at once, by an asynchronous job, and waits for its end. */
export async function runJob(
  client: GithubClient,
  rows: readonly RecordRow[],
  signal: AbortSignal,
): Promise<JobResult> {
  const { org, cluster, logical_environment, physical_environment } = rows[0]!.record;
  const path = `/orgs/${org}/artifacts/metadata/deployment-record/cluster/${encodeURIComponent(cluster)}/jobs`;
  const body = {
    logical_environment,
    ...(physical_environment !== '' && { physical_environment }),
    deployments: rows.map(({ record }) => bulkEntry(record)),
  };
  const created = await client.call({ method: 'POST', path, body }, signal);
  client.metrics.posted(created);
  const { delivery, answer } = created;
  if (delivery.outcome !== 'delivered') return notCreated(delivery, answer);
  const { job_id: id, errors } = objectOf(answer?.body ?? '');
  if (typeof id !== 'number') return { failed: client.badAnswer(created) };
  const ended = await jobEnd(client, `${path}/${id}`, signal);
  if (!('errors' in ended)) return ended;
  return { deliveries: verdicts(rows, [...listOf(errors), ...listOf(ended.errors)]) };
}

/** The limits and the credentials are everybody's: then all rows wait. What else is refused is about the job alone. */
function notCreated(refusal: Refusal, answer: HttpAnswer | undefined): JobResult {
  if (answer?.status === 409) {
    const { detail = '' } = refusal;
    const hold = { key: API_LIMIT };
    return { conflict: { outcome: 'retry', reason: 'conflict', detail, afterMs: CONFLICT_MS, hold } };
  }
  return refusal.hold !== undefined || answer === undefined ? { conflict: refusal } : { failed: refusal };
}

async function jobEnd(
  client: GithubClient,
  path: string,
  signal: AbortSignal,
): Promise<{ readonly errors: unknown } | Exclude<JobResult, { readonly deliveries: unknown }>> {
  const until = client.clock.now() + MAX_JOB_MS;
  let waitMs = FIRST_POLL_MS;
  for (;;) {
    const { delivery, answer } = await client.call({ method: 'GET', path }, signal);
    const { status, errors } = objectOf(answer?.body ?? '');
    if (delivery.outcome === 'delivered' && status === 'completed') return { errors };
    if (delivery.outcome === 'delivered' && status === 'failed') return { failed: jobFailed('the job failed') };
    if (signal.aborted) return { conflict: STOPPED };
    if (delivery.outcome === 'drop') return { failed: delivery };
    const afterMs = delivery.outcome === 'retry' ? (delivery.afterMs ?? 0) : 0;
    const sleepMs = Math.max(waitMs, afterMs);
    if (client.clock.now() + sleepMs > until) return { failed: jobFailed('the job did not end in 15 minutes') };
    await client.sleep(sleepMs, signal);
    waitMs = Math.min(2 * waitMs, LAST_POLL_MS);
  }
}

function jobFailed(detail: string): Refusal {
  return { outcome: 'retry', reason: 'job_failed', detail };
}

function listOf(errors: unknown): readonly unknown[] {
  return Array.isArray(errors) ? errors : [];
}

/** The job that a record can be part of: all of one have the same. */
export function jobKey({ org, cluster, logical_environment, physical_environment }: DeploymentRecord): string {
  return JSON.stringify([org, cluster, logical_environment, physical_environment]);
}
