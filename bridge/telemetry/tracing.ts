import type { Tracer } from '@opentelemetry/api';
import { status } from '@grpc/grpc-js';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import { BatchSpanProcessor, TraceIdRatioBasedSampler, TracerProvider } from '@opentelemetry/sdk-trace';
import { connectOtlpUrl } from '../lib/otlp-client.ts';
import { VERSION } from '../lib/version.ts';
import { EXPORT_MS, flush, ownResource } from './own-export.ts';

/** Of ExportResultCode, whose package is not one of ours. */
const [SUCCESS, FAILED] = [{ code: 0 }, { code: 1 }];

export interface Tracing {
  readonly tracer: Tracer;
  /** Sends what waits, for two seconds at most. */
  readonly stop: () => Promise<void>;
}

/** Spans of the bridge itself: that share of them, sent over OTLP. What the receiver does not take is lost. */
export function startTracing(endpoint: string, sampleRatio: number, clusterName: string): Tracing {
  const provider = new TracerProvider({
    resource: ownResource(clusterName),
    sampler: new TraceIdRatioBasedSampler(sampleRatio),
    spanProcessors: [new BatchSpanProcessor({ exporter: exporterTo(endpoint), exportTimeoutMillis: EXPORT_MS })],
  });
  return {
    tracer: provider.getTracer('lifecycle-bridge', VERSION),
    stop: () => flush(provider),
  };
}

function exporterTo(endpoint: string): SpanExporter {
  const client = connectOtlpUrl(endpoint);
  return {
    export: (spans, done) => {
      const request = ProtobufTraceSerializer.serializeRequest(spans) ?? new Uint8Array();
      void client
        .export(request, { what: 'traces', deadlineMs: EXPORT_MS })
        .then(({ code }) => done((code === status.OK ? SUCCESS : FAILED) as never));
    },
    shutdown: () => Promise.resolve(client.close()),
  };
}
