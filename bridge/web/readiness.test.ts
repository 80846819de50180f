import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createReadiness } from './readiness.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

it('asks the store once for everybody within a minute, and within one while its writes fail', async () => {
  let asked = 0;
  let failing = false;
  const readiness = createReadiness(
    async () => void asked++,
    () => ({ lists: 'off' }),
    undefined,
    () => failing,
  );
  const both = await Promise.all([readiness(), readiness()]);
  expect(both).toEqual([both[0], { ready: true, report: { commit: 'ok', lists: 'off' } }]);
  await readiness();
  expect(asked).toBe(1);
  vi.advanceTimersByTime(60_000);
  await readiness();
  expect(asked).toBe(1);
  vi.advanceTimersByTime(1);
  await readiness();
  expect(asked).toBe(2);
  failing = true;
  vi.advanceTimersByTime(1_001);
  await readiness();
  expect(asked).toBe(3);
});

it('says why the store cannot commit, until it can', async () => {
  let full = true;
  const probe = () => (full ? Promise.reject(new Error('database or disk is full')) : Promise.resolve());
  const readiness = createReadiness(probe, () => ({}));
  expect(await readiness()).toEqual({ ready: false, report: { commit: 'database or disk is full' } });
  full = false;
  vi.advanceTimersByTime(1_001);
  expect(await readiness()).toMatchObject({ ready: true });
});

it('is not ready while a write hangs, and does not pile up more of them', async () => {
  let asked = 0;
  let done: () => void = () => undefined;
  const hanging = (): Promise<void> => {
    asked++;
    return new Promise((resolve) => void (done = resolve));
  };
  const readiness = createReadiness(hanging, () => ({}));
  const answers = [readiness(), readiness()];
  await vi.advanceTimersByTimeAsync(2_000);
  const late = { ready: false, report: { commit: 'no commit within 2 s' } };
  expect(await Promise.all(answers)).toEqual([late, late]);
  expect(asked).toBe(1);
  done();
  expect(await readiness()).toMatchObject({ ready: true });
});
