import { expect, it } from 'vitest';
import { Releases } from './releases.ts';

const failing = (): Releases => {
  const releases = new Releases();
  for (const part of ['first', 'second', 'third'])
    releases.add(() => {
      stopped.push(part);
      if (part !== 'first') throw new Error(`${part} does not stop`);
    });
  return releases;
};
let stopped: string[] = [];

it('every part is stopped once, the last started first, whatever the others do', async () => {
  stopped = [];
  const releases = failing();
  const errors: unknown[] = [];
  await releases.release((error) => errors.push(error));
  expect([stopped, errors.map(String)]).toEqual([
    ['third', 'second', 'first'],
    ['Error: third does not stop', 'Error: second does not stop'],
  ]);
  await releases.release();
  expect(stopped).toHaveLength(3);
});

it('who does not ask to hear of errors gets all of them at the end', async () => {
  stopped = [];
  await expect(failing().release()).rejects.toThrow('third does not stop; second does not stop');
  expect(stopped).toHaveLength(3);
});
