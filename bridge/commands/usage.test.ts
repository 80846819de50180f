import { expect, it } from 'vitest';

import { COMMANDS, help, isCommand, usage } from './usage.ts';

it.each(Object.keys(COMMANDS).filter(isCommand))('%s --help says what each of its options means', (name) => {
  const text = help(name);
  expect(text.startsWith(`usage: lifecycle-bridge ${name}`)).toBe(true);
  for (const flag of COMMANDS[name].synopsis.match(/--[a-z-]+/g) ?? [])
    expect(text).toMatch(new RegExp(`^  ${flag} +\\S.+$`, 'm'));
  expect(text).toContain('ends with 0 when all is well');
});

it('lists every command', () => {
  for (const name of Object.keys(COMMANDS)) expect(usage()).toMatch(new RegExp(`^  ${name} +\\S`, 'm'));
});
