import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const run = promisify(execFile);

/** In a process of its own: it replaces the clock, the timers and the chance of its process. */
async function simulate(...args: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, ['test/simulate/main.ts', ...args]).catch(
    (error: unknown) => error as { readonly stdout: string },
  );
  return stdout;
}

it('keeps every promise in a quarter of a day of faults, and the same seed gives the same day', async () => {
  const [first, second] = await Promise.all([1, 2].map(() => simulate('--seed', '1', '--days', '0.25')));
  expect(first).toContain(': ok');
  const digest = /trace [0-9a-f]+/;
  expect(digest.exec(second!)?.[0]).toBe(digest.exec(first!)?.[0]);
});
