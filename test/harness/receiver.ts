import { Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js';
import type { sendUnaryData, ServerUnaryCall, ServiceError } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import { encodeRetryStatus, STATUS_DETAILS } from '../../bridge/lib/grpc-status.ts';

/** One log record of the Collector, flattened. */
export interface Arrived {
  readonly resource: string;
  readonly cluster: string;
  /** ADDED, MODIFIED or DELETED. */
  readonly type: string;
  readonly namespace: string;
  readonly name: string;
  readonly object: Readonly<Record<string, unknown>>;
}

/** An OTLP/gRPC logs receiver that keeps what it accepted, and refuses when told to. */
export interface Receiver {
  /** host:port */
  readonly endpoint: string;
  readonly records: () => readonly Arrived[];
  /** The accepted exports as they came. */
  readonly requests: () => readonly Buffer[];
  /** Everything that was ever sent here, refused or not, as text to search in. */
  readonly text: () => string;
  readonly refused: () => number;
  /** From now on answers with `code`, by default UNAVAILABLE, and with RetryInfo of that many ms if given. */
  readonly refuse: (code?: status, retryMs?: number) => void;
  readonly accept: () => void;
  readonly stop: () => void;
}

// The part of OTLP that a record of k8sobjects uses, written down again here so that the test does not trust the bridge.
const { root } = protobuf.parse(`
  syntax = "proto3";
  message Request { repeated ResourceLogs resource_logs = 1; }
  message ResourceLogs { Resource resource = 1; repeated ScopeLogs scope_logs = 2; }
  message Resource { repeated KeyValue attributes = 1; }
  message ScopeLogs { repeated LogRecord log_records = 2; }
  message LogRecord { Value body = 5; repeated KeyValue attributes = 6; }
  message KeyValue { string key = 1; Value value = 2; }
  message Value { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3;
    double double_value = 4; Values array_value = 5; KeyValues kvlist_value = 6; bytes bytes_value = 7; } }
  message Values { repeated Value values = 1; }
  message KeyValues { repeated KeyValue values = 1; }
`);
const Request = root.lookupType('Request');

interface Value {
  readonly arrayValue?: { readonly values: readonly Value[] };
  readonly kvlistValue?: { readonly values: readonly KeyValue[] };
  readonly [scalar: string]: unknown;
}
interface KeyValue {
  readonly key: string;
  readonly value: Value;
}
interface Exported {
  readonly resourceLogs: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeLogs: readonly {
      readonly logRecords: readonly { readonly body: Value; readonly attributes: readonly KeyValue[] }[];
    }[];
  }[];
}

interface Wrapped {
  readonly type: string;
  readonly object: Record<string, unknown>;
}

export async function startReceiver(): Promise<Receiver> {
  const accepted: Arrived[] = [];
  const requests: Buffer[] = [];
  const sent: Buffer[] = [];
  let refusal: Partial<ServiceError> | undefined;
  let refused = 0;
  const server = new Server({ 'grpc.max_receive_message_length': -1 });
  const handle = (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>): void => {
    sent.push(call.request);
    if (refusal !== undefined) {
      refused += 1;
      answer(refusal);
    } else {
      requests.push(call.request);
      accepted.push(...decode(call.request));
      answer(null, Buffer.alloc(0));
    }
  };
  const pass = (bytes: Buffer): Buffer => bytes;
  const passThrough = {
    requestSerialize: pass,
    requestDeserialize: pass,
    responseSerialize: pass,
    responseDeserialize: pass,
  };
  const path = '/opentelemetry.proto.collector.logs.v1.LogsService/Export';
  server.addService(
    { Export: { path, requestStream: false, responseStream: false, ...passThrough } },
    { Export: handle },
  );
  const port = await new Promise<number>((resolve, reject) => {
    const bound = (error: Error | null, port: number): void => (error ? reject(error) : resolve(port));
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), bound);
  });
  return {
    endpoint: `127.0.0.1:${port}`,
    records: () => accepted,
    requests: () => requests,
    text: () => Buffer.concat(sent).toString('latin1'),
    refused: () => refused,
    refuse: (code = status.UNAVAILABLE, retryMs) => {
      const details = 'the test says no';
      const metadata = new Metadata();
      if (retryMs !== undefined) metadata.set(STATUS_DETAILS, encodeRetryStatus(code, details, retryMs));
      refusal = { code, details, metadata };
    },
    accept: () => (refusal = undefined),
    stop: () => server.forceShutdown(),
  };
}

function decode(request: Buffer): Arrived[] {
  const exported = Request.toObject(Request.decode(request), { longs: Number, arrays: true }) as Exported;
  return exported.resourceLogs.flatMap(({ resource, scopeLogs }) =>
    scopeLogs.flatMap(({ logRecords }) =>
      logRecords.map(({ body, attributes }) => {
        const whole = plain(body) as Wrapped & Record<string, unknown>;
        // A watched object is wrapped; a pulled one is the body itself.
        const { type, object } = 'object' in whole ? whole : { type: '', object: whole };
        const metadata = object['metadata'] as { name: string; namespace?: string };
        return {
          resource: String(fields(attributes)['k8s.resource.name']),
          cluster: String(fields(resource.attributes)['k8s.cluster.name']),
          type,
          namespace: metadata.namespace ?? '',
          name: metadata.name,
          object,
        };
      }),
    ),
  );
}

function fields(list: readonly KeyValue[]): Record<string, unknown> {
  return Object.fromEntries(list.map(({ key, value }) => [key, plain(value)]));
}

function plain(value: Value): unknown {
  if (value.kvlistValue) return fields(value.kvlistValue.values);
  if (value.arrayValue) return value.arrayValue.values.map(plain);
  return Object.values(value)[0] ?? null;
}
