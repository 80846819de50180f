import { gunzipSync } from 'node:zlib';
import type { Json } from '../../lib/json.ts';
import { logName, logOutcome } from '../../lib/log-text.ts';
import type { KeptLog } from '../story.ts';
import { pingSchema } from './ping.ts';

const MAX_MESSAGE = 2000;
/** Of the message as it stands in the URL: a request line of 8 KiB is what servers take. */
const MAX_ENCODED = 6000;

/**
 * All tails of a run as one text, as Cronitor takes one per series: one log alone as it is, several under headings as
 * `tail` writes them, with what became of those without text. Undefined when no text is left.
 */
export function logText(logs: readonly KeptLog[]): string | undefined {
  if (logs.every(({ text }) => text === undefined)) return undefined;
  if (logs.length === 1) return unpacked(logs[0]!);
  return logs.map((log) => `${heading(log)}\n${unpacked(log)}`).join('\n');
}

/** The payload of the `logs` event with the size of the logs and their end; undefined when no text is left. */
export function logsEvent(payload: Json, logs: readonly KeptLog[]): Json | undefined {
  const text = logText(logs);
  const ping = pingSchema.safeParse(payload);
  if (text === undefined || !ping.success) return undefined;
  const added = { message: lastMessage(text), metric: `length:${Buffer.byteLength(text)}` };
  return { ...ping.data, query: { ...ping.data.query, ...added } };
}

/** The end of a text, as long as a ping's message may be. */
export function lastMessage(text: string): string {
  const points = Array.from(text.trimEnd()).slice(-MAX_MESSAGE);
  let room = MAX_ENCODED;
  let from = points.length;
  while (from > 0 && (room -= encodedLength(points[from - 1]!)) >= 0) from--;
  return points.slice(from).join('').trimStart();
}

function heading(log: KeptLog): string {
  const { podName, exitCode, text, cut } = log;
  const what = text === undefined ? logOutcome(log) : `exit code ${exitCode}${cut ? ', its end' : ''}`;
  return `==> ${podName}/${logName(log)} (${what}) <==`;
}

function unpacked({ text }: KeptLog): string {
  try {
    return text === undefined ? '' : gunzipSync(text).toString();
  } catch {
    return '(the stored text cannot be read)';
  }
}

function encodedLength(point: string): number {
  return /^[\w*.-]$/.test(point) || point === ' ' ? 1 : 3 * Buffer.byteLength(point);
}
