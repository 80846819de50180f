import type { Instant } from '../lib/clock.ts';
import { redact } from '../kubernetes/redact.ts';

/** What a line of the Collector's log says of a backend. */
export interface BackendAnswer {
  /** `refused`: for good; `away`: it is tried again. */
  readonly what: 'refused' | 'away';
  /** As the Collector's configuration names it: `otlp/lifecycle-traces`. */
  readonly exporter: string;
  readonly at: Instant;
  /** How many spans, log records or data points. */
  readonly count: number;
  readonly why: string;
}

/** The way to the bridge, which is not a backend. */
const TO_BRIDGE = 'otlp/bridge';
const MAX_TEXT = 300;
const DROPPED = /^Exporting failed\. (?:Dropping|Rejecting) data/;
const PARTIAL = 'Partial success response';
const RETRY = /^Exporting failed\. Will retry/;

/** The lines that say so, oldest first. Other lines, and what is not a line of a Collector, are left out. */
export function readCollectorLog(text: string): readonly BackendAnswer[] {
  return text.split('\n').flatMap((line) => {
    const answer = line.includes('xporting failed') || line.includes(PARTIAL) ? answerOf(line) : undefined;
    return answer === undefined ? [] : [answer];
  });
}

/** When the last line was written that says so. */
export function lastTime(text: string): Instant | undefined {
  const lines = text.split('\n');
  for (let at = lines.length - 1; at >= 0; at--) {
    const time = timeOf(parsed(lines[at]!)?.['ts']);
    if (time !== undefined) return time;
  }
  return undefined;
}

type Fields = Readonly<Record<string, unknown>>;

function answerOf(line: string): BackendAnswer | undefined {
  const fields = parsed(line);
  const message = textOf(fields?.['msg']) ?? '';
  const what = DROPPED.test(message) || message === PARTIAL ? 'refused' : RETRY.test(message) ? 'away' : undefined;
  // Named otherwise since release 0.123.
  const exporter = textOf(fields?.['name']) ?? textOf(fields?.['otelcol.component.id']);
  const at = timeOf(fields?.['ts']);
  if (fields === undefined || what === undefined || exporter === undefined || exporter === TO_BRIDGE) return undefined;
  if (at === undefined) return undefined;
  const why = textOf(fields['error']) ?? textOf(fields['message']) ?? 'without a reason';
  return { what, exporter, at, count: countOf(fields), why: redact(why).slice(0, MAX_TEXT) };
}

function parsed(line: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Seconds of the epoch, or RFC 3339 in newer releases. */
function timeOf(value: unknown): Instant | undefined {
  const at = typeof value === 'number' ? value * 1000 : typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isFinite(at) ? at : undefined;
}

const COUNTS = ['dropped_items', 'rejected_items', 'dropped_spans', 'dropped_log_records', 'dropped_data_points'];

function countOf(fields: Fields): number {
  const counts = COUNTS.map((name) => Number(fields[name] ?? 0));
  return counts.find((count) => count > 0) ?? 0;
}
