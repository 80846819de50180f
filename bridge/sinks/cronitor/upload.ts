import { gzip } from 'node:zlib';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { Instant } from '../../lib/clock.ts';
import type { Reason } from '../../lib/reasons.ts';
import { deliveryFor } from '../delivery.ts';
import type { HttpAnswer, HttpResult } from '../http.ts';
import { mayBePublic, PRIVATE_ADDRESS } from '../public-address.ts';
import type { ClaimedIntent, Delivery } from '../sink.ts';
import { refusal, withKey } from './account.ts';
import type { Account } from './account.ts';
import { apiRequest } from './monitor-api.ts';
import { logText } from './log-text.ts';
import { UPLOAD_LIMIT, uploadSchema } from './plan-logs.ts';

/** Half a megabyte of logs, gzipped, over a slow line. */
const TIMEOUT_MS = 30_000;

const answerSchema = z.object({ url: z.url({ protocol: /^https?$/ }) });
const gzipped = promisify(gzip);

/** Whether an intent is an upload. */
export const isUpload = ({ payload }: ClaimedIntent): boolean => uploadSchema.safeParse(payload).success;

/**
 * Uploads all tails of a run. Its failures hold only other uploads. Where it goes is asked for within the try, and
 * neither stored nor logged: whoever has that address may write to it.
 */
export async function upload(account: Account, intent: ClaimedIntent, signal: AbortSignal): Promise<Delivery> {
  const { config, http, clock } = account;
  const { key: job_key, series } = uploadSchema.parse(intent.payload);
  const text = logText(intent.story?.logs ?? []);
  if (text === undefined) return { outcome: 'drop', reason: 'log_expired' };
  const { result: presigned } = await withKey(account.key, (apiKey) => {
    const body = JSON.stringify({ job_key, series });
    return http.request({ ...apiRequest(account, apiKey, '/api/logs/presign', signal), method: 'POST', body });
  });
  const asked = outcome(presigned, clock.now(), (answer) => presignRefused(answer, account));
  if (asked.outcome !== 'delivered' || presigned.kind !== 'answer') return asked;
  const url = addressOf(presigned.body, config.apiUrl.startsWith('http:'));
  if (url === undefined)
    return { outcome: 'retry', reason: 'bad_answer', detail: 'the answer has no address to PUT to' };
  // No headers of ours: they are not part of what was signed.
  const publicOnly = isOnInternet(config.apiUrl);
  const body = await gzipped(text);
  const put = await http.request({ method: 'PUT', url, body, timeoutMs: TIMEOUT_MS, signal, publicOnly });
  if (put.kind === 'failed' && put.detail === PRIVATE_ADDRESS)
    return {
      outcome: 'retry',
      reason: 'bad_answer',
      detail: 'the answer names an address that is not on the internet',
    };
  return outcome(put, clock.now(), storageRefused);
}

function outcome(result: HttpResult, now: Instant, refused: (answer: HttpAnswer) => Delivery): Delivery {
  const { key } = UPLOAD_LIMIT;
  return deliveryFor(result, { now, limitKey: key, addressKey: key, refused });
}

function presignRefused(answer: HttpAnswer, { key }: Account): Delivery {
  const reasons: Readonly<Record<number, Reason>> = { 401: 'unauthorized', 403: 'forbidden', 404: 'not_found' };
  return { outcome: 'drop', reason: reasons[answer.status] ?? 'bad_request', detail: refusal(answer, key) };
}

/** Its own words hold what was signed; another address may do, as one that expired. */
function storageRefused({ status }: HttpAnswer): Delivery {
  const detail = `HTTP ${status} of the log storage`;
  if (status === 403 || status === 404)
    return { outcome: 'retry', reason: status === 403 ? 'forbidden' : 'not_found', detail };
  return { outcome: 'drop', reason: 'bad_request', detail };
}

/** An API within the cluster or on this machine may name addresses there; one on the internet may not. */
function isOnInternet(apiUrl: string): boolean {
  return apiUrl.startsWith('https:') && mayBePublic(new URL(apiUrl));
}

function addressOf(body: string, plain: boolean): string | undefined {
  try {
    const { url } = answerSchema.parse(JSON.parse(body));
    return plain || url.startsWith('https:') ? url : undefined;
  } catch {
    return undefined;
  }
}
