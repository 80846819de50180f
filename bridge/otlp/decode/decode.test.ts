import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeLogs, readRequests } from '../../../test/otlp-client.ts';
import { field, inArray, inKvlist, nested, requestOf, requestWithBody } from '../../../test/otlp/wire.ts';
import { DecodeError, decodeLogs } from './decode.ts';
import { readRecord } from './records.ts';

const RECORDING = 'test/fixtures/recordings/node.bin.gz';
const body = (value: unknown): unknown => decodeLogs(encodeLogs([{ body: value }]))[0]?.body;

describe('decoding an export', () => {
  test('every request of the real recording decodes, and every record is an object of a known kind', async () => {
    const requests = await readRequests(RECORDING);
    const records = requests.flatMap((request) => decodeLogs(request));
    const kinds: Record<string, number> = {};
    let pulled = 0;
    for (const record of records) {
      const read = readRecord(record.body);
      const kind = String(read?.object['kind']);
      kinds[kind] = (kinds[kind] ?? 0) + 1;
      if (read?.object === record.body) pulled++;
    }
    expect(requests).toHaveLength(858);
    expect(records).toHaveLength(860);
    expect(kinds).toEqual({
      CronJob: 26,
      Job: 125,
      Pod: 326,
      Event: 286,
      Deployment: 34,
      StatefulSet: 16,
      ReplicaSet: 45,
      ControllerRevision: 2,
    });
    expect(pulled).toBe(4);
    expect(records.every(({ observedAt = 0 }) => observedAt > Date.parse('2026-01-01'))).toBe(true);
  });

  test('a body becomes plain values', () => {
    const value = {
      text: 'ü',
      empty: '',
      yes: true,
      no: false,
      zero: 0,
      negative: -7,
      half: 0.5,
      bytes: new Uint8Array([0, 255]),
      list: [1, 'a', [], null],
      map: { inner: {} },
      nothing: null,
    };
    expect(body(value)).toEqual(value);
    expect(body('text')).toBe('text');
    expect(decodeLogs(requestOf(field(2, Buffer.alloc(0))))[0]?.body).toBeUndefined();
  });

  test('integers are numbers where exact and decimal text beyond', () => {
    expect(body([9007199254740991n, 9007199254740993n, -9223372036854775808n])).toEqual([
      Number.MAX_SAFE_INTEGER,
      '9007199254740993',
      '-9223372036854775808',
    ]);
  });

  test('no key is special, and of equal keys the last wins', () => {
    const object = body(JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1}')) as Record<string, unknown>;
    expect(Object.keys(object)).toEqual(['__proto__', 'constructor']);
    expect(object['__proto__']).toEqual({ polluted: true });
    expect(object['toString']).toBeUndefined();
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    const entry = (value: string): Buffer =>
      field(1, Buffer.concat([field(1, Buffer.from('k')), field(2, field(1, Buffer.from(value)))]));
    const twice = requestWithBody(field(6, Buffer.concat([entry('first'), entry('last')])));
    expect(decodeLogs(twice)[0]?.body).toEqual({ k: 'last' });
  });

  test('a record has its observed time to the millisecond, else its time, else none', () => {
    const [observed, timed, none] = decodeLogs(
      encodeLogs([
        { body: 1, observedAt: '1795273380123999999', time: 5 },
        { body: 2, time: 1_795_273_380_001 },
        { body: 3 },
      ]),
    );
    expect(observed?.observedAt).toBe(1_795_273_380_123);
    expect(timed?.observedAt).toBe(1_795_273_380_001);
    expect(none?.observedAt).toBeUndefined();
  });

  test('the cluster name comes from the resource', () => {
    expect(decodeLogs(encodeLogs([{ body: 1 }], { clusterName: 'prod' }))[0]?.clusterName).toBe('prod');
    expect(decodeLogs(encodeLogs([{ body: 1 }]))[0]?.clusterName).toBeUndefined();
  });

  test('without bytes there are no records', () => {
    expect(decodeLogs(new Uint8Array())).toEqual([]);
  });
});

describe('bounds of an export', () => {
  test.each([
    ['arrays', inArray],
    ['objects', inKvlist],
  ])('%s may be 100 levels deep and no deeper', (_name, wrap) => {
    expect(decodeLogs(requestWithBody(nested(100, wrap)))).toHaveLength(1);
    expect(() => decodeLogs(requestWithBody(nested(101, wrap)))).toThrow(DecodeError);
  });

  test.each([
    ['arrays', requestWithBody(nested(5000, inArray))],
    ['objects', requestWithBody(nested(5000, inKvlist))],
    ['unknown groups', Buffer.alloc(1_000_000, (15 << 3) | 3)],
  ])('a stack bomb of %s is refused', (_name, bytes) => {
    expect(() => decodeLogs(bytes)).toThrow(DecodeError);
  });

  test('a request holds 100,000 records and no more', () => {
    const record = field(2, Buffer.alloc(0));
    const many = Buffer.alloc(record.length * 100_000, record);
    expect(decodeLogs(requestOf(many))).toHaveLength(100_000);
    expect(() => decodeLogs(requestOf(Buffer.concat([many, record])))).toThrow('more than 100000 records');
  });

  test('few bytes may not become millions of values', () => {
    const empty = field(1, Buffer.alloc(0));
    const bomb = requestWithBody(field(5, Buffer.alloc(17_000_000, empty)));
    expect(() => decodeLogs(bomb)).toThrow('more than 8000000 values');
  });
});

describe('anything malformed is a DecodeError', () => {
  const decodesOrRefuses = (bytes: Uint8Array): boolean => {
    try {
      return decodeLogs(bytes).length >= 0;
    } catch (error) {
      return error instanceof DecodeError;
    }
  };

  test('random bytes', () => {
    const property = fc.property(fc.uint8Array({ maxLength: 200 }), decodesOrRefuses);
    expect(fc.check(property, { numRuns: 2000 }).counterexample).toBeNull();
  });

  test('real requests with bytes changed, cut off or inserted', async () => {
    const requests = await readRequests(RECORDING);
    const edit = fc.record({
      at: fc.nat(),
      remove: fc.nat({ max: 20 }),
      insert: fc.uint8Array({ maxLength: 12 }),
    });
    const mutated = fc
      .tuple(fc.constantFrom(...requests), fc.array(edit, { minLength: 1, maxLength: 4 }))
      .map(([request, edits]) => {
        const bytes = [...request];
        for (const { at, remove, insert } of edits) bytes.splice(at % (bytes.length + 1), remove, ...insert);
        return Uint8Array.from(bytes);
      });
    expect(fc.check(fc.property(mutated, decodesOrRefuses), { numRuns: 500 }).counterexample).toBeNull();
  });

  test.each([
    ['text', Buffer.from('hello')],
    ['a length beyond the end', Buffer.from([0x0a, 0x7f])],
    ['an endless varint', Buffer.alloc(40, 0xff)],
    ['a nested length beyond its parent', Buffer.from([0x0a, 0x02, 0x12, 0x05, 0, 0, 0, 0, 0])],
  ])('%s', (_name, bytes) => {
    expect(() => decodeLogs(bytes)).toThrow(DecodeError);
  });
});
