import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connectOtlp, encodeLogs, readRequests } from '../../test/otlp-client.ts';
import { recordCommand } from './record.ts';

const SCRIPT = `
  import { recordCommand } from ${JSON.stringify(new URL('record.ts', import.meta.url).href)};
  process.exitCode = await recordCommand(process.argv.slice(1));`;

let folder = '';
let running: ChildProcess | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'record-'));
});
afterEach(async () => {
  running?.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

/** Starts `record` in a process of its own. */
async function startRecord(...args: string[]) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', SCRIPT, '--', ...args], {
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  running = child;
  let text = '';
  const listening = Promise.withResolvers<string>();
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    const port = /listening on 127\.0\.0\.1:(\d+)/u.exec(text)?.[1];
    if (port !== undefined) listening.resolve(port);
  });
  const exited = once(child, 'exit').then(([code]: unknown[]) => {
    listening.reject(new Error(text));
    return code;
  });
  return { child, port: await listening.promise, exited, stderr: () => text };
}

test.each(['SIGINT', 'SIGTERM'] as const)('what was acknowledged is in the file after %s', async (signal) => {
  const file = join(folder, 'stream.gz');
  const { child, port, exited, stderr } = await startRecord(file, '--listen', '127.0.0.1:0');
  const client = connectOtlp(`127.0.0.1:${port}`);
  const requests = [encodeLogs([{ body: 1 }, { body: 2 }]), Buffer.from('garbage'), encodeLogs([{ body: 3 }])];
  for (const request of requests) expect((await client.export(request)).code).toBe(0);
  client.close();
  child.kill(signal);
  expect(await exited).toBe(0);
  expect((await readRequests(file)).map(String)).toEqual(requests.map(String));
  const bytes = requests.reduce((sum, { length }) => sum + length, 0);
  expect(stderr()).toContain(`recorded 3 requests, 3 records, ${bytes} bytes, 1 undecodable in ${file}`);
});

test('what could not be written is not acknowledged but retried', async () => {
  const { child, port, exited, stderr } = await startRecord('/dev/full', '--listen', '127.0.0.1:0', '--force');
  const client = connectOtlp(`127.0.0.1:${port}`);
  expect(await client.export(encodeLogs([{ body: 1 }]))).toMatchObject({ code: 14, retryAfterMs: 1000 });
  client.close();
  child.kill('SIGTERM');
  expect(await exited).toBe(1);
  expect(stderr()).toContain('UserError: /dev/full is not complete: ENOSPC');
});

test('an existing file is not overwritten', async () => {
  const file = join(folder, 'stream.gz');
  await writeFile(file, 'precious');
  await expect(recordCommand([file, '--listen', '127.0.0.1:0'])).rejects.toThrow(`${file} exists`);
  expect(await readFile(file, 'utf8')).toBe('precious');
});

test('a port that is taken leaves no file, and does not overwrite one', async () => {
  const file = join(folder, 'stream.gz');
  const { port } = await startRecord(join(folder, 'other.gz'), '--listen', '127.0.0.1:0');
  const address = `127.0.0.1:${port}`;
  await expect(recordCommand([file, '--listen', address])).rejects.toThrow(
    `cannot listen on ${address}: listen EADDRINUSE`,
  );
  await writeFile(file, 'precious');
  await expect(recordCommand([file, '--listen', address, '--force'])).rejects.toThrow('EADDRINUSE');
  expect(await readFile(file, 'utf8')).toBe('precious');
});

test('an existing file is overwritten with --force', async () => {
  const file = join(folder, 'stream.gz');
  await writeFile(file, 'old');
  const { child, exited } = await startRecord(file, '--listen', '127.0.0.1:0', '--force');
  child.kill('SIGTERM');
  expect(await exited).toBe(0);
  expect(await readRequests(file)).toEqual([]);
});

test.each([
  [[], 'FILE is missing'],
  [['a', 'b'], 'unexpected argument b'],
  [['a', '--nope'], '--nope'],
  [['a', '--listen', '4317'], '--listen was "4317", not HOST:PORT'],
  [['a', '--listen', 'host:99999'], '--listen was "host:99999", not HOST:PORT'],
])('arguments %j are refused', async (args, message) => {
  await expect(recordCommand(args)).rejects.toMatchObject({
    name: 'UsageError',
    message: expect.stringContaining(message),
    next: expect.stringContaining('record FILE'),
  });
});
