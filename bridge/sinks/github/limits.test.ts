import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Delivery } from '../sink.ts';
import { Limits } from './limits.ts';
import { NOW, rowOf, rowsOf, startBench } from './bench.ts';
import type { Bench } from './bench.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const REFUSED = { outcome: 'retry', reason: 'rate_limited', hold: { key: 'api' } };
const DELIVERED = { outcome: 'delivered' };

let bench: Bench;
beforeEach(async () => {
  bench = await startBench();
});
afterEach(() => bench.close());

const send = async (name = 'web'): Promise<Delivery> => (await bench.converge([rowOf(name)]))[0]!;

/** What a refusal means for the wait. */
function waitOf(status: number, headers: Record<string, string>, body = ''): number | undefined {
  return new Limits().heard({ kind: 'answer', status, headers, body, complete: true }, NOW);
}

const reset = (ms: number): Record<string, string> => ({
  'x-ratelimit-remaining': '0',
  'x-ratelimit-reset': String((NOW + ms) / 1000),
});

describe('the wait after a refusal for a limit', () => {
  it.each([
    ['Retry-After 5', 429, { 'retry-after': '5' }, '', 5 * SECOND],
    ['Retry-After 0', 403, { 'retry-after': '0' }, '', 0],
    ['a used-up quota', 403, reset(10 * SECOND), 'API rate limit exceeded for installation', 11 * SECOND],
    ['a used-up quota without words', 403, reset(10 * SECOND), '', 11 * SECOND],
    ['both, the longer', 403, { 'retry-after': '3', ...reset(MINUTE) }, '', 61 * SECOND],
    ['Retry-After that is longer than the reset', 429, { 'retry-after': '90', ...reset(MINUTE) }, '', 90 * SECOND],
    ['neither', 429, {}, '', MINUTE],
    ['words only', 403, {}, 'You have exceeded a secondary rate limit. Please wait', MINUTE],
    ['a reset that is past', 403, reset(-10 * SECOND), 'API rate limit exceeded', MINUTE],
  ])('is that of %s', (_, status, headers, body, ms) => {
    expect(waitOf(status, headers, body)).toBe(ms);
  });

  it.each([
    ['a plain 403', 403, {}, 'Forbidden'],
    ['a permission that ended the quota', 403, reset(MINUTE), 'Resource not accessible by integration'],
    ['a 422 that ended the quota', 422, reset(MINUTE), 'Validation Failed'],
    ['a 400', 400, { 'retry-after': '5' }, ''],
    ['a success', 200, {}, ''],
  ])('is not that of %s', (_, status, headers, body) => {
    expect(waitOf(status, headers, body)).toBeUndefined();
  });

  it('without a hint doubles from a minute to an hour, and begins again after a success', () => {
    const limits = new Limits();
    const heard = (status: number) =>
      limits.heard({ kind: 'answer', status, headers: {}, body: '', complete: true }, NOW);
    const waits = Array.from({ length: 8 }, () => heard(429));
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60].map((minutes) => minutes * MINUTE));
    heard(200);
    expect(heard(429)).toBe(MINUTE);
  });

  it('is by the clock of GitHub', () => {
    const headers = { ...reset(2 * HOUR + 30 * SECOND), date: new Date(NOW + 2 * HOUR).toUTCString() };
    expect(waitOf(403, headers)).toBe(31 * SECOND);
  });

  it('is no longer because the clock was set back', () => {
    const limits = new Limits();
    limits.heard({ kind: 'answer', status: 429, headers: { 'retry-after': '60' }, body: '', complete: true }, NOW);
    expect(limits.pausedMs(NOW - HOUR)).toBe(MINUTE);
  });
});

describe('a limit', () => {
  it.each([429, 403])('of %i holds everything until it is over, and loses nothing', async (status) => {
    bench.vendors.inject({ status, retryAfter: 7200, body: '{"message":"secondary rate limit"}' });
    expect(await send()).toMatchObject({ ...REFUSED, afterMs: 7200 * SECOND });
    bench.clock.at += HOUR;
    expect(await send('other')).toMatchObject({ ...REFUSED, afterMs: HOUR });
    expect(bench.requests()).toHaveLength(1);
    bench.clock.at += HOUR;
    expect(await send()).toEqual(DELIVERED);
  });

  it('stops the records behind it in the same call', async () => {
    bench.vendors.inject({ status: 429, retryAfter: 2 });
    const answers = await bench.converge(rowsOf(4), bench.deliverer({ bulkSync: false }));
    expect(answers).toMatchObject([REFUSED, REFUSED, REFUSED, REFUSED]);
    expect(bench.requests()).toHaveLength(1);
  });

  it('that is reached by a success is kept too', async () => {
    bench.vendors.github.limits.quota = 1;
    expect(await send()).toEqual(DELIVERED);
    expect(await send('b')).toMatchObject(REFUSED);
    expect(bench.requests()).toHaveLength(1);
    bench.clock.at += HOUR + SECOND;
    expect(await send('b')).toEqual(DELIVERED);
    expect(bench.vendors.github.violations).toEqual([]);
  });

  it('of 500 changes an hour is never overrun', async () => {
    const deliverer = bench.deliverer({ bulkSync: false });
    const all = Array.from({ length: 26 }, (_, index) => rowsOf(20, `app-${index}`));
    for (const rows of all.slice(0, 25))
      expect(await bench.converge(rows, deliverer)).toEqual(rows.map(() => DELIVERED));
    const [first] = await bench.converge(all[25]!, deliverer);
    expect(first).toMatchObject(REFUSED);
    bench.clock.at += (first as { afterMs: number }).afterMs;
    expect(await bench.converge(all[25]!.slice(0, 1), deliverer)).toEqual([DELIVERED]);
    expect(bench.vendors.github.violations).toEqual([]);
    expect(bench.vendors.requests.map(({ status }) => status)).not.toContain(403);
  });
});

describe('a server error', () => {
  it.each([500, 502, 503])('of %i is tried again, at the time of Retry-After', async (status) => {
    bench.vendors.inject({ status, retryAfter: 9 });
    expect(await send()).toMatchObject({ outcome: 'retry', reason: 'server_error', afterMs: 9000 });
    expect(await send()).toEqual(DELIVERED);
  });
});
