import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SENTRY_KEY } from '../../../test/vendors/start-vendors.ts';
import type { DeliverBench } from './deliver-bench.ts';
import { checkIn, event, log, send, startBench } from './deliver-bench.ts';
import { parseRateLimits, RateLimits } from './rate-limits.ts';

let bench: DeliverBench;
beforeEach(async () => {
  bench = await startBench();
});
afterEach(() => bench.close());

describe('X-Sentry-Rate-Limits', () => {
  it.each([
    ['60:error:organization', [{ ms: 60_000, categories: ['error'] }]],
    [
      '60:error;default:organization:reason:ns, 2700::key',
      [
        { ms: 60_000, categories: ['error', 'default'] },
        { ms: 2_700_000, categories: [] },
      ],
    ],
    ['2.5:monitor', [{ ms: 2500, categories: ['monitor'] }]],
    [' 60 : error ; default : key', [{ ms: 60_000, categories: ['error', 'default'] }]],
    ['60:new_thing;error', [{ ms: 60_000, categories: ['error'] }]],
    ['60:new_thing:organization', []],
    ['soon:error', [{ ms: 60_000, categories: ['error'] }]],
    ['-5:error', [{ ms: 0, categories: ['error'] }]],
    ['60', [{ ms: 60_000, categories: [] }]],
    [' , ,', []],
  ])('%s', (header, limits) => {
    expect(parseRateLimits(header)).toEqual(limits);
  });

  it('keeps the latest of several deadlines, and one of a category beside one of all', () => {
    const limits = new RateLimits();
    const answer = (header: string) => {
      const headers = { 'x-sentry-rate-limits': header };
      limits.update('dsn', { kind: 'answer', status: 200, headers, body: '', complete: true }, 0);
    };
    answer('100:error');
    answer('5:error, 50:');
    expect(limits.wait('dsn', 'error', 0)).toEqual({ ms: 100_000, all: false });
    expect(limits.wait('dsn', 'monitor', 0)).toEqual({ ms: 50_000, all: true });
    expect(limits.wait('dsn', 'error', 60_000)).toEqual({ ms: 40_000, all: false });
    expect(limits.wait('dsn', 'monitor', 60_000)).toBeUndefined();
    expect(limits.wait('another', 'error', 0)).toBeUndefined();
  });
});

describe('rate limits', () => {
  it('of a 429 hold what shares the category, or the whole DSN', async () => {
    const one = bench.deliverer();
    bench.vendors.sentry.limit('error', Date.now() + 120_000);
    expect(await send(one, event())).toMatchObject({
      outcome: 'retry',
      reason: 'rate_limited',
      hold: { key: 'default/error' },
    });
    expect(await send(one, checkIn())).toEqual({ outcome: 'delivered' });
    bench.vendors.sentry.limit('', Date.now() + 60_000);
    expect(await send(bench.deliverer(), checkIn())).toMatchObject({ hold: { key: 'default' } });
  });

  it('that an answer announced are kept without asking again, by DSN, until they are over', async () => {
    const one = bench.deliverer({ customDsns: { hosts: ['127.0.0.1'] } });
    bench.vendors.sentry.limit('error', Date.now() + 120_000);
    await send(one, event());
    const asked = bench.vendors.requests.length;
    expect(await send(one, event())).toMatchObject({ outcome: 'retry', reason: 'rate_limited' });
    expect(bench.vendors.requests).toHaveLength(asked);
    bench.vendors.sentry.limit('error', 0);
    expect(await send(one, { ...event(), target: { dsn: bench.dsn(SENTRY_KEY, 2) } })).toEqual({
      outcome: 'delivered',
    });
    bench.now += 121_000;
    expect(await send(one, event())).toEqual({ outcome: 'delivered' });
  });

  it('of attachments cost the log tails, not the event', async () => {
    const one = bench.deliverer();
    const story = { logs: [log({ words: 'it broke' })] };
    bench.vendors.sentry.limit('attachment', Date.now() + 120_000);
    await send(one, event({}, { tails: {} }), story);
    const second = await send(one, event({ event_id: 'd'.repeat(32) }, { tails: {} }), story);
    expect(second).toMatchObject({ outcome: 'delivered', detail: 'without log tails: Sentry takes none now' });
    expect(bench.vendors.sentry.discarded).toEqual([
      { reason: 'ratelimit_backoff', category: 'attachment', quantity: 8 },
    ]);
  });
});
