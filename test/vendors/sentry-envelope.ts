import { gunzipSync } from 'node:zlib';

/** One item of an envelope as its bytes say. */
export interface EnvelopeItem {
  readonly header: Readonly<Record<string, unknown>> & { readonly type: string };
  readonly bytes: Buffer;
}

export interface Envelope {
  readonly header: Readonly<Record<string, unknown>>;
  readonly items: readonly EnvelopeItem[];
}

const MAX_COMPRESSED = 40 * 1024 * 1024;
const MAX_DECOMPRESSED = 200 * 1024 * 1024;
const NEWLINE = 0x0a;

/** Something that Relay answers with an error. */
export class EnvelopeError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The body of a request as Relay reads it: bounded, decompressed, line by line, items by their lengths. */
export function readEnvelope(body: Buffer, encoding: string | undefined): Envelope {
  if (body.length > MAX_COMPRESSED) throw new EnvelopeError(413, 'payload reached size limit');
  const bytes = decompressed(body, encoding);
  const [header, start] = readJson(bytes, 0, 'envelope header');
  const items: EnvelopeItem[] = [];
  let at = start;
  while (at < bytes.length) {
    const [itemHeader, payloadAt] = readJson(bytes, at, 'item header');
    const { type, length } = itemHeader;
    if (typeof type !== 'string') throw new EnvelopeError(400, 'invalid item header: missing field type');
    const end = length === undefined ? lineEnd(bytes, payloadAt) : payloadAt + lengthOf(length);
    if (end > bytes.length) throw new EnvelopeError(400, 'unexpected end of file');
    if (end < bytes.length && bytes[end] !== NEWLINE) throw new EnvelopeError(400, 'missing newline after payload');
    items.push({ header: { ...itemHeader, type }, bytes: bytes.subarray(payloadAt, end) });
    at = end + 1;
  }
  return { header, items };
}

function decompressed(body: Buffer, encoding: string | undefined): Buffer {
  if (encoding === undefined || encoding === 'identity') return body;
  if (encoding !== 'gzip') throw new EnvelopeError(415, `no such encoding: ${encoding}`);
  try {
    return gunzipSync(body, { maxOutputLength: MAX_DECOMPRESSED });
  } catch (error) {
    throw new EnvelopeError((error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE' ? 413 : 400, String(error));
  }
}

function readJson(bytes: Buffer, at: number, what: string): [Record<string, unknown>, number] {
  const end = lineEnd(bytes, at);
  const value = parseJson(bytes.subarray(at, end), what);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new EnvelopeError(400, `invalid ${what}`);
  return [value as Record<string, unknown>, end + 1];
}

/** JSON as Rust's serde has it: strict UTF-8, and no half of a surrogate pair. */
export function parseJson(bytes: Buffer, what: string): unknown {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return JSON.parse(text, (key, value: unknown) => {
      if ([key, value].some((one) => typeof one === 'string' && !one.isWellFormed()))
        throw new Error('lone leading surrogate in hex escape');
      return value;
    }) as unknown;
  } catch (error) {
    throw new EnvelopeError(400, `invalid ${what}: ${String(error)}`);
  }
}

function lineEnd(bytes: Buffer, at: number): number {
  const found = bytes.indexOf(NEWLINE, at);
  return found < 0 ? bytes.length : found;
}

function lengthOf(length: unknown): number {
  if (typeof length === 'number' && Number.isInteger(length) && length >= 0) return length;
  throw new EnvelopeError(400, 'invalid item header: length');
}
