import { expect, it } from 'vitest';
import { Asks } from './asks.ts';

const ALL = new Set(['intents', 'desired', 'journal']);

it('what a limit keeps back is asked for when it is free, also when a wake for something else comes at that moment', () => {
  const asks = new Asks(60_000);
  expect(asks.take(0)).toEqual(ALL);
  asks.leave('intents');
  expect(asks.sleepMs(0, 1_000)).toBe(1_000);
  // Woken before the sleep had ended by itself; by now no limit is busy.
  asks.add('journal');
  expect(asks.take(1_000)).toEqual(new Set(['intents', 'journal']));
  expect(asks.sleepMs(1_000, Infinity)).toBe(59_000);
});

it('what a limit keeps back is not asked for before, whatever wakes', () => {
  const asks = new Asks(60_000);
  asks.take(0);
  asks.leave('intents');
  asks.sleepMs(0, 1_000);
  asks.add('journal');
  expect(asks.take(999)).toEqual(new Set(['journal']));
  expect(asks.sleepMs(999, 1_000)).toBe(1);
});
