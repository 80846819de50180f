import { gunzipSync, gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gunzipWhole } from './reused-gunzip.ts';

const TEXT = Buffer.from('a record of a Collector, a record of a Collector');
const WHOLE = gzipSync(TEXT);

/** `bytes` with one of them changed. */
function changed(bytes: Buffer, at: number, by = 1): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = copy[at]! ^ by;
  return copy;
}

describe('a gzip message', () => {
  it('is inflated in this Node, again and again', () => {
    for (const size of [0, 1, 7_000, 65_000]) {
      const message = Buffer.alloc(size, 'abc');
      expect(gunzipWhole(gzipSync(message), size)?.equals(message)).toBe(true);
    }
  });

  it.each([
    ['is cut', WHOLE.subarray(0, -3), TEXT.length],
    ['has another checksum', changed(WHOLE, WHOLE.length - 6), TEXT.length],
    ['is not gzip', Buffer.from('not compressed at all'), 5],
    ['is longer than it says', WHOLE, TEXT.length - 1],
    ['is shorter than it says', WHOLE, TEXT.length + 1],
    ['has something behind its end', Buffer.concat([WHOLE, Buffer.from('more')]), TEXT.length],
    ['has zeros behind its end', Buffer.concat([WHOLE, Buffer.alloc(8)]), TEXT.length],
    ['has no bytes', Buffer.alloc(0), 0],
  ])('that %s is left to gunzipSync, and the next one is inflated', (_name, bytes, size) => {
    expect(gunzipWhole(bytes, size)).toBeUndefined();
    expect(gunzipWhole(WHOLE, TEXT.length)?.equals(TEXT)).toBe(true);
  });

  it('gives what gunzipSync gives, or nothing, whatever it holds', () => {
    const some = fc.tuple(fc.uint8Array({ maxLength: 3_000 }), fc.nat(), fc.nat({ max: 255 }));
    fc.assert(
      fc.property(some, ([message, at, by]) => {
        const zipped = gzipSync(message);
        const bytes = changed(zipped, at % zipped.length, by);
        const found = gunzipWhole(bytes, message.length);
        expect(found === undefined ? by !== 0 : found.equals(gunzipSync(bytes))).toBe(true);
      }),
    );
  });
});
