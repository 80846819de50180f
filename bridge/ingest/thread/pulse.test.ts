import { expect, it } from 'vitest';
import { Pulse } from './pulse.ts';

function pulse(): { pulse: Pulse; asked: { now: boolean } } {
  const asked = { now: true };
  const made = new Pulse(() => asked.now); // the test beats
  return { pulse: made, asked };
}

it('counts the seconds in which the thread was asked and did not answer, and begins again with every answer', () => {
  const { pulse: beating } = pulse();
  beating.heard();
  beating.beat();
  expect(beating.silentSeconds).toBe(0);
  for (let second = 0; second < 130; second++) beating.beat();
  expect(beating.silentSeconds).toBe(130);
  beating.heard();
  expect(beating.silentSeconds).toBe(0);
});

it('calls nobody silent who was not asked', () => {
  const { pulse: beating, asked } = pulse();
  asked.now = false;
  for (let second = 0; second < 200; second++) beating.beat();
  expect(beating.silentSeconds).toBe(0);
});
