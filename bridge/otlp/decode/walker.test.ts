import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeLogs, readRequests } from '../../../test/otlp-client.ts';
import { body, oddities, OddWriter } from '../../../test/otlp/any-logs.ts';
import { decodeGeneric } from '../../../test/otlp/decode-generic.ts';
import { field, requestOf } from '../../../test/otlp/wire.ts';
import { KINDS, readerOf } from '../../kubernetes/kinds.ts';
import type { Kind } from '../../kubernetes/observation.ts';
import { DecodeError, decodeLogs, type DecodedLogs } from './decode.ts';
import { levelsOf } from './levels.ts';
import { readRecord } from './records.ts';

/** Enough to find every rule of merging broken. */
const RUNS = 600;
const RECORDING = 'test/fixtures/recordings/node.bin.gz';

const ALL = Object.keys(KINDS) as Kind[];
const readAny = readerOf(ALL);
/** As the bridge decodes when it follows every kind that it can read. */
const LEVELS = levelsOf(ALL);
const decodeAll = (request: Uint8Array): DecodedLogs => decodeLogs(request, LEVELS);

interface Seen {
  readonly observedAt: number | undefined;
  readonly facts?: unknown;
}

/** All that the ingest sees of decoded records: facts and kind of an object, the whole of what is none. */
function seen(records: DecodedLogs): readonly Seen[] {
  return records.map(({ body, ...rest }) => {
    const record = readRecord(body);
    if (record === undefined) return { ...rest, text: JSON.stringify(body), body };
    const { apiVersion, kind } = record.object;
    return { ...rest, deleted: record.deleted, apiVersion, kind, facts: readAny(record.object) };
  });
}

function attempt(decode: (request: Uint8Array) => DecodedLogs, request: Uint8Array): readonly Seen[] | string {
  try {
    return seen(decode(request));
  } catch (error) {
    if (error instanceof DecodeError) return error.message;
    throw error;
  }
}

/** Bytes as the worker thread gets them. */
async function recordedRequests(): Promise<Uint8Array[]> {
  return (await readRequests(RECORDING)).map((request) => new Uint8Array(request));
}

describe('what the ingest sees is the same as with a decoder of everything', () => {
  test('on every request of the real recording', async () => {
    for (const request of await recordedRequests()) {
      expect(seen(decodeAll(request))).toEqual(seen(decodeGeneric(request)));
    }
  });

  test('on any bodies, written in any way that protobuf allows', () => {
    const requests = fc
      .tuple(fc.array(body, { maxLength: 3 }), fc.oneof(fc.constant(0), fc.nat()))
      .map(([bodies, seed]) => new OddWriter(oddities(seed)).request(bodies));
    let followed = 0;
    const isSeenTheSame = fc.property(requests, (request) => {
      const all = seen(decodeGeneric(request));
      expect(seen(decodeAll(request))).toEqual(all);
      followed += all.filter((record) => record.facts !== undefined).length;
    });
    fc.assert(isSeenTheSame, { numRuns: RUNS });
    expect(followed).toBeGreaterThan(RUNS / 4);
  });

  test('on damaged requests, if that decoder takes them', async () => {
    const edit = fc.record({ at: fc.nat(), bytes: fc.uint8Array({ minLength: 1, maxLength: 2 }) });
    const damaged = fc
      .tuple(fc.constantFrom(...(await recordedRequests())), fc.array(edit, { minLength: 1, maxLength: 2 }))
      .map(([request, edits]) => {
        const damaged = Uint8Array.from(request);
        for (const { at, bytes } of edits) damaged.set(bytes, at % (damaged.length - 1));
        return damaged;
      });
    let taken = 0;
    const isSeenTheSame = fc.property(damaged, (request) => {
      const [walked, all] = [attempt(decodeAll, request), attempt(decodeGeneric, request)];
      // protobufjs lets a varint that nobody reads go on for ever.
      if (typeof all === 'string' || walked === 'a varint longer than 10 bytes') return;
      taken++;
      expect(walked).toEqual(all);
    });
    fc.assert(isSeenTheSame, { numRuns: 600 });
    expect(taken).toBeGreaterThan(20);
  });
});

describe('of an object is made', () => {
  const metadata = { uid: 'u', name: 'n', resourceVersion: '1' };
  const object = { kind: 'Job', apiVersion: 'batch/v1', metadata, spec: { selector: { secret: 1 }, suspend: true } };

  test('only what its kind wants', async () => {
    const [record] = decodeLogs(encode({ type: 'ADDED', object }));
    expect(record?.body).toEqual({ type: 'ADDED', object: { ...object, spec: { suspend: true } } });
  });

  test('only what it is, if its kind is not followed, wherever its kind stands', () => {
    const { kind, ...rest } = { ...object, kind: 'Event' };
    const expected = { kind, apiVersion: 'batch/v1', metadata };
    expect(decodeLogs(encode({ ...rest, kind }))[0]?.body).toEqual(expected);
    expect(decodeLogs(encode({ object: { ...rest, kind }, type: 'DELETED' }))[0]?.body).toEqual({
      type: 'DELETED',
      object: expected,
    });
  });

  test('everything, if it is not a Kubernetes object', () => {
    const odd = { type: 'ERROR', object: { kind: 'Status', apiVersion: 'v1', metadata: {}, code: 410 } };
    expect(decodeLogs(encode(odd))[0]?.body).toEqual(odd);
  });
});

describe('bounds', () => {
  const varint = (bytes: number): Buffer => Buffer.concat([Buffer.alloc(bytes - 1, 0x80), Buffer.from([1])]);

  test.each([
    ['a skipped varint of 11 bytes', Buffer.concat([Buffer.from([15 << 3]), varint(11)])],
    ['a tag of 6 bytes', Buffer.concat([varint(6), Buffer.from([0])])],
    ['a length of 6 bytes', Buffer.concat([Buffer.from([0x0a]), varint(6), Buffer.from([0])])],
    ['a length of more than 32 bits', Buffer.from([0x0a, 0x80, 0x80, 0x80, 0x80, 0x10])],
    ['field number 0', Buffer.from([2, 0])],
    ['the end of a group that did not start', Buffer.from([(15 << 3) | 4])],
    ['the end of another group', Buffer.from([(15 << 3) | 3, (14 << 3) | 4])],
    ['wire type 6', Buffer.from([(15 << 3) | 6])],
    ['a fixed64 of 7 bytes', Buffer.concat([Buffer.from([(15 << 3) | 1]), Buffer.alloc(7)])],
  ])('%s is refused', (_name, bytes) => {
    expect(() => decodeLogs(bytes)).toThrow(DecodeError);
  });

  test('a skipped varint of 10 bytes passes', () => {
    expect(decodeLogs(Buffer.concat([Buffer.from([15 << 3]), varint(10)]))).toEqual([]);
  });

  test('a value in a million parts takes time by its length only: by its square it would not end in time', () => {
    const part = Buffer.from([0x2a, 0]);
    const record = Buffer.concat(Array.from({ length: 1_000_000 }, () => part));
    expect(decodeLogs(requestOf(field(2, record)))).toHaveLength(1);
  });
});

function encode(body: unknown): Uint8Array {
  return encodeLogs([{ body }]);
}
