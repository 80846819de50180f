import { DecodeError } from './decode-error.ts';

const MAX_VARINT_BYTES = 10;
const MAX_GROUP_DEPTH = 100;
/** Texts up to this are looked up in a table instead of made again: keys, timestamps, reasons. */
const SHARED_BYTES = 40;
const SHARED_SLOTS = 4096;
const MICROSECONDS = 1_000_000;

/** Buffer's native slices, which its types leave out. */
interface FastBuffer extends Buffer {
  utf8Slice(start: number, end: number): string;
}

/** A cursor in protobuf wire format. Every read is bounded by `end` and throws a DecodeError beyond it. */
export class Wire {
  readonly bytes: Buffer;
  pos = 0;
  readonly #fast: FastBuffer;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#fast = this.bytes as FastBuffer;
  }

  /** The next field's number and type, as number << 3 | type. */
  tag(end: number): number {
    const first = this.pos < end ? this.bytes[this.pos]! : 0;
    if (first < 8 || first > 127) return this.#longTag(end);
    this.pos++;
    return first;
  }

  /** Reads a length; returns where that many bytes end. */
  stop(end: number): number {
    const first = this.pos < end ? this.bytes[this.pos]! : 128;
    const length = first < 128 ? (this.pos++, first) : this.#uint32(end);
    const stop = this.pos + length;
    if (stop > end) throw new DecodeError('a length beyond the end of its message');
    return stop;
  }

  /** Goes behind the value of a field that nobody reads. */
  skip(tag: number, end: number): void {
    const type = tag & 7;
    if (type === 2) this.pos = this.stop(end);
    else if (type === 0) this.#skipVarint(end);
    else if (type === 1) this.#advance(8, end);
    else if (type === 5) this.#advance(4, end);
    else if (type === 3) this.#skipGroup(tag >>> 3, end);
    else throw new DecodeError(`wire type ${type}`);
  }

  /** A signed 64-bit integer: a number where exact, decimal text beyond. */
  integer(end: number): number | string {
    let [low, high] = [0, 0];
    for (let index = 0; index < MAX_VARINT_BYTES; index++) {
      const byte = this.#byte(end);
      if (index < 4) low |= (byte & 127) << (index * 7);
      else if (index === 4) [low, high] = [low | ((byte & 127) << 28), (byte & 127) >> 4];
      else high |= (byte & 127) << (index * 7 - 32);
      if (byte > 127) continue;
      const number = (high | 0) * 2 ** 32 + (low >>> 0);
      if (Number.isSafeInteger(number)) return number;
      return String((BigInt(high | 0) << 32n) | BigInt(low >>> 0));
    }
    throw new DecodeError('a varint longer than 10 bytes');
  }

  boolean(end: number): boolean {
    let set = false;
    for (let index = 0; index < MAX_VARINT_BYTES; index++) {
      const byte = this.#byte(end);
      set ||= (byte & 127) !== 0;
      if (byte < 128) return set;
    }
    throw new DecodeError('a varint longer than 10 bytes');
  }

  double(end: number): number {
    this.#advance(8, end);
    return this.bytes.readDoubleLE(this.pos - 8);
  }

  /** A fixed64 of nanoseconds as whole ms; undefined for 0. */
  milliseconds(end: number): number | undefined {
    this.#advance(8, end);
    const high = this.bytes.readUInt32LE(this.pos - 4);
    // 2^32 ns are 4294 ms and 967,296 ns: exact below 2^53, which nanoseconds as one number are not.
    const rest = high * 967_296 + this.bytes.readUInt32LE(this.pos - 8);
    return high * 4294 + Math.floor(rest / MICROSECONDS) || undefined;
  }

  /**
   * The bytes as UTF-8 text, U+FFFD for what is none: one bad text may not lose a whole request. Short texts that came
   * before are the same string.
   */
  text(start: number, stop: number): string {
    return stop - start > SHARED_BYTES ? this.#fast.utf8Slice(start, stop) : this.#sharedText(start, stop);
  }

  #sharedText(start: number, stop: number): string {
    const { bytes } = this;
    let hash = stop - start;
    for (let at = start; at < stop; at++) hash = (Math.imul(hash, 31) + bytes[at]!) | 0;
    const slot = (hash ^ (hash >>> 15)) & (SHARED_SLOTS - 1);
    const known = SHARED[slot];
    if (known !== undefined && isSame(known.bytes, bytes, start, stop)) return known.text;
    const text = this.#fast.utf8Slice(start, stop);
    SHARED[slot] = { bytes: new Uint8Array(bytes.subarray(start, stop)), text };
    return text;
  }

  #byte(end: number): number {
    if (this.pos >= end) throw new DecodeError('a value beyond the end of its message');
    return this.bytes[this.pos++]!;
  }

  #advance(count: number, end: number): void {
    if (this.pos + count > end) throw new DecodeError('a value beyond the end of its message');
    this.pos += count;
  }

  #longTag(end: number): number {
    const tag = this.#uint32(end);
    if (tag < 8) throw new DecodeError('field number 0');
    return tag;
  }

  /** A varint of at most 5 bytes and 32 bits. */
  #uint32(end: number): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte(end);
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
    const last = this.#byte(end);
    if (last > 15) throw new DecodeError('a tag or length of more than 32 bits');
    return (value | (last << 28)) >>> 0;
  }

  #skipVarint(end: number): void {
    for (let index = 0; index < MAX_VARINT_BYTES; index++) if (this.#byte(end) < 128) return;
    throw new DecodeError('a varint longer than 10 bytes');
  }

  /** Groups are older than OTLP; a skipped field may still be one. */
  #skipGroup(number: number, end: number): void {
    const open = [number];
    while (open.length > 0) {
      const tag = this.tag(end);
      const type = tag & 7;
      if (type === 4 && open.pop() !== tag >>> 3) throw new DecodeError('the end of another group');
      else if (type === 3) open.push(tag >>> 3);
      else if (type !== 4) this.skip(tag, end);
      if (open.length > MAX_GROUP_DEPTH) throw new DecodeError(`groups nested deeper than ${MAX_GROUP_DEPTH}`);
    }
  }
}

/** Bounded: a slot keeps what came last. */
const SHARED: ({ readonly bytes: Uint8Array; readonly text: string } | undefined)[] = Array.from({
  length: SHARED_SLOTS,
});

/** Whether the bytes from `start` to `stop` are these. */
export function isSame(known: Uint8Array, bytes: Uint8Array, start: number, stop: number): boolean {
  const { length } = known;
  if (length !== stop - start) return false;
  for (let index = 0; index < length; index++) if (known[index] !== bytes[start + index]) return false;
  return true;
}
