import { status } from '@grpc/grpc-js';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually } from '../../../test/fixtures/eventually.ts';
import { Releases } from '../../lib/releases.ts';
import type { ExportReply } from '../../lib/otlp-client.ts';
import { connectOtlp } from '../../lib/otlp-client.ts';
import type { TestServer } from './test-server.ts';
import { connectHttp2, openCall, startTestServer } from './test-server.ts';

const { OK, UNAVAILABLE } = status;
let releases: Releases;
let file: string;

beforeEach(() => {
  releases = new Releases();
  const dir = mkdtempSync(join(tmpdir(), 'otlp-token-'));
  releases.add(() => rmSync(dir, { recursive: true }));
  file = join(dir, 'tokens');
});
afterEach(() => releases.release());

async function send(server: TestServer, token?: string): Promise<ExportReply> {
  const client = connectOtlp(server.address, token === undefined ? {} : { token });
  try {
    return await client.export(Buffer.from('x'));
  } finally {
    client.close();
  }
}

test.each([undefined, 'wrong', 'right1', 'righ', 'RIGHT'])(
  'with the token %s nothing is ingested; the sender keeps it and comes back',
  async (token) => {
    const server = await startTestServer(releases, { token: 'right' });
    expect(await send(server, token)).toMatchObject({ code: UNAVAILABLE, retryAfterMs: 5000 });
    expect(server.taken).toEqual([]);
    expect(server.outcomes).toEqual(['unauthorized']);
    expect((await send(server, 'right')).code).toBe(OK);
    expect(server.taken).toEqual(['x']);
  },
);

test.each(['right', 'Basic right', 'Bearer', 'Bearer ', 'Bearer right wrong', 'Bearerright'])(
  'the header "%s" is not a bearer token',
  async (authorization) => {
    const server = await startTestServer(releases, { token: 'right' });
    const { stream, ended } = openCall(connectHttp2(releases, server), { authorization });
    expect(await ended).toBe(`grpc ${UNAVAILABLE}`);
    stream.close();
  },
);

test('a large request without its token is refused before it is read', async () => {
  const server = await startTestServer(releases, { token: 'right' });
  const client = connectOtlp(server.address, { gzip: false });
  releases.add(() => client.close());
  expect(await client.export(Buffer.alloc(32 * 1024 * 1024))).toMatchObject({ code: UNAVAILABLE, retryAfterMs: 5000 });
  expect(server.report().pendingBytes).toBe(0);
});

test('the two sides change their token one after the other, without a restart', async () => {
  writeFileSync(file, 'old\n');
  const server = await startTestServer(releases, { tokenFile: file });
  const codes = async (): Promise<status[]> => [(await send(server, 'old')).code, (await send(server, 'new')).code];
  expect(await codes()).toEqual([OK, UNAVAILABLE]);
  writeFileSync(file, 'old\n\n  new\n');
  await eventually(async () => expect(await codes()).toEqual([OK, OK]));
  writeFileSync(file, 'new\n');
  await eventually(async () => expect(await codes()).toEqual([UNAVAILABLE, OK]));
});

test('a token file that cannot be used keeps the tokens before it, and says so once', async () => {
  writeFileSync(file, 'old\n');
  const server = await startTestServer(releases, { tokenFile: file });
  writeFileSync(file, '\n');
  await eventually(() => expect(server.report().token).toMatchObject({ accepted: 1, problem: expect.any(String) }));
  expect(server.notes()).toEqual([expect.stringContaining('holds no token')]);
  expect((await send(server, 'old')).code).toBe(OK);
  rmSync(file);
  await eventually(() => expect(server.warnings).toHaveLength(2));
  expect(server.warnings).toEqual([expect.stringContaining('holds no token'), expect.stringContaining('ENOENT')]);
  writeFileSync(file, 'old\n');
  await eventually(() => expect(server.report().token).toEqual({ accepted: 1 }));
});

test('refusals are reported with their number and one warning, and never with a token', async () => {
  const server = await startTestServer(releases, { token: 'right-secret' });
  for (let i = 0; i < 3; i += 1) await send(server, 'wrong-secret');
  expect(server.report().unauthorized).toEqual({
    count: 3,
    lastAt: expect.stringMatching(/^20.*Z$/),
    lastWhy: 'no accepted bearer token',
  });
  expect(server.warnings).toHaveLength(1);
  expect(server.notes()).toEqual([
    expect.stringMatching(
      /^3 exports were refused .* and will be sent again, the last at 20.*: no accepted bearer token/,
    ),
  ]);
  expect(JSON.stringify([server.report(), server.notes(), server.warnings])).not.toContain('secret');
});

test('a token file without a token is reported at the start', async () => {
  writeFileSync(file, ' \n');
  await expect(startTestServer(releases, { tokenFile: file })).rejects.toMatchObject({
    name: 'UserError',
    message: `cannot use ${file}: holds no token`,
  });
});
