import { EVENT_PREFIX } from '../../../../bridge/sinks/otlp/log-records.ts';
import type { Failure } from '../../checker.ts';
import type { Heard } from '../../heard.ts';
import { missingEvents, withoutRepeats } from '../../heard.ts';
import { checkJobs } from '../../runs.ts';
import type { ArrivedSpan } from '../../../vendors/otlp-receiver.ts';
import type { Checking } from '../vendor.ts';
import type { HeardLog, HeardSpans, OpentelemetryAccount } from './account.ts';

const MS = 1_000_000n;
const UID = 'k8s.job.uid';

/** What is wrong with the journal and the traces that a receiver of OTLP has. */
export function checkOpentelemetry({ logs, traces }: OpentelemetryAccount, checking: Checking): Failure[] {
  const journal = withoutRepeats(checking, logs);
  if (typeof journal === 'string') return [{ what: `journal: ${journal}` }];
  const settled = Map.groupBy(
    journal.filter(({ log }) => log.eventName === `${EVENT_PREFIX}run.settled`),
    ({ log }) => log.traceId,
  );
  const byTrace = Map.groupBy(traces, ({ spans }) => spans[0]?.traceId ?? '');
  return [
    ...checkJobs(checking, journal.flatMap(heardOf), () => undefined, { lateStartsAreLeftOut: true }),
    ...checkOrder(journal),
    ...missingEvents(new Set(journal.map(({ log }) => log.attributes['lifecycle_bridge.event.uid'])), checking),
    ...[...settled]
      .filter(([id]) => !byTrace.has(id))
      .map(([id, [first]]) => ({ what: `it settled, and has no trace: ${id}`, uid: uidOf(first!) })),
    ...[...byTrace].flatMap(([id, all]) => checkTrace(id, all, settled.get(id) ?? [], checking)),
  ];
}

function uidOf({ log }: HeardLog): string {
  const uid = log.attributes[UID];
  return typeof uid === 'string' ? uid : '';
}

/** Starts and ends of Jobs. */
function heardOf(one: HeardLog): Heard[] {
  const { at, said, log } = one;
  const outcome = log.attributes['lifecycle_bridge.run.outcome'];
  const isStart = log.eventName === `${EVENT_PREFIX}run.started`;
  if (!isStart && log.eventName !== `${EVENT_PREFIX}run.ended`) return [];
  if (log.attributes[UID] === undefined || outcome === 'never_started') return [];
  // The bridge was shown no end: where it was, a start alone is a failure.
  if (outcome === 'unknown') return [];
  const end = outcome === 'succeeded' || outcome === 'replaced' ? 'complete' : 'fail';
  return [{ at, said, uid: uidOf(one), state: isStart ? 'run' : end, stamp: Number(log.at / MS) }];
}

/** Of each run no start comes after an end, and it settles after one. */
function checkOrder(journal: readonly HeardLog[]): Failure[] {
  const ended = new Set<string>();
  return journal.flatMap((one) => {
    const { eventName, traceId, body } = one.log;
    if (eventName === `${EVENT_PREFIX}run.ended`) ended.add(traceId);
    const isWrong =
      (eventName === `${EVENT_PREFIX}run.started` && ended.has(traceId)) ||
      (eventName === `${EVENT_PREFIX}run.settled` && !ended.has(traceId));
    return isWrong ? [{ what: `out of order in the journal: ${eventName} ${String(body)}`, uid: uidOf(one) }] : [];
  });
}

/** One trace, whole, as often as it settled. */
function checkTrace(
  id: string,
  exports: readonly HeardSpans[],
  settled: readonly HeardLog[],
  checking: Checking,
): Failure[] {
  const uid = settled.map(uidOf)[0] ?? '';
  const fail = (what: string): Failure[] => [{ what: `trace ${id}: ${what}`, uid }];
  const reported = withoutRepeats(checking, exports);
  if (typeof reported === 'string') return fail(reported);
  const [whole, parts] = [
    reported.filter(({ spans }) => spans.some(isRoot)),
    reported.filter(({ spans }) => !spans.some(isRoot)),
  ];
  if (whole.length > settled.length) return fail(`exported ${whole.length} times, settled ${settled.length} times`);
  for (const { spans } of whole) {
    const ids = new Set(spans.map(({ spanId }) => spanId));
    const roots = spans.filter(isRoot);
    if (ids.size !== spans.length) return fail('a span twice');
    if (roots.length !== 1) return fail(`${roots.length} roots`);
    if (spans.some(({ traceId }) => traceId !== id)) return fail('spans of another trace');
    if (spans.some(({ parentSpanId }) => parentSpanId !== '' && !ids.has(parentSpanId)))
      return fail('a span is missing');
    if (spans.some(({ start, end }) => end < start)) return fail('a span ends before it starts');
  }
  const last = whole.at(-1);
  if (last === undefined) return settled.length === 0 ? [] : fail('it settled, and only a part of it came');
  return [...checkParts(last, parts), ...checkEnd(last, uid, checking)].flatMap(fail);
}

const isRoot = ({ parentSpanId }: ArrivedSpan): boolean => parentSpanId === '';

/** What came of a rollout before its end is in its trace too, as it was. */
function checkParts({ spans }: HeardSpans, parts: readonly HeardSpans[]): string[] {
  const known = new Map(spans.map((span) => [span.spanId, span]));
  return parts
    .flatMap((part) => part.spans)
    .filter(({ spanId, start, end }) => known.get(spanId)?.start !== start || known.get(spanId)?.end !== end)
    .map(({ name, spanId }) => `a part of it has another ${name} ${spanId}`);
}

/** The root of the last export ends as the Job did, and when it did, or its last pod by another clock. */
function checkEnd({ spans }: HeardSpans, uid: string, { simulation }: Checking): string[] {
  const job = simulation.truth.jobs.get(uid);
  const root = spans.find(({ parentSpanId }) => parentSpanId === '')!;
  if (job === undefined || (job.outcome !== 'succeeded' && job.outcome !== 'failed') || job.takenBack === true)
    return [];
  const result = root.attributes['cicd.pipeline.result'];
  const isUnknown = root.attributes['lifecycle_bridge.run.outcome'] === 'unknown';
  if (isUnknown && simulation.shown.get(uid)?.endedAt === undefined)
    return result === 'error' ? [] : [`is ${String(result)}, and its end is not known`];
  const end = Number(root.end / MS);
  const inside = spans.filter((span) => span !== root).map((span) => Number(span.end / MS));
  if (end !== Math.max(job.endedAt ?? 0, ...inside)) return [`ends at ${end}, the Job at ${job.endedAt}`];
  return (result === 'success') === (job.outcome === 'succeeded') ? [] : [`is ${String(result)}, was ${job.outcome}`];
}
