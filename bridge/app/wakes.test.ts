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

it.each<[string, Partial<Work>, unknown[]]>([
  ['nothing for them', {}, []],
  ['a log to read', { logs: true }, ['logs']],
  ['an Event to write', { events: true }, ['events']],
])(
  'what is left to do goes to those who send, and to those in the cluster for whom it is: %s',
  (_name, more, woken) => {
    const others: string[] = [];
    const wake = (name: string) => ({ wake: () => void others.push(name) });
    const work = { ...left, ...more };
    wakeOf({ found }, { logs: wake('logs'), events: wake('events') })(work);
    expect([heard, others]).toEqual([[work], woken]);
  },
);

it('what is left to do while the bridge starts goes to them once they are there', () => {
  const logs: Work = { ...nothing, logs: true, journal: false };
  const held = new HeldWake();
  held.wake(logs);
  held.listen(found);
  held.wake(left);
  expect(heard).toEqual([logs, left]);
});
