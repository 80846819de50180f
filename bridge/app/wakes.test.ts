import { beforeEach, expect, it } from 'vitest';
import type { Work } from '../store/work.ts';
import { HeldWake, wakeOf } from './wakes.ts';

const nothing = { intents: new Set<string>(), desired: new Set<string>(), logs: false, events: false, sweep: false };
const left: Work = { ...nothing, intents: new Set(['demo/default']), journal: true };
let heard: Work[];
const found = (work: Work): void => void heard.push(work);
beforeEach(() => {
  heard = [];
});

it('what is left to do goes to those who send and to those who work in the cluster', () => {
  wakeOf({ found }, { woken: found })(left);
  expect(heard).toEqual([left, left]);
});

it('what is left to do while the bridge starts goes to them once they are there', () => {
  const logs: Work = { ...nothing, logs: true, journal: false };
  const held = new HeldWake();
  held.wake(logs);
  held.listen(found);
  held.wake(left);
  expect(heard).toEqual([logs, left]);
});
