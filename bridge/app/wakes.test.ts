import { expect, it } from 'vitest';
import type { Work } from '../store/work.ts';
import { wakeOf } from './wakes.ts';

it('what is left to do goes to those who send and to those who work in the cluster', () => {
  const nothing = { intents: new Set<string>(), desired: new Set<string>(), logs: false, events: false, sweep: false };
  const left: Work = { ...nothing, intents: new Set(['demo/default']), journal: true };
  const heard: Work[] = [];
  const found = (work: Work): void => void heard.push(work);
  wakeOf({ found }, { woken: found })(left);
  expect(heard).toEqual([left, left]);
});
