import { promisify } from 'node:util';
import { gunzip, gunzipSync, inflate, inflateSync } from 'node:zlib';

/** A compressed message as bytes, or why there are none. */
export type Inflated = Buffer | 'too_large' | 'broken';

const DECODERS = { gzip: promisify(gunzip), deflate: promisify(inflate) } as const;
const SYNC_DECODERS = { gzip: gunzipSync, deflate: inflateSync } as const;

export type Encoding = keyof typeof DECODERS | 'identity';
export const ACCEPTED_ENCODINGS = 'identity,gzip,deflate';

export function isEncoding(name: string): name is Encoding {
  return name === 'identity' || Object.hasOwn(DECODERS, name);
}

/** As many as run at once: each may hold `maxBytes` that nobody has counted yet. */
const PARALLEL = 2;
let running = 0;
const queue: (() => void)[] = [];

/** Chunks of zlib's own size would be garbage after each message; the smallest that zlib takes is 64 bytes. */
const chunkSize = (size: number, maxBytes: number): number => Math.min(Math.max(size, 1024), maxBytes) + 1;

/** One record of a Collector is about 7 KiB: to hand that to another thread costs twice as much as to do it here. */
const SMALL_BYTES = 64 * 1024;

/** Decompresses up to `maxBytes`: what is small at once, the rest off this thread, two messages at a time. */
export function decompress(
  bytes: Buffer,
  encoding: Exclude<Encoding, 'identity'>,
  maxBytes: number,
): Inflated | Promise<Inflated> {
  return decompressSmall(bytes, encoding, maxBytes) ?? decompressLarge(bytes, encoding, maxBytes);
}

async function decompressLarge(
  bytes: Buffer,
  encoding: Exclude<Encoding, 'identity'>,
  maxBytes: number,
): Promise<Inflated> {
  if (running >= PARALLEL) await new Promise<void>((resolve) => queue.push(resolve));
  else running += 1;
  try {
    const options = { maxOutputLength: maxBytes, chunkSize: chunkSize(sizeHint(bytes, encoding), maxBytes) };
    return await DECODERS[encoding](bytes, options);
  } catch (error) {
    return error instanceof RangeError ? 'too_large' : 'broken';
  } finally {
    const next = queue.shift();
    if (next) next();
    else running -= 1;
  }
}

/** Undefined when it is not small; what a trailer says of that is checked by the bound. */
function decompressSmall(
  bytes: Buffer,
  encoding: Exclude<Encoding, 'identity'>,
  maxBytes: number,
): Inflated | undefined {
  const bound = Math.min(SMALL_BYTES, maxBytes);
  const size = sizeHint(bytes, encoding);
  if (bytes.length > bound || size > bound) return undefined;
  try {
    return SYNC_DECODERS[encoding](bytes, { maxOutputLength: bound, chunkSize: chunkSize(size, bound) });
  } catch (error) {
    return error instanceof RangeError ? undefined : 'broken';
  }
}

/** What a gzip trailer says of the size before compression: a hint that saves useless work, not a proof. */
export function sizeHint(bytes: Buffer, encoding: Encoding): number {
  return encoding === 'gzip' && bytes.length > 18 ? bytes.readUInt32LE(bytes.length - 4) : bytes.length;
}
