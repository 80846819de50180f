import protobuf from 'protobufjs/light.js';
import type { Instant } from '../lib/clock.ts';
import { errorText, UserError } from '../lib/errors.ts';
import { DecodeError } from '../otlp/decode/decode.ts';
import { type Recorded, readRecording } from '../otlp/recording.ts';

const MINUTE = 60_000;
const MAX_DEPTH = 310;

/** What is inside a message, by field number; all else is left as it is. */
type Shape = Map<number, Shape | 'nanoseconds' | 'text'>;

const VALUE: Shape = new Map();
VALUE.set(1, 'text')
  .set(5, new Map([[1, VALUE]]))
  .set(6, new Map([[1, new Map([[2, VALUE]])]]));
const RECORD: Shape = new Map<number, Shape | 'nanoseconds'>([
  [1, 'nanoseconds'],
  [11, 'nanoseconds'],
  [5, VALUE],
]);
const REQUEST: Shape = new Map([[1, new Map([[2, new Map([[2, RECORD]])]])]]);

/**
 * The same ExportLogsServiceRequest with every time moved by `deltaMs` (whole seconds): the times of the records and
 * each text in their bodies that is an RFC 3339 timestamp, which keeps its fraction and zone. A moved time is as long as
 * before, so it is written in place and every other byte stays. Throws a `DecodeError` on bytes that are not a request.
 */
export function shiftRequest(request: Uint8Array, deltaMs: number): Uint8Array {
  const reader = new protobuf.Reader(Uint8Array.from(request));
  try {
    shiftMessage(reader, reader.len, REQUEST, deltaMs, 0);
  } catch (error) {
    throw new DecodeError(`no OTLP logs export: ${errorText(error)}`);
  }
  return reader.buf;
}

/** Milliseconds, in whole minutes, that let a recording end less than a minute before `now`. */
export function shiftFor(lastArrival: Instant, now: Instant): number {
  return Math.floor((now - lastArrival) / MINUTE) * MINUTE;
}

export interface Survey {
  /** When the first and the last request arrived; undefined when there is none. */
  readonly first: Instant | undefined;
  readonly last: Instant | undefined;
  /** Why there are no more. */
  readonly damage: UserError | undefined;
}

/** Reads a recording to its end, or to where it is damaged. */
export async function survey(file: string): Promise<Survey> {
  let first: Instant | undefined;
  let last: Instant | undefined;
  let damage: UserError | undefined;
  for await (const { arrival } of wholeRequests(file, (error) => (damage = error))) {
    first ??= arrival;
    last = arrival;
  }
  return { first, last, damage };
}

/** The requests of a recording; a damaged one, or none, ends early and `onDamage` hears why. */
export async function* wholeRequests(
  file: string,
  onDamage: (error: UserError) => void = () => undefined,
): AsyncGenerator<Recorded> {
  try {
    yield* readRecording(file);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    onDamage(error);
  }
}

function shiftMessage(reader: protobuf.Reader, end: number, shape: Shape, deltaMs: number, depth: number): void {
  if (depth > MAX_DEPTH) throw new RangeError('nested too deep');
  while (reader.pos < end) {
    const tag = reader.tag();
    const [field, wireType] = [tag >>> 3, tag & 7];
    const inside = shape.get(field);
    if (inside === 'nanoseconds' && wireType === 1) {
      shiftNanoseconds(reader, deltaMs);
    } else if (inside && inside !== 'nanoseconds' && wireType === 2) {
      const length = reader.size();
      const stop = reader.pos + length;
      if (stop > end) throw new RangeError('a length beyond its message');
      if (inside === 'text') shiftText(reader.buf.subarray(reader.pos, stop), deltaMs);
      else shiftMessage(reader, stop, inside, deltaMs, depth + 1);
      reader.pos = stop;
    } else reader.skipType(wireType, depth, field);
  }
  if (reader.pos !== end) throw new RangeError('a field beyond its message');
}

function shiftNanoseconds(reader: protobuf.Reader, deltaMs: number): void {
  const start = reader.pos;
  reader.skip(8);
  const view = new DataView(reader.buf.buffer, reader.buf.byteOffset + start, 8);
  const time = view.getBigUint64(0, true);
  if (time !== 0n) view.setBigUint64(0, time + BigInt(deltaMs) * 1_000_000n, true);
}

const LONGEST = '2026-11-21T15:23:00.123456789+01:00'.length;
const SECONDS = '2026-11-21T15:23:00'.length;
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/u;

function shiftText(bytes: Uint8Array, deltaMs: number): void {
  if (bytes.length <= SECONDS || bytes.length > LONGEST) return;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  if (!TIMESTAMP.test(text)) return;
  const local = Date.parse(`${text.slice(0, SECONDS)}Z`) + deltaMs;
  const shifted = Number.isNaN(local) ? '' : new Date(local).toISOString();
  if (shifted.length === '2026-11-21T15:23:00.000Z'.length) Buffer.from(shifted.slice(0, SECONDS)).copy(bytes);
}
