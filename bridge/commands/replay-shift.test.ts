import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeLogs, readRequests } from '../../test/otlp-client.ts';
import { decodeGeneric } from '../../test/otlp/decode-generic.ts';
import { DecodeError } from '../otlp/decode/decode.ts';
import { survey, shiftFor, shiftRequest } from './replay-shift.ts';

const RECORDING = 'test/fixtures/recordings/node.bin.gz';
const MINUTE = 60_000;
const shiftedBody = (body: unknown, deltaMs: number): unknown =>
  decodeGeneric(shiftRequest(encodeLogs([{ body }]), deltaMs))[0]?.body;

describe('shifting the times of a request', () => {
  test.each([
    ['2026-11-21T15:23:00Z', '2026-11-21T15:25:00Z'],
    ['2026-11-21T15:23:00+01:00', '2026-11-21T15:25:00+01:00'],
    ['2026-11-21T15:23:00-11:30', '2026-11-21T15:25:00-11:30'],
    ['2026-11-21T15:23:00.123456Z', '2026-11-21T15:25:00.123456Z'],
    ['2026-11-21T15:23:00.123456789+01:00', '2026-11-21T15:25:00.123456789+01:00'],
    ['2026-12-31T23:59:59Z', '2027-01-01T00:01:59Z'],
    ['2028-02-28T23:59:00+14:00', '2028-02-29T00:01:00+14:00'],
  ])('%s keeps its fraction and zone', (before, after) => {
    expect(shiftedBody(before, 2 * MINUTE)).toBe(after);
    expect(shiftedBody(after, -2 * MINUTE)).toBe(before);
  });

  test.each([
    'at 2026-11-21T15:23:00Z',
    '2026-11-21T15:23:00Z ',
    '2026-11-21T15:23:00',
    '2026-11-21 15:23:00Z',
    '2026-13-21T15:23:00Z',
    '2026-11-21',
    '9999-12-31T23:59:59Z',
    '2026-11-21T15:23:00.Z',
    '',
    'ü026-11-21T15:23:00Z',
  ])('%j is not a timestamp that can move', (text) => {
    expect(shiftedBody(text, 2 * MINUTE)).toBe(text);
  });

  test('timestamps move in lists and objects, annotations included, keys do not', () => {
    const at = (minute: number) => ({
      type: 'ADDED',
      object: {
        metadata: {
          annotations: { 'batch.kubernetes.io/cronjob-scheduled-timestamp': `2026-11-21T15:2${minute}:00Z` },
        },
        status: { conditions: [{ at: `2026-11-21T15:2${minute}:01Z`, message: 'x' }], '2026-11-21T15:23:00Z': 1 },
      },
    });
    expect(shiftedBody(at(3), 2 * MINUTE)).toEqual(at(5));
  });

  test('the times of a record move; one that is not set stays so', () => {
    const request = encodeLogs([{ body: 1, observedAt: 1_795_273_380_123 }]);
    expect(decodeGeneric(shiftRequest(request, -MINUTE))[0]?.observedAt).toBe(1_795_273_320_123);
    const zero = Buffer.from([0x0a, 13, 0x12, 11, 0x12, 9, 0x09, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(Buffer.from(shiftRequest(zero, MINUTE)).equals(zero)).toBe(true);
  });

  test('times outside the bodies are left alone', () => {
    const time = '2026-11-21T15:23:00Z';
    const request = encodeLogs([{ body: 1, attributes: { time } }], { clusterName: time });
    expect(Buffer.from(shiftRequest(request, MINUTE)).equals(request)).toBe(true);
  });

  test('the real recording moves as a whole, and back to the same bytes', async () => {
    const delta = 987_654 * MINUTE;
    const requests = await readRequests(RECORDING);
    const shifted = requests.map((request) => shiftRequest(request, delta));
    const before = requests.flatMap((request) => leaves(decodeGeneric(request)));
    const after = shifted.flatMap((request) => leaves(decodeGeneric(request)));
    expect(after).toEqual(before.map((value) => moved(value, delta)));
    expect(before.filter(isTime).length).toBeGreaterThan(5000);
    for (const [at, request] of shifted.entries()) {
      expect(Buffer.from(shiftRequest(request, -delta)).equals(requests[at]!)).toBe(true);
    }
  });

  test('the bytes that are given stay as they are', () => {
    const request = encodeLogs([{ body: '2026-11-21T15:23:00Z' }]);
    const copy = Buffer.from(request);
    shiftRequest(request, MINUTE);
    expect(request.equals(copy)).toBe(true);
  });

  test('anything malformed is a DecodeError', () => {
    const shifts = fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      try {
        return shiftRequest(bytes, MINUTE).length === bytes.length;
      } catch (error) {
        return error instanceof DecodeError;
      }
    });
    expect(fc.check(shifts, { numRuns: 2000 }).counterexample).toBeNull();
    expect(() => shiftRequest(Buffer.from([0x0a, 0x7f]), MINUTE)).toThrow(DecodeError);
  });
});

describe('how far a recording is shifted', () => {
  test('by whole minutes, so that it ended less than a minute ago', () => {
    const property = fc.property(fc.nat({ max: 2e12 }), fc.nat({ max: 2e12 }), (last, now) => {
      const shift = shiftFor(last, now);
      const ago = now - (last + shift);
      return shift % MINUTE === 0 && ago >= 0 && ago < MINUTE;
    });
    expect(fc.check(property).counterexample).toBeNull();
  });

  test('the last arrival of the real recording', async () => {
    const { last } = await survey(RECORDING);
    expect(new Date(last ?? 0).toISOString()).toMatch(/^2026-/u);
  });
});

function isTime(value: unknown): value is string {
  return typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/u.test(value);
}

/** The same by way of Date, for times with or without a fraction, in UTC; and for the observed times. */
function moved(value: unknown, deltaMs: number): unknown {
  if (typeof value === 'number' && value > 1e12) return value + deltaMs;
  if (!isTime(value)) return value;
  const at = new Date(Date.parse(value.slice(0, 19) + 'Z') + deltaMs);
  return at.toISOString().slice(0, 19) + value.slice(19);
}

function leaves(value: unknown): unknown[] {
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(leaves) : [value];
}
