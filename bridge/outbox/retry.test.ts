import { expect, it } from 'vitest';
import type { Delivery } from '../sinks/sink.ts';
import { scheduled } from './retry.ts';

const failed: Delivery = { outcome: 'retry', reason: 'server_error' };

it('doubles from one second up to five minutes, with jitter in the upper half', () => {
  const delays = [1, 2, 3, 9, 10, 100].map((attempt) => scheduled(failed, attempt, 0).delayMs);
  expect(delays).toEqual([500, 1000, 2000, 128_000, 150_000, 150_000]);
  expect(scheduled(failed, 100, 0.999).delayMs).toBeGreaterThan(299_000);
});

it('honours the vendor`s hint when it is longer, up to an hour', () => {
  const hint = (afterMs: number) => scheduled({ outcome: 'retry', reason: 'server_error', afterMs }, 2, 0).delivery;
  expect(hint(7000)).toMatchObject({ afterMs: 7000 });
  expect(hint(0)).toMatchObject({ afterMs: 1000 });
  expect(hint(86_400_000)).toMatchObject({ afterMs: 3_600_000 });
});

it('leaves a hint out where the vendor gave none', () => {
  expect(scheduled(failed, 1, 0).delivery).toEqual(failed);
});

it('makes what our own stop interrupted due at once', () => {
  expect(scheduled({ outcome: 'retry', reason: 'shutting_down' }, 9, 0.5).delayMs).toBe(0);
});
