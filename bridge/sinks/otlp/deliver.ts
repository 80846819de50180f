import type { Link } from '@opentelemetry/api';
import { ProtobufLogsSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { Clock } from '../../lib/clock.ts';
import type { Json } from '../../lib/json.ts';
import { isJsonObject } from '../../lib/json.ts';
import { traceIdOf } from '../../lifecycle/trace-id.ts';
import { isInNamespaces } from '../selection.ts';
import type { ClaimedIntent, Deliverer, Delivery, JournalEntry, Limit } from '../sink.ts';
import type { RunStory } from '../story.ts';
import type { ReadRejected } from './answer.ts';
import { deliveryOf } from './answer.ts';
import type { OtlpConfig } from './config.ts';
import { connect } from './connect.ts';
import type { Connection } from './connect.ts';
import { readTraceparent, rootSpanId } from './ids.ts';
import { entryRecord, podLogRecords } from './log-records.ts';
import type { Origin } from './resource.ts';
import { contextOf, msOf, readableSpans } from './spans.ts';
import { traceOf } from './trace.ts';
import type { Milestone } from './plan.ts';
import { TRACEPARENT } from './plan.ts';

/** Entries of the journal in one export. */
const JOURNAL_BATCH = 500;
/** Lines of logs in one export. */
const LINES = 200;
/** Of one export; a receiver takes 4 MiB by default, and drops what is larger. */
const MAX_BYTES = 3 * 1024 * 1024;

/** Twice a second: what happens meanwhile goes in one export, which costs a fraction of many. A backlog drains at 1,000 a second. */
const paceOf = (address: string): Limit => ({ key: `${address}/journal`, perSecond: 2 });

export interface Where {
  readonly clock: Clock;
  readonly clusterName: string;
  readonly pageUrl: string | undefined;
}

/** The half of `opentelemetry/<name>` that talks to its receiver. Throws a UserError when a file cannot be read. */
export function createOtlpDeliverer(
  name: string,
  config: OtlpConfig,
  where: Where,
  connection: Connection = connect(config),
): Deliverer {
  const address = `opentelemetry/${name}`;
  const origin: Origin = { clusterName: where.clusterName, attributes: config.resourceAttributes };
  const send = new Sender(connection, address);
  return {
    destination: address,
    batch: { intents: 10, desired: 1 },
    convergeLimits: [],
    deliver: (batch, signal) => Promise.all(batch.map((intent) => deliverRun(intent, signal))),
    converge: (rows) => Promise.resolve(rows.map(() => ({ outcome: 'delivered' as const }))),
    close: () => connection.close(),
    check: (signal) => send.logs([], signal),
    ...(config.logs && { journal: { batch: JOURNAL_BATCH, limits: [paceOf(address)], export: exportJournal } }),
  };

  async function deliverRun({ story, payload }: ClaimedIntent, signal: AbortSignal): Promise<Delivery> {
    if (story === undefined) return { outcome: 'drop', reason: 'run_removed' };
    const milestone = milestoneOf(payload);
    if (milestone !== undefined) {
      const spans = spansSoFar(story, milestone, origin, where.pageUrl);
      return spans.length === 0 ? NOTHING_YET : send.spans(spans, signal);
    }
    const spans = config.traces ? spansOf(story, origin, where.pageUrl) : [];
    const traced = spans.length === 0 ? delivered : await send.spans(spans, signal);
    if (traced.outcome === 'retry' || !config.podLogs) return traced;
    return worse(traced, await send.lines(podLogRecords(story, where.clock.now(), origin), signal));
  }

  function exportJournal(entries: readonly JournalEntry[], signal: AbortSignal): Promise<Delivery> {
    const records = entries
      .filter((entry) => isSelected(entry, config))
      .map((entry) => entryRecord(entry, where.clock.now(), origin));
    return records.length === 0 ? Promise.resolve(delivered) : send.logs(records, signal);
  }
}

const delivered: Delivery = { outcome: 'delivered' };
const NOTHING_YET: Delivery = {
  outcome: 'delivered',
  detail: 'no span of it was over, or all of them are sent with its end',
};

/** Labels are those of an owner that the journal does not have: namespaces decide. */
function isSelected(entry: JournalEntry, config: OtlpConfig): boolean {
  const namespace = 'event' in entry ? entry.event.regarding.namespace : entry.transition.about.namespace;
  return isInNamespaces(namespace, config);
}

export function spansOf(story: RunStory, origin: Origin, pageUrl: string | undefined): ReadableSpan[] {
  const { run, previous, object } = story;
  const links: Link[] = [];
  if (previous !== undefined) {
    const traceId = traceIdOf(previous);
    const relation = run.revision === undefined ? 'previous_run' : 'previous_rollout';
    links.push({ context: contextOf(traceId, rootSpanId(traceId)), attributes: { 'lifecycle_bridge.link': relation } });
  }
  const context = readTraceparent(object?.annotations[TRACEPARENT]);
  if (context !== undefined) links.push({ context, attributes: { 'lifecycle_bridge.link': 'traceparent' } });
  return readableSpans(traceIdOf(run), traceOf(story, origin, pageUrl), links);
}

/**
 * What of a rollout that goes on ended in the time of this milestone: its root, and what goes on in it, come with its end, and
 * so does what was heard of after a later milestone. None once it has ended.
 */
export function spansSoFar(
  story: RunStory,
  { after, upTo }: Milestone,
  origin: Origin,
  pageUrl: string | undefined,
): ReadableSpan[] {
  if (story.run.endedAt !== undefined) return [];
  return spansOf(story, origin, pageUrl).filter(({ ended, endTime }) => {
    const end = msOf(endTime);
    return ended && end > (after ?? -Infinity) && end <= upTo;
  });
}

function milestoneOf(payload: Json): Milestone | undefined {
  const milestone = isJsonObject(payload) ? payload['milestone'] : undefined;
  return milestone === undefined ? undefined : (milestone as unknown as Milestone);
}

const rejectedSpans: ReadRejected = (bytes) => {
  const { partialSuccess } = ProtobufTraceSerializer.deserializeResponse(bytes);
  return { rejected: partialSuccess?.rejectedSpans ?? 0, why: partialSuccess?.errorMessage ?? '' };
};
const rejectedRecords: ReadRejected = (bytes) => {
  const { partialSuccess } = ProtobufLogsSerializer.deserializeResponse(bytes);
  return { rejected: partialSuccess?.rejectedLogRecords ?? 0, why: partialSuccess?.errorMessage ?? '' };
};

function isTooLarge(request: Uint8Array | undefined): boolean {
  return (request?.length ?? 0) > MAX_BYTES;
}

/** The second half is not sent where the first has to be sent again. */
async function inHalves<T>(records: readonly T[], send: (half: T[]) => Promise<Delivery>): Promise<Delivery> {
  const middle = records.length >> 1;
  const first = await send(records.slice(0, middle));
  return first.outcome === 'retry' ? first : worse(first, await send(records.slice(middle)));
}

/** What becomes of a whole whose parts had these answers. */
function worse(first: Delivery, second: Delivery): Delivery {
  return second.outcome === 'delivered' ? first : second;
}

class Sender {
  readonly #connection: Connection;
  readonly #address: string;

  constructor(connection: Connection, address: string) {
    this.#connection = connection;
    this.#address = address;
  }

  spans(spans: ReadableSpan[], signal: AbortSignal): Promise<Delivery> {
    const request = ProtobufTraceSerializer.serializeRequest(spans);
    if (isTooLarge(request) && spans.length > 1) return inHalves(spans, (half) => this.spans(half, signal));
    return this.#send('traces', request, spans.length, rejectedSpans, signal);
  }

  /** In one export, however large: the journal sends one that is refused in halves, each with its own receipts. */
  logs(records: ReadableLogRecord[], signal: AbortSignal): Promise<Delivery> {
    const request = ProtobufLogsSerializer.serializeRequest(records);
    return this.#send('logs', request, records.length, rejectedRecords, signal);
  }

  /** In exports of their own size. One that is refused costs no other; the first that may be tried again ends it. */
  async lines(lines: readonly ReadableLogRecord[], signal: AbortSignal): Promise<Delivery> {
    let all: Delivery = delivered;
    for (let at = 0; at < lines.length && all.outcome !== 'retry'; at += LINES)
      all = worse(all, await this.#linesAtOnce(lines.slice(at, at + LINES), signal));
    return all;
  }

  #linesAtOnce(lines: ReadableLogRecord[], signal: AbortSignal): Promise<Delivery> {
    const request = ProtobufLogsSerializer.serializeRequest(lines);
    if (isTooLarge(request) && lines.length > 1) return inHalves(lines, (half) => this.#linesAtOnce(half, signal));
    return this.#send('logs', request, lines.length, rejectedRecords, signal);
  }

  async #send(
    what: 'traces' | 'logs',
    request: Uint8Array | undefined,
    count: number,
    read: ReadRejected,
    signal: AbortSignal,
  ): Promise<Delivery> {
    if (signal.aborted) return { outcome: 'retry', reason: 'shutting_down', unknown: false };
    const reply = await this.#connection.export(what, request ?? new Uint8Array(), signal);
    if (signal.aborted && reply.response === undefined)
      return { outcome: 'retry', reason: 'shutting_down', unknown: true };
    const delivery = deliveryOf(reply, count, read, this.#address);
    return delivery.detail === undefined ? delivery : { ...delivery, detail: this.#connection.clean(delivery.detail) };
  }
}
