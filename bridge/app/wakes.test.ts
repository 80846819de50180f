import { expect, it } from 'vitest';
import type { Work } from '../store/work.ts';
import { wakeOf } from './wakes.ts';

const LEFT: Work = { intents: new Set(['demo/default']), desired: new Set(), journal: true, logs: false };

it.each([
  ['what was left to do', LEFT, [LEFT, LEFT]],
  ['a tick that found something due', 'anything', ['everything', 'anything']],
] as const)('%s goes to those who do it', (_name, work, woken) => {
  const heard: unknown[] = [];
  const dispatcher = {
    wake: () => void heard.push('everything'),
    found: (found: Work) => void heard.push(found),
  };
  const cluster = { woken: (found: Work | 'anything') => void heard.push(found) };
  wakeOf(dispatcher, cluster)(work);
  expect(heard).toEqual(woken);
});
