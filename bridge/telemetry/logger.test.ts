import { expect, it } from 'vitest';

import { createLogger } from './logger.ts';

function logged(secrets: string[], write: (logger: ReturnType<typeof createLogger>) => void): string[] {
  const lines: string[] = [];
  write(createLogger('info', secrets, { write: (line) => void lines.push(line) }));
  return lines;
}

it('writes one JSON object per line with level as text, ISO time and msg', () => {
  const [line] = logged([], (logger) => logger.warn({ run: 'a' }, 'slow'));
  expect(JSON.parse(line!)).toEqual({
    level: 'warn',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    run: 'a',
    msg: 'slow',
  });
});

it('leaves out what is below its level', () => {
  expect(logged([], (logger) => logger.debug('x'))).toEqual([]);
});

it('never writes a configured secret, wherever and however it is spelled', () => {
  const secret = 'hunter2/"?';
  const lines = logged([secret], (logger) => {
    logger.info({ url: `https://h/ping/${encodeURIComponent(secret)}`, nested: { deep: [secret] } }, `with ${secret}`);
    logger.error(new Error(`failed at ${secret}`));
    logger.child({ bound: secret }).info('child');
  });
  expect(lines).toHaveLength(3);
  expect(lines.join('')).not.toContain('hunter2');
});

it('hides values under the names of secrets although they are not configured', () => {
  const lines = logged([], (logger) => logger.info({ apiKey: 'hunter2', sink: { token: 'hunter3' } }));
  expect(lines.join('')).not.toContain('hunter');
});

it('loses a line that cannot be written, and nothing else', () => {
  const lines: string[] = [];
  let full = true;
  const write = (line: string): void => {
    if (full) throw new Error('ENOSPC: no space left on device, write');
    lines.push(line);
  };
  const logger = createLogger('info', [], { write });
  logger.info('lost');
  full = false;
  logger.info('kept');
  expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(['kept']);
});
