import { Server } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import { listen, serve } from './otlp-receiver.ts';

/** A point of a metric as it arrived, with the attributes of its resource; `traces` are those of its exemplars, in hex. */
export interface ArrivedPoint {
  readonly name: string;
  readonly type: 'gauge' | 'sum' | 'histogram';
  /** Of a histogram its count. */
  readonly value: number;
  readonly attributes: Readonly<Record<string, string>>;
  readonly resource: Readonly<Record<string, string>>;
  readonly traces: readonly string[];
}

const SERVICE = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export';

// What of OTLP 1.11 these exports use.
const { root } = protobuf.parse(`
  syntax = "proto3";
  message Metrics { repeated ResourceMetrics resource_metrics = 1; }
  message ResourceMetrics { Resource resource = 1; repeated ScopeMetrics scope_metrics = 2; }
  message ScopeMetrics { repeated Metric metrics = 2; }
  message Metric { string name = 1; Points gauge = 5; Points sum = 7; Histogram histogram = 9; }
  message Points { repeated Point points = 1; }
  message Histogram { repeated HistogramPoint points = 1; }
  message Point { double as_double = 4; repeated Exemplar exemplars = 5; sfixed64 as_int = 6; repeated KeyValue attributes = 7; }
  message HistogramPoint { fixed64 count = 4; repeated Exemplar exemplars = 8; repeated KeyValue attributes = 9; }
  message Exemplar { bytes span_id = 4; bytes trace_id = 5; }
  message Resource { repeated KeyValue attributes = 1; }
  message KeyValue { string key = 1; Value value = 2; }
  message Value { string string_value = 1; }
`);
const Request = root.lookupType('Metrics');

interface KeyValue {
  readonly key: string;
  readonly value: { readonly stringValue: string };
}
interface Point {
  readonly asDouble?: number;
  readonly asInt?: number;
  readonly count?: number;
  readonly exemplars: readonly { readonly traceId: Uint8Array }[];
  readonly attributes: readonly KeyValue[];
}
type Metric = { readonly name: string } & {
  readonly [T in ArrivedPoint['type']]?: { readonly points: readonly Point[] };
};
interface Wire {
  readonly resourceMetrics: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeMetrics: readonly { readonly metrics: readonly Metric[] }[];
  }[];
}

/** A receiver of metrics over OTLP/gRPC at a free port of this machine: what it took, and how to end it. */
export async function startMetricsReceiver(): Promise<{
  readonly endpoint: string;
  readonly points: () => readonly ArrivedPoint[];
  readonly stop: () => void;
}> {
  const points: ArrivedPoint[] = [];
  const server = new Server({ 'grpc.max_receive_message_length': 16 * 1024 * 1024 });
  serve(server, SERVICE, (call, done) => {
    points.push(...readPoints(call.request));
    done(null, Buffer.alloc(0));
  });
  return { endpoint: await listen(server), points: () => points, stop: () => server.forceShutdown() };
}

function readPoints(request: Buffer): ArrivedPoint[] {
  const wire = Request.toObject(Request.decode(request), { longs: Number, defaults: true }) as Wire;
  return wire.resourceMetrics.flatMap(({ resource, scopeMetrics }) =>
    scopeMetrics.flatMap(({ metrics }) =>
      metrics.flatMap((metric) =>
        (['gauge', 'sum', 'histogram'] as const).flatMap((type) =>
          (metric[type]?.points ?? []).map((point) => ({
            name: metric.name,
            type,
            value: point.count ?? (point.asDouble || (point.asInt ?? 0)),
            attributes: texts(point.attributes),
            resource: texts(resource.attributes),
            traces: point.exemplars.map(({ traceId }) => Buffer.from(traceId).toString('hex')),
          })),
        ),
      ),
    ),
  );
}

function texts(attributes: readonly KeyValue[]): Record<string, string> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue]));
}
