import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { connectKube } from './api.ts';
import { readKubeAccess } from './kube-access.ts';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'kube-access-'))));
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

function write(name: string, content: string | object): string {
  const file = join(folder, name);
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

function kubeconfig(user: object, cluster: object = {}): object {
  return {
    'current-context': 'here',
    clusters: [{ name: 'c', cluster: { server: 'https://api:6443', ...cluster } }],
    contexts: [{ name: 'here', context: { cluster: 'c', user: 'u' } }],
    users: [{ name: 'u', user }],
  };
}

const inBase64 = (text: string): string => Buffer.from(text).toString('base64');

it('reads server, certificates and token of the current context', async () => {
  const user = { token: 'abc', 'client-certificate-data': inBase64('a cert'), 'client-key-data': inBase64('a key') };
  const cluster = { 'certificate-authority-data': inBase64('a CA'), 'tls-server-name': 'other' };
  expect(await readKubeAccess(write('config', kubeconfig(user, cluster)))).toMatchObject({
    server: 'https://api:6443',
    ca: 'a CA',
    cert: 'a cert',
    key: 'a key',
    servername: 'other',
    headers: { Authorization: 'Bearer abc' },
  });
});

it('asks a credential plugin', async () => {
  const said =
    '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"of a plugin"}}';
  const command = write('plugin', `#!/bin/sh\necho '${said}'`);
  chmodSync(command, 0o700);
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command };
  const { headers } = await readKubeAccess(write('config', kubeconfig({ exec })));
  expect(headers).toEqual({ Authorization: 'Bearer of a plugin' });
});

it.each([
  ['no current context', { clusters: [], contexts: [], users: [] }, 'no current cluster'],
  ['a SOCKS proxy', kubeconfig({}, { 'proxy-url': 'socks5://proxy:1080' }), 'proxy-url is not one of http or https'],
  ['no YAML', '{', 'cannot be read'],
])('refuses %s with what is wrong', async (_, content, message) => {
  await expect(readKubeAccess(write('config', content))).rejects.toThrow(message);
});

it('says so when there is no configuration at all', async () => {
  vi.stubEnv('KUBECONFIG', '');
  vi.stubEnv('HOME', folder);
  await expect(readKubeAccess(undefined)).rejects.toThrow('no kubeconfig and no service account');
});

it('reads the credentials again when they are refused', async () => {
  const config = (token: string): string => {
    const { port } = server.address() as AddressInfo;
    return write(
      'config',
      kubeconfig({ token }, { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true }),
    );
  };
  const server = createServer((request, response) => {
    const status = request.headers.authorization === 'Bearer second' ? 200 : 401;
    response.writeHead(status).end(JSON.stringify({ status }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const api = await connectKube(config('first'));
  config('second');
  const answer = await api.get('/version', AbortSignal.timeout(20_000));
  expect(answer).toMatchObject({ kind: 'answer', status: 200 });
  server.close();
  server.closeAllConnections();
});
