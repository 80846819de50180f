import { readRecording } from '../bridge/otlp/recording.ts';
import { BackwardWriter } from './otlp/backward-writer.ts';

export { connectOtlp, type ExportReply, type OtlpClient } from '../bridge/lib/otlp-client.ts';

/** One record as a test wants it; `body` becomes an AnyValue. */
export interface TestRecord {
  readonly body: unknown;
  /** Ms since the epoch, or nanoseconds as text. */
  readonly observedAt?: number | string;
  readonly time?: number | string;
  readonly attributes?: Record<string, unknown>;
}

/**
 * An ExportLogsServiceRequest as the Collector's k8sobjects receiver sends it. By hand, since the simulation and the benches
 * do little else: a generic encoder first makes an object of each value.
 */
export function encodeLogs(
  records: readonly TestRecord[],
  { clusterName }: { readonly clusterName?: string } = {},
): Buffer {
  const writer = new BackwardWriter();
  for (const record of records.toReversed()) writeRecord(writer, record);
  const scope = writer.length;
  writer.text(2, '0.111.0');
  writer.text(1, 'k8sobjectsreceiver');
  writer.end(1, scope);
  writer.end(2, 0);
  const resource = writer.length;
  if (clusterName !== undefined) writeEntries(writer, 1, { 'k8s.cluster.name': clusterName });
  writer.end(1, resource);
  writer.end(1, 0);
  return writer.bytes;
}

function writeRecord(writer: BackwardWriter, { body, observedAt, time, attributes = {} }: TestRecord): void {
  const from = writer.length;
  if (observedAt !== undefined) writer.fixed64(11, nanoseconds(observedAt));
  writeEntries(writer, 6, attributes);
  writeValue(writer, 5, body);
  if (time !== undefined) writer.fixed64(1, nanoseconds(time));
  writer.end(2, from);
}

/** A KeyValue for each. */
function writeEntries(writer: BackwardWriter, id: number, object: object): void {
  const entries = object as Readonly<Record<string, unknown>>;
  const keys = Object.keys(entries);
  for (let n = keys.length - 1; n >= 0; n--) {
    const from = writer.length;
    writeValue(writer, 2, entries[keys[n]!]);
    writer.text(1, keys[n]!);
    writer.end(id, from);
  }
}

/** An AnyValue. */
function writeValue(writer: BackwardWriter, id: number, value: unknown): void {
  const from = writer.length;
  if (typeof value === 'string') writer.text(1, value);
  else if (typeof value === 'boolean') writer.int(2, value ? 1 : 0);
  else if (typeof value === 'bigint' || Number.isInteger(value)) writer.int(3, value as number | bigint);
  else if (typeof value === 'number') writer.double(4, value);
  else if (value instanceof Uint8Array) {
    writer.write(value);
    writer.end(7, from);
  } else if (Array.isArray(value)) {
    for (const one of value.toReversed()) writeValue(writer, 1, one);
    writer.end(5, from);
  } else if (value !== null && value !== undefined) {
    writeEntries(writer, 1, value);
    writer.end(6, from);
  }
  writer.end(id, from);
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

function nanoseconds(time: number | string): bigint {
  return typeof time === 'number' ? BigInt(time) * 1_000_000n : BigInt(time);
}
