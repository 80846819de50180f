import { expect, it } from 'vitest';
import type { Delivery } from '../sinks/sink.ts';
import { scheduled } from './retry.ts';

const failed: Delivery = { outcome: 'retry', reason: 'server_error' };

it('doubles from one second up to five minutes, with jitter in the upper half', () => {
  const delays = [1, 2, 3, 9, 10, 100].map((attempt) => scheduled(failed, attempt, 0).delayMs);
  expect(delays).toEqual([500, 1000, 2000, 128_000, 150_000, 150_000]);
  expect(scheduled(failed, 100, 0.999).delayMs).toBeGreaterThan(299_000);
});

it('honours the vendor`s hint when it is longer, up to an hour, with a hold too', () => {
  const hint = (afterMs: number, hold?: { key: string }) =>
    scheduled({ outcome: 'retry', reason: 'server_error', afterMs, ...(hold && { hold }) }, 2, 0).delayMs;
  expect([hint(7000), hint(0), hint(86_400_000)]).toEqual([7000, 1000, 3_600_000]);
  expect([hint(7000, { key: 'api' }), hint(0, { key: 'api' })]).toEqual([7000, 1000]);
});

it('makes what our own stop interrupted due at once', () => {
  expect(scheduled({ outcome: 'retry', reason: 'shutting_down' }, 9, 0.5).delayMs).toBe(0);
});
