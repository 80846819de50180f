import { credentials, status } from '@grpc/grpc-js';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { eventually } from '../../../test/fixtures/eventually.ts';
import { Releases } from '../../lib/releases.ts';
import type { ExportReply, OtlpClient } from '../../lib/otlp-client.ts';
import { connectOtlp } from '../../lib/otlp-client.ts';
import type { IngestResult } from './ingest.ts';
import type { TestServer } from './test-server.ts';
import { startTestServer } from './test-server.ts';

const { OK, UNAVAILABLE } = status;
const fixtures = join(import.meta.dirname, '../../../test/fixtures/tls');
const pem = (name: string): Buffer => readFileSync(join(fixtures, name));
let releases: Releases;
let certFile: string;
let keyFile: string;
let clientCaFile: string;

beforeEach(() => {
  releases = new Releases();
  const dir = mkdtempSync(join(tmpdir(), 'otlp-tls-'));
  releases.add(() => rmSync(dir, { recursive: true }));
  certFile = join(dir, 'tls.crt');
  keyFile = join(dir, 'tls.key');
  clientCaFile = join(dir, 'ca.crt');
  use('server-1');
  put(clientCaFile, pem('ca.pem'));
});
afterEach(() => releases.release());

/** A file in one step: the server may be reading it. */
function put(file: string, bytes: Uint8Array): void {
  writeFileSync(`${file}.new`, bytes);
  renameSync(`${file}.new`, file);
}

function use(name: string): void {
  put(certFile, pem(`${name}.pem`));
  put(keyFile, pem(`${name}.key`));
}

function connect(server: TestServer, client?: string): OtlpClient {
  const [key, cert] = client === undefined ? [null, null] : [pem(`${client}.key`), pem(`${client}.pem`)];
  const otlp = connectOtlp(`localhost:${server.port}`, {
    credentials: credentials.createSsl(pem('ca.pem'), key, cert),
  });
  releases.add(() => otlp.close());
  return otlp;
}

function send(client: OtlpClient): Promise<ExportReply> {
  return client.export(Buffer.from('x'), { deadlineMs: 30_000 });
}

/** The name in the certificate that a new connection gets. */
function presented({ port }: TestServer, options: tls.ConnectionOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host: '127.0.0.1', port, ca: pem('ca.pem'), ALPNProtocols: ['h2'], ...options });
    socket.on('error', reject);
    socket.on('secureConnect', () => {
      resolve(`${String(socket.getPeerCertificate().subject.CN)} ${String(socket.getProtocol())}`);
      socket.destroy();
    });
  });
}

test('exports go over TLS; a plain connection is not served', async () => {
  const server = await startTestServer(releases, { tls: { certFile, keyFile } });
  expect((await send(connect(server))).code).toBe(OK);
  const plain = connectOtlp(server.address);
  releases.add(() => plain.close());
  expect((await send(plain)).code).not.toBe(OK);
  expect(server.report().tls).toEqual({ notAfter: expect.stringMatching(/^21/), clientCertificates: false });
});

test('TLS 1.2 is the oldest', async () => {
  const server = await startTestServer(releases, { tls: { certFile, keyFile } });
  const upTo = (maxVersion: tls.SecureVersion) =>
    presented(server, { minVersion: 'TLSv1', maxVersion, ciphers: 'DEFAULT@SECLEVEL=0' });
  expect(await upTo('TLSv1.3')).toBe('server-1 TLSv1.3');
  expect(await upTo('TLSv1.2')).toBe('server-1 TLSv1.2');
  await expect(upTo('TLSv1.1')).rejects.toThrow('alert protocol version');
});

test('with an authority for clients, only its certificates may connect', async () => {
  const server = await startTestServer(releases, { tls: { certFile, keyFile, clientCaFile } });
  expect((await send(connect(server, 'client'))).code).toBe(OK);
  expect((await send(connect(server))).code).not.toBe(OK);
  expect((await send(connect(server, 'stranger'))).code).not.toBe(OK);
  expect(server.taken).toEqual(['x']);
  await eventually(() => expect(server.refused).toContain('tls'));
});

test('a new certificate serves new connections; calls and connections that exist go on', async () => {
  const work = Promise.withResolvers<IngestResult>();
  const ingest = vi.fn<() => Promise<IngestResult>>(async () => ({ result: 'committed' }));
  const server = await startTestServer(releases, { tls: { certFile, keyFile }, ingest });
  const client = connect(server);
  ingest.mockReturnValueOnce(work.promise);
  const inWork = send(client);
  await eventually(() => expect(ingest).toHaveBeenCalledOnce());
  use('server-2');
  await eventually(async () => expect(await presented(server)).toBe('server-2 TLSv1.3'));
  work.resolve({ result: 'committed' });
  expect((await inWork).code).toBe(OK);
  expect((await send(client)).code).toBe(OK);
  expect((await send(connect(server))).code).toBe(OK);
});

test('a new authority for clients locks out new connections of the old one', async () => {
  const server = await startTestServer(releases, { tls: { certFile, keyFile, clientCaFile } });
  expect((await send(connect(server, 'client'))).code).toBe(OK);
  put(clientCaFile, pem('other-ca.pem'));
  await eventually(async () => expect((await send(connect(server, 'stranger'))).code).toBe(OK));
  expect((await send(connect(server, 'client'))).code).toBe(UNAVAILABLE);
});

test.each<[string, () => void]>([
  ['a certificate that is half written', () => put(certFile, pem('server-2.pem').subarray(0, 300))],
  ['a key that is half written', () => put(keyFile, pem('server-2.key').subarray(0, 100))],
  ['the key of another certificate', () => put(keyFile, pem('server-2.key'))],
  ['an empty authority', () => put(clientCaFile, Buffer.alloc(0))],
  ['no file', () => rmSync(certFile)],
])('%s keeps the old certificate and says so; when all is there, it is used', async (_name, harm) => {
  const server = await startTestServer(releases, { tls: { certFile, keyFile, clientCaFile } });
  harm();
  await eventually(() => expect(server.warnings).toHaveLength(1));
  expect(server.report().tls).toMatchObject({ problem: server.warnings[0] });
  expect(server.warnings[0]).toContain('what was read before stays in use');
  expect((await send(connect(server, 'client'))).code).toBe(OK);
  use('server-2');
  put(clientCaFile, pem('ca.pem'));
  const client = { key: pem('client.key'), cert: pem('client.pem') };
  await eventually(async () => expect(await presented(server, client)).toBe('server-2 TLSv1.3'));
  expect(server.report().tls).not.toHaveProperty('problem');
});

test('files that cannot be used are reported at the start', async () => {
  put(keyFile, pem('server-2.key'));
  await expect(startTestServer(releases, { tls: { certFile, keyFile } })).rejects.toMatchObject({ name: 'UserError' });
});
