import { Metadata, Server, ServerCredentials } from '@grpc/grpc-js';
import type { sendUnaryData, ServerUnaryCall, ServiceError, status } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import { encodeRetryStatus, STATUS_DETAILS } from '../../bridge/lib/grpc-status.ts';

export type Attributes = Readonly<Record<string, unknown>>;

/** A span as it arrived, with the attributes of its resource. Ids in hex, times in nanoseconds. */
export interface ArrivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: number;
  readonly start: bigint;
  readonly end: bigint;
  readonly status: { readonly code: number; readonly message: string };
  readonly attributes: Attributes;
  readonly resource: Attributes;
  readonly links: readonly { readonly traceId: string; readonly spanId: string; readonly attributes: Attributes }[];
}

export interface ArrivedLog {
  readonly traceId: string;
  readonly spanId: string;
  readonly eventName: string;
  readonly body: unknown;
  readonly severity: string;
  readonly at: bigint;
  readonly observedAt: bigint;
  readonly attributes: Attributes;
  readonly resource: Attributes;
}

/** A receiver of OTLP over gRPC that keeps what it took, and refuses all or a part when a test asks for it. */
export interface OtlpReceiver {
  readonly endpoint: string;
  readonly spans: () => readonly ArrivedSpan[];
  readonly logs: () => readonly ArrivedLog[];
  /** Headers of the last call. */
  readonly headers: () => Readonly<Record<string, unknown>>;
  readonly refuse: (code: status, retryMs?: number, details?: string) => void;
  /** Takes the call and says how many of its records were refused. */
  readonly refusePart: (rejected: number, why: string) => void;
  readonly accept: () => void;
  readonly stop: () => void;
}

// What of OTLP 1.11 these exports use, written down again so that a test does not trust the serializer of the bridge.
const { root } = protobuf.parse(`
  syntax = "proto3";
  message Traces { repeated ResourceSpans resource_spans = 1; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
  message ScopeSpans { Scope scope = 1; repeated Span spans = 2; }
  message Span { bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5; int32 kind = 6;
    fixed64 start = 7; fixed64 end = 8; repeated KeyValue attributes = 9; repeated Link links = 13; Status status = 15; }
  message Link { bytes trace_id = 1; bytes span_id = 2; repeated KeyValue attributes = 4; }
  message Status { string message = 2; int32 code = 3; }
  message Logs { repeated ResourceLogs resource_logs = 1; }
  message ResourceLogs { Resource resource = 1; repeated ScopeLogs scope_logs = 2; }
  message ScopeLogs { Scope scope = 1; repeated LogRecord log_records = 2; }
  message LogRecord { fixed64 at = 1; int32 severity_number = 2; string severity_text = 3; Value body = 5;
    repeated KeyValue attributes = 6; fixed32 flags = 8; bytes trace_id = 9; bytes span_id = 10; fixed64 observed = 11;
    string event_name = 12; }
  message Resource { repeated KeyValue attributes = 1; }
  message Scope { string name = 1; string version = 2; }
  message KeyValue { string key = 1; Value value = 2; }
  message Value { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3;
    double double_value = 4; Values array_value = 5; KeyValues kvlist_value = 6; bytes bytes_value = 7; } }
  message Values { repeated Value values = 1; }
  message KeyValues { repeated KeyValue values = 1; }
  message Response { PartialSuccess partial_success = 1; }
  message PartialSuccess { int64 rejected = 1; string error_message = 2; }
`);
const Response = root.lookupType('Response');
export const SERVICES = {
  Traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  Logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
} as const;

interface KeyValue {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}
interface Wire {
  readonly [field: string]: unknown;
  readonly attributes: readonly KeyValue[];
}
interface Group {
  readonly resource?: Wire;
  readonly scopeSpans?: readonly { readonly spans: readonly Wire[] }[];
  readonly scopeLogs?: readonly { readonly logRecords: readonly Wire[] }[];
}

/** Listens at a port, by default a free one, at an address of this machine; with `tls` over TLS alone. */
export async function startOtlpReceiver(at = 0, host = '127.0.0.1', tls?: ServerCredentials): Promise<OtlpReceiver> {
  const [spans, logs]: [ArrivedSpan[], ArrivedLog[]] = [[], []];
  let headers: Record<string, unknown> = {};
  let refusal: Partial<ServiceError> | undefined;
  let part: { rejected: number; errorMessage: string } | undefined;
  const server = new Server({ 'grpc.max_receive_message_length': 4 * 1024 * 1024 });
  const answer = (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>, take: () => void): void => {
    headers = call.metadata.getMap();
    if (refusal !== undefined) return done(refusal);
    take();
    done(null, Buffer.from(Response.encode(part === undefined ? {} : { partialSuccess: part }).finish()));
  };
  serve(server, SERVICES.Traces, (call, done) => answer(call, done, () => spans.push(...readSpans(call.request))));
  serve(server, SERVICES.Logs, (call, done) => answer(call, done, () => logs.push(...readLogs(call.request))));
  return {
    endpoint: `${tls ? 'https' : 'http'}://${await listen(server, at, host, tls)}`,
    spans: () => spans,
    logs: () => logs,
    headers: () => headers,
    refuse: (code, retryMs, details) => (refusal = refusalOf(code, retryMs, details)),
    refusePart: (rejected, errorMessage) => (part = { rejected, errorMessage }),
    accept: () => ([refusal, part] = [undefined, undefined]),
    stop: () => server.forceShutdown(),
  };
}

/** What a refused call is answered, with RetryInfo of `retryMs` if given. */
export function refusalOf(code: status, retryMs?: number, details = 'the test says no'): Partial<ServiceError> {
  const metadata = new Metadata();
  if (retryMs !== undefined) metadata.set(STATUS_DETAILS, encodeRetryStatus(code, details, retryMs));
  return { code, details, metadata };
}

/** At a port of a host, by default a free one of this host; host and port. */
export async function listen(
  server: Server,
  at = 0,
  host = '127.0.0.1',
  credentials = ServerCredentials.createInsecure(),
): Promise<string> {
  const port = await new Promise<number>((resolve, reject) => {
    const bound = (error: Error | null, port: number): void => (error ? reject(error) : resolve(port));
    server.bindAsync(`${host}:${at}`, credentials, bound);
  });
  return `${host}:${port}`;
}

type Handle = (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => void;

/** Answers the exports of a service, which stay bytes. */
export function serve(server: Server, path: string, handle: Handle): void {
  const pass = (bytes: Buffer): Buffer => bytes;
  const codec = {
    requestSerialize: pass,
    requestDeserialize: pass,
    responseSerialize: pass,
    responseDeserialize: pass,
  };
  server.addService({ Export: { path, requestStream: false, responseStream: false, ...codec } }, { Export: handle });
}

export function readSpans(request: Buffer): ArrivedSpan[] {
  return groups('Traces', request, 'resourceSpans').flatMap(({ resource, scopeSpans = [] }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        ...idsOf(span),
        parentSpanId: hex(span['parentSpanId']),
        name: text(span['name']),
        kind: Number(span['kind']),
        start: nanos(span['start']),
        end: nanos(span['end']),
        status: { code: 0, message: '', ...(span['status'] as object) },
        attributes: fields(span.attributes),
        resource: fields(resource?.attributes),
        links: (span['links'] as Wire[]).map((link) => ({ ...idsOf(link), attributes: fields(link.attributes) })),
      })),
    ),
  );
}

export function readLogs(request: Buffer): ArrivedLog[] {
  return groups('Logs', request, 'resourceLogs').flatMap(({ resource, scopeLogs = [] }) =>
    scopeLogs.flatMap(({ logRecords }) =>
      logRecords.map((record) => ({
        ...idsOf(record),
        eventName: text(record['eventName']),
        body: plain(record['body'] as KeyValue['value']),
        severity: text(record['severityText']),
        at: nanos(record['at']),
        observedAt: nanos(record['observed']),
        attributes: fields(record.attributes),
        resource: fields(resource?.attributes),
      })),
    ),
  );
}

function groups(type: string, request: Buffer, field: string): Group[] {
  const message = root.lookupType(type);
  return (message.toObject(message.decode(request), { longs: String, arrays: true }) as Record<string, Group[]>)[
    field
  ]!;
}

function idsOf(wire: Wire): { traceId: string; spanId: string } {
  return { traceId: hex(wire['traceId']), spanId: hex(wire['spanId']) };
}

function hex(bytes: unknown): string {
  return bytes instanceof Uint8Array ? Buffer.from(bytes).toString('hex') : '';
}

function nanos(value: unknown): bigint {
  return BigInt(typeof value === 'string' ? value : 0);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function fields(list: readonly KeyValue[] = []): Record<string, unknown> {
  return Object.fromEntries(list.map(({ key, value }) => [key, plain(value)]));
}

function plain(value: KeyValue['value'] | undefined): unknown {
  const [[kind, inner] = []] = Object.entries(value ?? {});
  if (kind === 'kvlistValue') return fields((inner as { values: KeyValue[] }).values);
  if (kind === 'arrayValue') return (inner as { values: KeyValue['value'][] }).values.map(plain);
  return kind === 'intValue' ? Number(inner) : (inner ?? null);
}
