import protobuf from 'protobufjs/light.js';
import { readRecording } from '../bridge/otlp/recording.ts';

export { connectOtlp, type ExportReply, type OtlpClient } from '../bridge/lib/otlp-client.ts';

/** One record as a test wants it; `body` becomes an AnyValue. */
export interface TestRecord {
  readonly body: unknown;
  /** Ms since the epoch, or nanoseconds as text. */
  readonly observedAt?: number | string;
  readonly time?: number | string;
  readonly attributes?: Record<string, unknown>;
}

const repeated = (type: string, id: number): protobuf.IField => ({ rule: 'repeated', type, id });

/** The whole of OTLP logs, independent of what the bridge's decoder reads of it. */
const root = protobuf.Root.fromJSON({
  nested: {
    ExportLogsServiceRequest: { fields: { resourceLogs: repeated('ResourceLogs', 1) } },
    ResourceLogs: {
      fields: {
        resource: { type: 'Resource', id: 1 },
        scopeLogs: repeated('ScopeLogs', 2),
        schemaUrl: { type: 'string', id: 3 },
      },
    },
    Resource: {
      fields: { attributes: repeated('KeyValue', 1), droppedAttributesCount: { type: 'uint32', id: 2 } },
    },
    ScopeLogs: {
      fields: {
        scope: { type: 'Scope', id: 1 },
        logRecords: repeated('LogRecord', 2),
        schemaUrl: { type: 'string', id: 3 },
      },
    },
    Scope: { fields: { name: { type: 'string', id: 1 }, version: { type: 'string', id: 2 } } },
    LogRecord: {
      fields: {
        timeUnixNano: { type: 'fixed64', id: 1 },
        severityNumber: { type: 'int32', id: 2 },
        severityText: { type: 'string', id: 3 },
        body: { type: 'AnyValue', id: 5 },
        attributes: repeated('KeyValue', 6),
        droppedAttributesCount: { type: 'uint32', id: 7 },
        flags: { type: 'fixed32', id: 8 },
        traceId: { type: 'bytes', id: 9 },
        spanId: { type: 'bytes', id: 10 },
        observedTimeUnixNano: { type: 'fixed64', id: 11 },
        eventName: { type: 'string', id: 12 },
      },
    },
    AnyValue: {
      oneofs: {
        value: {
          oneof: ['stringValue', 'boolValue', 'intValue', 'doubleValue', 'arrayValue', 'kvlistValue', 'bytesValue'],
        },
      },
      fields: {
        stringValue: { type: 'string', id: 1 },
        boolValue: { type: 'bool', id: 2 },
        intValue: { type: 'int64', id: 3 },
        doubleValue: { type: 'double', id: 4 },
        arrayValue: { type: 'ArrayValue', id: 5 },
        kvlistValue: { type: 'KeyValueList', id: 6 },
        bytesValue: { type: 'bytes', id: 7 },
      },
    },
    ArrayValue: { fields: { values: repeated('AnyValue', 1) } },
    KeyValueList: { fields: { values: repeated('KeyValue', 1) } },
    KeyValue: { fields: { key: { type: 'string', id: 1 }, value: { type: 'AnyValue', id: 2 } } },
  },
});
const Request = root.lookupType('ExportLogsServiceRequest');

/** An ExportLogsServiceRequest as the Collector's k8sobjects receiver sends it. */
export function encodeLogs(
  records: readonly TestRecord[],
  { clusterName }: { readonly clusterName?: string } = {},
): Buffer {
  const logRecords = records.map(({ body, observedAt, time, attributes = {} }) => ({
    timeUnixNano: nanoseconds(time),
    observedTimeUnixNano: nanoseconds(observedAt),
    body: anyValue(body),
    attributes: keyValues(attributes),
  }));
  const resource = clusterName === undefined ? {} : { 'k8s.cluster.name': clusterName };
  const scope = { name: 'k8sobjectsreceiver', version: '0.111.0' };
  const resourceLogs = [{ resource: { attributes: keyValues(resource) }, scopeLogs: [{ scope, logRecords }] }];
  return Buffer.from(Request.encode(Request.fromObject({ resourceLogs })).finish());
}

/** A record's body as a watch makes it. */
export function watchBody(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: object): object {
  return { type, object };
}

/** Every request of a recording, in memory. */
export async function readRequests(file: string): Promise<Buffer[]> {
  const requests: Buffer[] = [];
  for await (const { request } of readRecording(file)) requests.push(request);
  return requests;
}

function nanoseconds(time: number | string | undefined): string {
  return typeof time === 'number' ? `${time}000000` : (time ?? '0');
}

function keyValues(object: object): object[] {
  return Object.entries(object).map(([key, value]) => ({ key, value: anyValue(value) }));
}

function anyValue(value: unknown): object {
  if (value === null || value === undefined) return {};
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'bigint') return { intValue: value.toString() };
  if (typeof value === 'number') return Number.isInteger(value) ? { intValue: value } : { doubleValue: value };
  if (value instanceof Uint8Array) return { bytesValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) } };
  return { kvlistValue: { values: keyValues(value) } };
}
