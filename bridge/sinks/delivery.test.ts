import { describe, expect, it } from 'vitest';
import { deliveryFor, retryAfterMs } from './delivery.ts';
import type { HttpResult } from './http.ts';
import { basicUser, redactor } from './redact.ts';

const now = Date.parse('2026-01-01T00:00:00Z');
const answer = (status: number, headers = {}): HttpResult => ({
  kind: 'answer',
  status,
  headers,
  body: '',
  complete: true,
});
const delivery = (result: HttpResult) =>
  deliveryFor(result, {
    now,
    limitKey: 'limit',
    addressKey: 'address',
    refused: ({ status }) => ({ outcome: 'drop', reason: 'bad_request', detail: String(status) }),
  });

describe('the status table', () => {
  it.each([200, 201, 202, 204])('%i is delivered', (status) => {
    expect(delivery(answer(status))).toEqual({ outcome: 'delivered' });
  });

  it('429 holds the limit for Retry-After, else for a minute', () => {
    const hold = { outcome: 'retry', reason: 'rate_limited', hold: { key: 'limit' } };
    expect(delivery(answer(429, { 'retry-after': '7' }))).toEqual({ ...hold, afterMs: 7000 });
    expect(delivery(answer(429))).toEqual({ ...hold, afterMs: 60_000 });
  });

  it.each([
    [408, 'timeout'],
    [425, 'timeout'],
    [500, 'server_error'],
    [507, 'server_error'],
  ])('%i is tried again: %s; the address may be away as a whole', (status, reason) => {
    const suspect = { key: 'address' };
    expect(delivery(answer(status))).toEqual({ outcome: 'retry', reason, detail: `HTTP ${status}`, suspect });
    expect(delivery(answer(status, { 'retry-after': '3' }))).toMatchObject({ outcome: 'retry', afterMs: 3000 });
  });

  it.each([502, 503, 504])('%i holds everything of that address', (status) => {
    const held = { reason: 'server_error', hold: { key: 'address' } };
    expect(delivery(answer(status))).toMatchObject({ ...held, afterMs: 10_000 });
    expect(delivery(answer(status, { 'retry-after': '3' }))).toMatchObject({ ...held, afterMs: 3000 });
  });

  it.each([400, 401, 403, 404, 410, 422])('%i is the business of the sink', (status) => {
    expect(delivery(answer(status))).toMatchObject({ outcome: 'drop', detail: String(status) });
  });

  it.each([301, 302, 304])('%i is a bad answer, tried again', (status) => {
    expect(delivery(answer(status))).toMatchObject({ outcome: 'retry', reason: 'bad_answer' });
  });

  it('no connection holds the address and costs no attempts', () => {
    const failed: HttpResult = { kind: 'failed', reason: 'connection_failed', detail: 'ECONNREFUSED', unknown: false };
    expect(delivery(failed)).toMatchObject({ reason: 'connection_failed', unknown: false, hold: { key: 'address' } });
  });

  it.each([
    ['timeout', { suspect: { key: 'address' } }],
    ['answer_lost', { suspect: { key: 'address' } }],
    ['shutting_down', {}],
  ] as const)('%s keeps its unknown outcome', (reason, more) => {
    const failed: HttpResult = { kind: 'failed', reason, detail: 'x', unknown: true };
    expect(delivery(failed)).toEqual({ outcome: 'retry', reason, detail: 'x', unknown: true, ...more });
  });
});

describe('Retry-After', () => {
  it.each([
    ['0', 0],
    ['5', 5000],
    ['1.5', 1500],
    ['999999', 999_999_000],
    ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
    ['Wed, 31 Dec 2025 23:59:30 GMT', 0],
    ['Fri, 01 Jan 2027 00:00:00 GMT', 365 * 86_400_000],
    ['soon', undefined],
    ['', undefined],
  ])('%o is %o ms', (value, ms) => {
    expect(retryAfterMs({ 'retry-after': value }, now)).toBe(ms);
  });

  it('as a date counts from the vendor`s own time, when the answer carries it: our clock may be wrong', () => {
    const [date, later] = [now + 7_200_000, now + 7_205_000].map((at) => new Date(at).toUTCString());
    expect(retryAfterMs({ 'retry-after': later!, date: date! }, now)).toBe(5_000);
  });

  it('may be absent', () => {
    expect(retryAfterMs({}, now)).toBeUndefined();
  });
});

describe('the redactor', () => {
  it('removes a secret raw, URL-encoded and as a Basic user', () => {
    const secret = 'a/b+c';
    const text = `${secret} ${encodeURIComponent(secret)} Basic ${basicUser(secret)} end`;
    expect(redactor([secret])(text)).toBe('[redacted] [redacted] Basic [redacted] end');
  });

  it.each([
    ['base64', (key: string) => Buffer.from(key).toString('base64')],
    ['base64 without padding', (key: string) => Buffer.from(key).toString('base64').replace(/=+$/, '')],
    ['base64url', (key: string) => Buffer.from(key).toString('base64url')],
    ['base64 of user and password', (key: string) => Buffer.from(`user:${key}`).toString('base64')],
    ['base64 within more', (key: string) => Buffer.from(`{"key":"${key}"}`).toString('base64url')],
    ['hexadecimal', (key: string) => Buffer.from(key).toString('hex')],
    ['upper-case hexadecimal', (key: string) => Buffer.from(key).toString('hex').toUpperCase()],
    ['lower-case escapes', (key: string) => encodeURIComponent(key).replaceAll(/%../g, (hex) => hex.toLowerCase())],
    ['JSON', (key: string) => JSON.stringify(key)],
  ])('removes a secret as %s', (_, encode) => {
    const secret = 'k3y>>"??+/w1th-0dd';
    const clean = redactor([secret])(`before ${encode(secret)} after`);
    // Of base64 within more, a character at each end belongs to the neighbours too.
    expect(clean).toMatch(/^before .{0,14}\[redacted\].{0,4} after$/);
  });

  it('leaves a text alone when a secret is empty, and removes the longer of two first', () => {
    expect(redactor(['', 'key', 'key-2'])('key-2 key')).toBe('[redacted] [redacted]');
  });
});
