import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';

/** A compressed message as bytes, or why there are none. */
export type Inflated = Buffer | 'too_large' | 'broken';

const DECODERS = { gzip: promisify(gunzip), deflate: promisify(inflate) } as const;

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

/** Decompresses off this thread, two messages at a time, up to `maxBytes` each. */
export async function decompress(bytes: Buffer, encoding: Encoding, maxBytes: number): Promise<Inflated> {
  if (encoding === 'identity') return bytes;
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

/** What a gzip trailer says of the size before compression: a hint that saves useless work, not a proof. */
export function sizeHint(bytes: Buffer, encoding: Encoding): number {
  return encoding === 'gzip' && bytes.length > 18 ? bytes.readUInt32LE(bytes.length - 4) : bytes.length;
}
