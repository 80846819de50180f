import { gzipSync } from 'node:zlib';
import { messageAt } from '../kubernetes/fields.ts';
import { KINDS } from '../kubernetes/kinds.ts';
import { pathOf } from '../lib/url-path.ts';
import { redact } from '../kubernetes/redact.ts';
import { containerEnds } from '../lifecycle/containers.ts';
import type { WantedLog } from '../store/logs.ts';
import type { KubeApi } from './api.ts';

/** Bounds of one tail. */
export interface TailLimits {
  readonly maxBytes: number;
  readonly maxLines: number;
}

/** What the API answered for a log; `failed` is worth another try. */
export type LogAnswer =
  | { readonly outcome: 'kept'; readonly text: Uint8Array; readonly bytes: number; readonly cut: boolean }
  | { readonly outcome: 'log_empty' }
  | { readonly outcome: 'log_unavailable' | 'log_forbidden'; readonly detail: string }
  | { readonly outcome: 'failed'; readonly detail: string };

/** What kubelet writes in place of a log that it cannot read, with status 200. */
const NO_LOG = /^(?:unable to retrieve container logs for \S+|failed to (?:try )?resolv\w+ symlinks[^\n]*)\s*$/;

/**
 * Reads the end of a container's log, redacted. `limitBytes` would cut its end off: the API cuts to the lines, this the
 * bytes. Never throws.
 */
export async function readLog(
  api: KubeApi,
  log: WantedLog,
  { maxBytes, maxLines }: TailLimits,
  signal: AbortSignal,
): Promise<LogAnswer> {
  const pod = pathOf('api', 'v1', 'namespaces', log.namespace, 'pods', log.podName);
  if (pod === undefined) return { outcome: 'log_unavailable', detail: 'its name is not one of a pod' };
  const previous = log.restarts ? await isPrevious(api, pod, log, signal) : false;
  if (typeof previous === 'object') return previous;
  const query = `container=${encodeURIComponent(log.container)}&tailLines=${maxLines}${previous ? '&previous=true' : ''}`;
  const answer = await api.tail(`${pod}/log?${query}`, maxBytes, signal);
  if (answer.kind === 'failed') return { outcome: 'failed', detail: answer.error };
  const { status, text, bytes } = answer;
  if (status !== 200) return refused(status, wordsOf(text.toString()));
  const isCut = bytes > text.length;
  const whole = isCut ? afterCut(text.toString()) : text.toString();
  if (NO_LOG.test(whole)) return { outcome: 'log_unavailable', detail: redact(whole).trim() };
  const clean = redact(whole);
  if (clean.trim() === '') return { outcome: 'log_empty' };
  return { outcome: 'kept', text: gzipSync(clean), bytes: Buffer.byteLength(clean), cut: isCut };
}

/** Whether the instance is the one before the container's last; the container may have started again since. */
async function isPrevious(
  api: KubeApi,
  path: string,
  { podUid, container, instance }: WantedLog,
  signal: AbortSignal,
): Promise<boolean | LogAnswer> {
  const answer = await api.get(path, signal);
  if (answer.kind === 'failed') return { outcome: 'failed', detail: answer.error };
  // Without the permission to look, the log itself may still be there.
  if (answer.status === 403) return false;
  if (answer.status !== 200) return refused(answer.status, messageAt(answer.body, 'message') ?? '');
  const facts = KINDS.Pod.read(answer.body);
  if (facts.uid !== podUid) return { outcome: 'log_unavailable', detail: 'another pod has this name now' };
  const end = containerEnds(facts).find((end) => end.container.name === container && end.instance === instance);
  if (end !== undefined) return end.termination !== end.container.terminated;
  const { restartCount = 0 } = facts.containers.find(({ name }) => name === container) ?? {};
  if (restartCount <= instance) return false;
  return { outcome: 'log_unavailable', detail: `the container has started ${restartCount - instance} times since` };
}

function refused(status: number, message: string): LogAnswer {
  const detail = message === '' ? `HTTP ${status}` : message;
  if (status === 403) return { outcome: 'log_forbidden', detail };
  // 400 and 404 are decided: no such pod, container or instance. 401, 429 and 5xx pass.
  return status === 400 || status === 404 ? { outcome: 'log_unavailable', detail } : { outcome: 'failed', detail };
}

/** What the API says instead of a log: the message of a Status, else the beginning of the text itself. */
export function wordsOf(text: string): string {
  try {
    return messageAt(JSON.parse(text) as { [key: string]: unknown }, 'message') ?? '';
  } catch {
    return redact(text.slice(0, 500)).trim();
  }
}

/** Without what the cut left of a line, or of a word: half a secret is not recognised. */
function afterCut(text: string): string {
  const line = text.indexOf('\n');
  return text.slice((line < 0 || line === text.length - 1 ? text.search(/\s|$/) : line) + 1);
}
