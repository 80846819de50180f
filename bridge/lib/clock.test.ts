import { expect, it } from 'vitest';
import { iso, SteadyClock } from './clock.ts';

const T0 = Date.UTC(2026, 0, 1);

it('goes on when the computer`s clock steps, and gives the step when it is taken over', () => {
  let [wall, elapsed] = [T0, 50];
  const clock = new SteadyClock(
    () => wall,
    () => elapsed,
  );
  expect(clock.now()).toBe(T0);
  elapsed += 1_000;
  wall += 1_000 - 7_200_000;
  expect(clock.now()).toBe(T0 + 1_000);
  expect(clock.follow()).toBe(-7_200_000);
  expect(clock.now()).toBe(T0 + 1_000 - 7_200_000);
  expect(clock.follow()).toBe(0);
});

it('follows small corrections silently', () => {
  let wall = T0;
  const clock = new SteadyClock(
    () => wall,
    () => 0,
  );
  wall += 900;
  expect(clock.follow()).toBe(0);
  expect(clock.now()).toBe(T0 + 900);
});

it('shows any number without a throw, one that is not a time as it is', () => {
  expect(iso(T0)).toBe('2026-01-01T00:00:00.000Z');
  expect(iso(undefined)).toBe('');
  expect([Number.NaN, -9e18, 8.64e15 + 1, Infinity].map(iso)).toEqual([
    'NaN',
    '-9000000000000000000',
    '8640000000000001',
    'Infinity',
  ]);
});
