import type { Tracer } from '@opentelemetry/api';
import { SpanKind } from '@opentelemetry/api';
import type { Instant } from '../lib/clock.ts';
import type { SpanEnd } from '../lib/traced.ts';
import { traced } from '../lib/traced.ts';
import type { Ingest, IngestResult } from '../otlp/receive/ingest.ts';
import type { ConfiguredDeliverer, Delivery } from '../sinks/sink.ts';

/** The way of an export from its arrival to its commit, which the answer waits for. */
export function tracedIngest(ingest: Ingest, tracer: Tracer | undefined): Ingest {
  if (tracer === undefined) return ingest;
  const endOf = ({ result }: IngestResult) => ({
    attributes: { 'lifecycle_bridge.request.outcome': result },
    errorType: result === 'committed' ? undefined : result,
  });
  return (request, receivedAt) => {
    const attributes = { 'lifecycle_bridge.request.size': request.byteLength };
    return traced(tracer, 'ingest', { kind: SpanKind.SERVER, attributes }, () => ingest(request, receivedAt), endOf);
  };
}

/** Each request, or the few of one batch, to a destination. Vendors get no `traceparent`. */
export function tracedDeliverer(deliverer: ConfiguredDeliverer, tracer: Tracer | undefined): ConfiguredDeliverer {
  if (tracer === undefined) return deliverer;
  const { destination, journal } = deliverer;
  const deliver = <T extends readonly Delivery[]>(
    channel: string,
    count: number,
    work: () => Promise<T>,
  ): Promise<T> => {
    const attributes = {
      'lifecycle_bridge.destination': destination,
      'lifecycle_bridge.delivery.channel': channel,
      'lifecycle_bridge.delivery.count': count,
    };
    return traced(tracer, 'deliver', { kind: SpanKind.CLIENT, attributes }, work, deliveryEnd);
  };
  return {
    ...deliverer,
    deliver: (batch, signal) => deliver('intent', batch.length, () => deliverer.deliver(batch, signal)),
    converge: (rows, signal) => deliver('desired', rows.length, () => deliverer.converge(rows, signal)),
    ...(journal !== undefined && {
      journal: {
        ...journal,
        export: async (entries, signal) => {
          const work = async () => [await journal.export(entries, signal)] as const;
          return (await deliver('journal', entries.length, work))[0];
        },
      },
    }),
  };
}

/** Of a batch, the first that was not delivered counts. */
function deliveryEnd(deliveries: readonly Delivery[]): SpanEnd {
  const failed = deliveries.find((one) => one.outcome !== 'delivered');
  return {
    attributes: { 'lifecycle_bridge.delivery.outcome': failed?.outcome ?? 'delivered' },
    errorType: failed?.reason,
  };
}

/** The configuration was loaded before there was a tracer: its span is made afterwards. */
export function configSpan(tracer: Tracer, began: Instant, ended: Instant, destinations: number): void {
  const attributes = { 'lifecycle_bridge.config.destinations': destinations };
  tracer.startSpan('load configuration', { startTime: began, attributes, root: true }).end(ended);
}
