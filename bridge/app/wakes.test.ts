import { expect, it } from 'vitest';
import { wakeOf } from './wakes.ts';

it.each([
  ['a commit with something to send', { transitions: ['run.started'], send: true }, ['send true', 'run.started']],
  [
    'a commit of which only logs are to be read',
    { transitions: ['container.terminated'], send: false },
    ['send false', 'container.terminated'],
  ],
  ['a tick that found something due', undefined, ['everything', 'anything']],
] as const)('%s wakes those who have something to do', (_name, committed, woken) => {
  const heard: string[] = [];
  const dispatcher = {
    wake: () => void heard.push('everything'),
    committed: (send: boolean) => void heard.push(`send ${send}`),
  };
  const cluster = { woken: (kinds?: readonly string[]) => void heard.push(kinds?.join() ?? 'anything') };
  wakeOf(dispatcher, cluster)(committed);
  expect(heard).toEqual(woken);
});
