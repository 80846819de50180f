import { promisify } from 'node:util';
import { brotliDecompress, constants, gunzip, inflate, zstdDecompress } from 'node:zlib';
import type { InputType, ZlibOptions } from 'node:zlib';

/** A body as it came, and whether that is all of it. */
export interface RawBody {
  readonly bytes: Uint8Array;
  readonly complete: boolean;
}

type Decode = (bytes: InputType, options: { maxOutputLength: number }) => Promise<Uint8Array>;

/** Of a body whose end is missing what came is read, as without an encoding. */
const CUT: ZlibOptions = { finishFlush: constants.Z_SYNC_FLUSH };
const unzip: Decode = (bytes, options) => promisify(gunzip)(bytes, { ...CUT, ...options });
const DECODERS = new Map<string, Decode>([
  ['gzip', unzip],
  ['x-gzip', unzip],
  ['deflate', (bytes, options) => promisify(inflate)(bytes, { ...CUT, ...options })],
  ['br', promisify(brotliDecompress)],
  ['zstd', promisify(zstdDecompress)],
]);
/** Each costs another pass; nobody needs more than one. */
const MAX_ENCODINGS = 3;

/**
 * The text of a body with a content-encoding. We ask for none, but a proxy on the way may have its own mind. What cannot
 * be decoded, or is longer than `maxBytes` then, is a text that says so: nobody takes it for the vendor's.
 */
export async function decodeBody(
  { bytes, complete }: RawBody,
  encoding: string | undefined,
  maxBytes: number,
): Promise<{ readonly text: string; readonly complete: boolean }> {
  const encodings = (encoding ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim());
  const applied = encodings.filter((name) => name !== '' && name !== 'identity').toReversed();
  try {
    if (applied.length > MAX_ENCODINGS) throw new Error('too many');
    let decoded = bytes;
    for (const name of bytes.length === 0 ? [] : applied) {
      const decode = DECODERS.get(name);
      if (decode === undefined) throw new Error('unknown');
      decoded = await decode(decoded, { maxOutputLength: maxBytes });
    }
    return { text: new TextDecoder('utf-8', { ignoreBOM: true }).decode(decoded), complete };
  } catch {
    const shown = applied
      .join(', ')
      .replaceAll(/[^ -~]/g, '')
      .slice(0, 50);
    return {
      text: `(a body with content-encoding ${shown} that cannot be decoded within ${maxBytes} bytes)`,
      complete: false,
    };
  }
}
