import type { Attributes } from '@opentelemetry/api';
import { SeverityNumber } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { gunzipSync } from 'node:zlib';
import type { EventFacts } from '../../kubernetes/kinds/event.ts';
import { eventText } from '../../lifecycle/event.ts';
import type { ObjectRef, Run, Transition } from '../../lifecycle/transition.ts';
import type { Instant } from '../../lib/clock.ts';
import type { JournalEntry } from '../sink.ts';
import type { KeptLog, RunStory } from '../story.ts';
import { traceIdOf } from '../../lifecycle/trace-id.ts';
import { attemptSpanId, containerSpanId, rootSpanId } from './ids.ts';
import { objectAttributes, objectResource, runResource } from './resource.ts';
import type { Origin } from './resource.ts';
import { contextOf, hrTime, SCOPE } from './spans.ts';

/** Every name of an event that the bridge sends begins so: none of it is in the semantic conventions. */
export const EVENT_PREFIX = 'lifecycle_bridge.';

type Severity = readonly [number: SeverityNumber, text: string];
const INFO: Severity = [SeverityNumber.INFO, 'INFO'];
const WARN: Severity = [SeverityNumber.WARN, 'WARN'];
const ERROR: Severity = [SeverityNumber.ERROR, 'ERROR'];

/** The log record of one line of the journal: its time is that of what happened. */
export function entryRecord(entry: JournalEntry, observedAt: Instant, origin: Origin): ReadableLogRecord {
  return 'event' in entry
    ? eventRecord(entry.event, entry.run, observedAt, origin)
    : transitionRecord(entry.transition, entry.run, observedAt, origin);
}

function transitionRecord(
  transition: Transition,
  run: Run | undefined,
  observedAt: Instant,
  origin: Origin,
): ReadableLogRecord {
  const { kind, at, about, text, outcome, reason, message, container, inferred } = transition;
  return {
    ...shared(at, observedAt, severityOf(transition)),
    eventName: `${EVENT_PREFIX}${kind}`,
    body: `${about.kind} ${about.namespace}/${about.name}: ${text}`,
    ...joined(run, about, origin, container && { name: container.name, instance: container.instance }),
    attributes: {
      ...objectAttributes(about),
      ...(outcome !== undefined && { 'lifecycle_bridge.run.outcome': outcome }),
      ...(reason !== undefined && { 'lifecycle_bridge.reason': reason }),
      ...(message !== undefined && { 'lifecycle_bridge.message': message }),
      ...(inferred === true && { 'lifecycle_bridge.run.inferred': true }),
      ...(container !== undefined && {
        'k8s.container.name': container.name,
        'k8s.container.restart_count': container.instance,
        'process.exit.code': container.exitCode,
        ...(container.image !== '' && { 'container.image.name': container.image }),
      }),
    },
  };
}

function eventRecord(event: EventFacts, run: Run | undefined, observedAt: Instant, origin: Origin): ReadableLogRecord {
  const { type, reason, regarding, component, count, lastAt, firstAt, createdAt } = event;
  const about = { ...regarding, uid: regarding.uid ?? '' };
  return {
    ...shared(lastAt ?? firstAt ?? createdAt ?? observedAt, observedAt, type === 'Warning' ? WARN : INFO),
    eventName: `${EVENT_PREFIX}kubernetes.event`,
    body: `${about.kind} ${about.namespace}/${about.name}: ${eventText(event)}`,
    ...joined(run, about, origin),
    attributes: {
      ...objectAttributes(about),
      'lifecycle_bridge.event.uid': event.uid,
      'lifecycle_bridge.event.type': type,
      'lifecycle_bridge.event.count': count,
      ...(reason !== undefined && { 'lifecycle_bridge.reason': reason }),
      ...(event.message !== undefined && { 'lifecycle_bridge.message': event.message }),
      ...(component !== undefined && { 'lifecycle_bridge.event.component': component }),
    },
  };
}

/** Trace, span and resource: of the run where there is one, else the object's own. */
function joined(
  run: Run | undefined,
  about: ObjectRef,
  origin: Origin,
  container?: { readonly name: string; readonly instance: number },
): Pick<ReadableLogRecord, 'resource' | 'spanContext'> {
  if (run === undefined) return { resource: resourceFromAttributes(objectResource(about, origin)) };
  const traceId = traceIdOf(run);
  const isPod = about.kind === 'Pod' && run.uid !== about.uid;
  const ofPod =
    container === undefined
      ? isPod
        ? attemptSpanId(traceId, about.uid)
        : rootSpanId(traceId)
      : containerSpanId(traceId, about.uid, container.name, container.instance);
  const resource = { ...runResource(run, origin), ...(isPod && objectAttributes(about)) };
  return { resource: resourceFromAttributes(resource), spanContext: contextOf(traceId, ofPod) };
}

function severityOf({ kind, outcome, container }: Transition): Severity {
  if (kind === 'run.stuck' || kind === 'cronjob.missed' || kind === 'cronjob.skipped') return WARN;
  if (outcome === 'failed') return ERROR;
  if (container !== undefined && container.exitCode !== 0 && container.stopped !== true) return ERROR;
  return outcome === 'cancelled' || outcome === 'unknown' ? WARN : INFO;
}

/** Each line of the tails of a run's logs, under the span of its container. Only the time of the container's end is known. */
export function podLogRecords(story: RunStory, observedAt: Instant, origin: Origin): ReadableLogRecord[] {
  const traceId = traceIdOf(story.run);
  return story.logs.flatMap((log) => {
    const { podUid, podName: name, container, instance, endedAt, namespace } = log;
    const resource = resourceFromAttributes({
      ...runResource(story.run, origin),
      ...objectAttributes({ kind: 'Pod', namespace, name, uid: podUid }),
      'k8s.container.name': container,
      'k8s.container.restart_count': instance,
    });
    const spanContext = contextOf(traceId, containerSpanId(traceId, podUid, container, instance));
    return linesOf(log).map((body, at) => ({
      ...shared(endedAt, observedAt, undefined),
      body,
      resource,
      spanContext,
      attributes: { 'lifecycle_bridge.log.line': at },
    }));
  });
}

function linesOf({ text }: KeptLog): string[] {
  if (text === undefined) return [];
  return gunzipSync(text)
    .toString()
    .split('\n')
    .filter((line) => line !== '');
}

function shared(
  at: Instant,
  observedAt: Instant,
  severity: Severity | undefined,
): Omit<ReadableLogRecord, 'resource' | 'attributes'> & { attributes: Attributes } {
  return {
    hrTime: hrTime(at),
    hrTimeObserved: hrTime(observedAt),
    ...(severity !== undefined && { severityNumber: severity[0], severityText: severity[1] }),
    instrumentationScope: SCOPE,
    droppedAttributesCount: 0,
    attributes: {},
  };
}
