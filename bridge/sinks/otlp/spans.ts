import type { Attributes, HrTime, Link, SpanContext } from '@opentelemetry/api';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { Instant } from '../../lib/clock.ts';
import { VERSION } from '../../lib/version.ts';
import type { SpanNode } from './span-tree.ts';

export const SCOPE = { name: 'lifecycle-bridge', version: VERSION };
const SAMPLED = 1;

/** The spans of a trace as an exporter takes them, parents first. The root is a SERVER span, as that of a pipeline run is. */
export function readableSpans(traceId: string, root: SpanNode, links: readonly Link[]): ReadableSpan[] {
  const resources = new Map<Attributes, Resource>();
  const spans: ReadableSpan[] = [];
  const add = (node: SpanNode, parent: SpanContext | undefined): void => {
    const context = contextOf(traceId, node.id);
    const resource = resources.get(node.resource) ?? resourceFromAttributes(node.resource);
    resources.set(node.resource, resource);
    spans.push({ ...readable(node, context, parent), resource, links: parent === undefined ? [...links] : [] });
    for (const child of node.children) add(child, context);
  };
  add(root, undefined);
  return spans;
}

export function contextOf(traceId: string, spanId: string): SpanContext {
  return { traceId, spanId, traceFlags: SAMPLED };
}

function readable(
  { name, start, end, isOpen, attributes, error }: SpanNode,
  context: SpanContext,
  parentSpanContext: SpanContext | undefined,
): Omit<ReadableSpan, 'resource' | 'links'> {
  return {
    name,
    kind: parentSpanContext === undefined ? SpanKind.SERVER : SpanKind.INTERNAL,
    spanContext: () => context,
    ...(parentSpanContext !== undefined && { parentSpanContext }),
    startTime: hrTime(start),
    endTime: hrTime(end),
    duration: hrTime(end - start),
    status: error === undefined ? { code: SpanStatusCode.UNSET } : { code: SpanStatusCode.ERROR, message: error },
    attributes,
    events: [],
    ended: isOpen !== true,
    instrumentationScope: SCOPE,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/** Seconds and nanoseconds of a time in ms. */
export function hrTime(at: Instant): HrTime {
  const seconds = Math.floor(at / 1000);
  return [seconds, Math.round((at - seconds * 1000) * 1e6)];
}

/** The inverse of `hrTime`. */
export function msOf([seconds, nanoseconds]: HrTime): Instant {
  return seconds * 1000 + nanoseconds / 1e6;
}
