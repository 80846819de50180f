import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { OLD_TOOLS } from './tools.ts';

it.each([...OLD_TOOLS])('%s is the name of that tool', async (name, load) => {
  expect((await load()).name).toBe(name);
});

it('every command knows the tools by their names, and loads no library for that', () => {
  const main = join(import.meta.dirname, '../../main.ts');
  const hook = `import { registerHooks } from 'node:module';
    registerHooks({ load: (url, context, next) => (console.log(url), next(url, context)) });`;
  const loader = `data:text/javascript,${encodeURIComponent(hook)}`;
  const printed = execFileSync(process.execPath, ['--import', loader, main, 'help'], { encoding: 'utf8' });
  for (const name of OLD_TOOLS.keys()) expect(printed).toContain(name);
  expect(printed).toContain('/commands/usage.ts');
  expect(printed).not.toContain('/node_modules/');
});
