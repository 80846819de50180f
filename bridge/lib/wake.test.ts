import { expect, it } from 'vitest';
import { Wake } from './wake.ts';

const NEVER = 60_000;

it('ends a wait, once', async () => {
  const sleep = new Wake();
  const waiting = sleep.wait(NEVER).then(() => 'woken');
  sleep.wake();
  expect(await waiting).toBe('woken');
  const next = sleep.wait(NEVER).then(() => 'woken');
  expect(await Promise.race([next, sleepless()])).toBe('still asleep');
  sleep.wake();
});

it('is remembered when nobody waits yet', async () => {
  const sleep = new Wake();
  sleep.wake();
  expect(await Promise.race([sleep.wait(NEVER).then(() => 'woken'), sleepless()])).toBe('woken');
});

it('ends after its time by itself', async () => {
  expect(await new Wake().wait(1)).toBe(false);
});

function sleepless(): Promise<string> {
  return new Promise((resolve) => setImmediate(() => resolve('still asleep')));
}
