import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Alarm } from './alarm.ts';

let rung: number;
let alarm: Alarm;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  rung = 0;
  alarm = new Alarm(() => void rung++);
});
afterEach(() => void vi.useRealTimers());

it('rings once, at the earliest of the moments that it was set to', () => {
  alarm.within(30_000);
  alarm.within(1_000);
  alarm.within(5_000);
  vi.advanceTimersByTime(999);
  expect([rung, vi.getTimerCount()]).toEqual([0, 1]);
  vi.advanceTimersByTime(1);
  expect(rung).toBe(1);
  vi.advanceTimersByTime(60_000);
  expect(rung).toBe(1);
});

it('rings again when it is set again, and never after its end', () => {
  alarm.within(10);
  vi.advanceTimersByTime(10);
  alarm.within(10);
  vi.advanceTimersByTime(10);
  expect(rung).toBe(2);
  alarm.within(10);
  alarm.stop();
  alarm.within(10);
  vi.advanceTimersByTime(10);
  expect([rung, vi.getTimerCount()]).toEqual([2, 0]);
});

it('rings when it is time, though Node fires a timer early by what its loop took before', () => {
  const elapsed = vi.spyOn(performance, 'now').mockReturnValue(0);
  alarm.within(1_000);
  elapsed.mockReturnValue(970);
  vi.advanceTimersByTime(1_000);
  expect(rung).toBe(0);
  elapsed.mockReturnValue(1_000);
  vi.advanceTimersByTime(30);
  expect(rung).toBe(1);
  elapsed.mockRestore();
});

it('waits for longer than Node can', () => {
  const month = 30 * 86_400_000;
  alarm.within(month);
  vi.advanceTimersByTime(month - 1);
  expect(rung).toBe(0);
  vi.advanceTimersByTime(1);
  expect(rung).toBe(1);
});

it('rings soon for what is over, and never for never', () => {
  alarm.within(Infinity);
  expect(vi.getTimerCount()).toBe(0);
  alarm.within(-5_000);
  vi.advanceTimersByTime(1);
  expect(rung).toBe(1);
});
