import protobuf from 'protobufjs/light.js';
import type { Instant } from '../../bridge/lib/clock.ts';
import { errorText } from '../../bridge/lib/errors.ts';
import { DecodeError, type DecodedLogs, type DecodedRecord } from '../../bridge/otlp/decode/decode.ts';

/** Values inside values: a Pod has about 12 levels. */
const MAX_DEPTH = 100;
const MAX_RECORDS = 100_000;
/** Decoded messages per request. A Kubernetes object has one per ten bytes, so 64 MiB of them pass and a bomb does not. */
const MAX_MESSAGES = 8_000_000;
/** Protobuf levels above a body, and those that one level of a kvlist takes (list, entry, value). */
const ENVELOPE_LEVELS = 4;
const LEVELS_PER_VALUE = 3;

/**
 * All of every log record, by protobufjs: what the bridge's own decoder is compared with. Throws `DecodeError` and nothing
 * else.
 */
export function decodeGeneric(request: Uint8Array): DecodedLogs {
  try {
    messagesLeft = MAX_MESSAGES;
    const message: unknown = REQUEST.decode(request);
    return readRequest(message as RequestMessage);
  } catch (error) {
    throw error instanceof DecodeError ? error : new DecodeError(`no OTLP logs export: ${errorText(error)}`);
  }
}

function readRequest(request: RequestMessage): DecodedRecord[] {
  const records: DecodedRecord[] = [];
  for (const { resource, scopeLogs } of request.resourceLogs) {
    const clusterName = readClusterName(resource?.attributes ?? []);
    for (const { logRecords } of scopeLogs) {
      if (records.length + logRecords.length > MAX_RECORDS) throw new DecodeError(`more than ${MAX_RECORDS} records`);
      for (const record of logRecords) records.push(toRecord(record, clusterName));
    }
  }
  return records;
}

function toRecord(record: RecordMessage, clusterName: string | undefined): DecodedRecord {
  const observedAt = milliseconds(record.observedTimeUnixNano) ?? milliseconds(record.timeUnixNano);
  return { observedAt, clusterName, body: record.body ? readValue(record.body, 1) : undefined };
}

function readClusterName(attributes: readonly KeyValueMessage[]): string | undefined {
  const value = attributes.findLast(({ key }) => key === 'k8s.cluster.name')?.value;
  return value?.value === 'stringValue' ? value.stringValue : undefined;
}

function readValue(value: AnyValueMessage, depth: number): unknown {
  if (depth > MAX_DEPTH) throw new DecodeError(`values nested deeper than ${MAX_DEPTH}`);
  const { value: field } = value;
  if (field === undefined) return null;
  if (field === 'arrayValue') return value.arrayValue.values.map((item) => readValue(item, depth + 1));
  if (field === 'kvlistValue') return readEntries(value.kvlistValue.values, depth + 1);
  return field === 'intValue' ? readInteger(value.intValue) : value[field];
}

function readEntries(entries: readonly KeyValueMessage[], depth: number): Record<string, unknown> {
  const object = Object.create(null) as Record<string, unknown>;
  for (const { key, value } of entries) object[key] = value ? readValue(value, depth) : null;
  return object;
}

function readInteger(value: Long): number | string {
  const number = value.toNumber();
  return Number.isSafeInteger(number) ? number : value.toString();
}

function milliseconds(nanoseconds: Long): Instant | undefined {
  const value = Number(BigInt(nanoseconds.toString()) / 1_000_000n);
  return value === 0 ? undefined : value;
}

interface Long {
  toNumber(): number;
  toString(): string;
}
interface RequestMessage {
  readonly resourceLogs: readonly {
    readonly resource: { readonly attributes: readonly KeyValueMessage[] } | null;
    readonly scopeLogs: readonly { readonly logRecords: readonly RecordMessage[] }[];
  }[];
}
interface RecordMessage {
  readonly timeUnixNano: Long;
  readonly observedTimeUnixNano: Long;
  readonly body: AnyValueMessage | null;
}
interface KeyValueMessage {
  readonly key: string;
  readonly value: AnyValueMessage | null;
}
interface AnyValueMessage {
  readonly value:
    | 'stringValue'
    | 'boolValue'
    | 'intValue'
    | 'doubleValue'
    | 'arrayValue'
    | 'kvlistValue'
    | 'bytesValue';
  readonly stringValue: string;
  readonly boolValue: boolean;
  readonly intValue: Long;
  readonly doubleValue: number;
  readonly arrayValue: { readonly values: readonly AnyValueMessage[] };
  readonly kvlistValue: { readonly values: readonly KeyValueMessage[] };
  readonly bytesValue: Uint8Array;
}

let messagesLeft = 0;

const ANY_VALUE: Record<string, protobuf.IField> = {
  stringValue: { type: 'string', id: 1 },
  boolValue: { type: 'bool', id: 2 },
  intValue: { type: 'int64', id: 3 },
  doubleValue: { type: 'double', id: 4 },
  arrayValue: { type: 'ArrayValue', id: 5 },
  kvlistValue: { type: 'KeyValueList', id: 6 },
  bytesValue: { type: 'bytes', id: 7 },
};

/** The part of opentelemetry/proto/{collector/logs,logs,resource,common}/v1 that we read; the rest is skipped. */
const REQUEST = schema().lookupType('Request');

function schema(): protobuf.Root {
  protobuf.Reader.recursionLimit = ENVELOPE_LEVELS + LEVELS_PER_VALUE * MAX_DEPTH;
  const many = (type: string, id: number): protobuf.IField => ({ rule: 'repeated', type, id });
  const root = protobuf.Root.fromJSON({
    nested: {
      Request: { fields: { resourceLogs: many('ResourceLogs', 1) } },
      ResourceLogs: { fields: { resource: { type: 'Resource', id: 1 }, scopeLogs: many('ScopeLogs', 2) } },
      Resource: { fields: { attributes: many('KeyValue', 1) } },
      ScopeLogs: { fields: { logRecords: many('LogRecord', 2) } },
      LogRecord: {
        fields: {
          timeUnixNano: { type: 'fixed64', id: 1 },
          body: { type: 'AnyValue', id: 5 },
          observedTimeUnixNano: { type: 'fixed64', id: 11 },
        },
      },
      AnyValue: {
        oneofs: { value: { oneof: Object.keys(ANY_VALUE) } },
        fields: ANY_VALUE,
      },
      ArrayValue: { fields: { values: many('AnyValue', 1) } },
      KeyValueList: { fields: { values: many('KeyValue', 1) } },
      KeyValue: { fields: { key: { type: 'string', id: 1 }, value: { type: 'AnyValue', id: 2 } } },
    },
  });
  for (const type of root.nestedArray) if (type instanceof protobuf.Type) countMessages(type);
  return root;
}

/** Makes the decoder of a type stop when the request's budget is spent: small bytes may not become huge memory. */
function countMessages(type: protobuf.Type): void {
  type.ctor = class extends protobuf.Message {
    constructor() {
      super();
      if (--messagesLeft < 0) throw new DecodeError(`more than ${MAX_MESSAGES} values`);
    }
  };
}
