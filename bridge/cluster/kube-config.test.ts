import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { connectKube } from './api.ts';
import type { KubeAccess } from './kube-config.ts';
import { readKubeAccess } from './kube-config.ts';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'kube-config-'))));
afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, content: string | object): string {
  const file = join(folder, name);
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

function kubeconfig(user: object | null, cluster: object = {}): object {
  return {
    'current-context': 'here',
    clusters: [{ name: 'c', cluster: { server: 'https://api:6443', ...cluster } }],
    contexts: [{ name: 'here', context: { cluster: 'c', user: 'u' } }],
    users: [{ name: 'u', user }],
  };
}

async function authorization(access: KubeAccess | undefined): Promise<string | undefined> {
  return (await access?.options())?.headers['authorization'];
}

it('reads server, certificate authority and token of the current context', async () => {
  const ca = Buffer.from('a certificate').toString('base64');
  const file = write('config', kubeconfig({ token: 'abc' }, { 'certificate-authority-data': ca }));
  const access = readKubeAccess(file);
  expect(access).toMatchObject({ server: 'https://api:6443', ca: 'a certificate' });
  expect(await access?.options()).toMatchObject({ ca: 'a certificate', rejectUnauthorized: true });
  expect(await authorization(access)).toBe('Bearer abc');
});

it('reads files from the folder of the kubeconfig, and again for each request', async () => {
  write('token', 'first\n');
  write('cert.pem', 'a certificate');
  write('key.pem', 'a key');
  const user = { tokenFile: 'token', 'client-certificate': 'cert.pem', 'client-key': './key.pem' };
  const access = readKubeAccess(write('config', kubeconfig(user)));
  expect(await access?.options()).toMatchObject({ cert: 'a certificate', key: 'a key' });
  expect(await authorization(access)).toBe('Bearer first');
  write('token', 'second\n');
  expect(await authorization(access)).toBe('Bearer second');
});

it('merges the files of KUBECONFIG: the first that names something wins, one that is not there is left out', async () => {
  const user = write('users', { users: [{ name: 'u', user: { token: 'of the first' } }] });
  const rest = write('rest', kubeconfig({ token: 'of the second' }));
  const access = readKubeAccess(undefined, { KUBECONFIG: `${folder}/none:${user}:${rest}` });
  expect(await authorization(access)).toBe('Bearer of the first');
});

it('takes ~/.kube/config, and without any the service account of the pod', async () => {
  const account = join(folder, 'account');
  mkdirSync(account);
  write('account/token', 'of the pod');
  write('account/ca.crt', 'the CA');
  const env = { HOME: folder, KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '6443' };
  const pod = readKubeAccess(undefined, env, account);
  expect(pod).toMatchObject({ server: 'https://10.0.0.1:6443', ca: 'the CA' });
  expect(await authorization(pod)).toBe('Bearer of the pod');
  expect(readKubeAccess(undefined, { HOME: folder }, folder)).toBeUndefined();
  mkdirSync(join(folder, '.kube'));
  write('.kube/config', kubeconfig(null));
  expect(readKubeAccess(undefined, env, account)?.server).toBe('https://api:6443');
});

it('asks a credential plugin, and again only when what it gave is about to expire', async () => {
  const plugin = `#!/bin/sh
echo x >> ${folder}/calls
echo "$KUBERNETES_EXEC_INFO" > ${folder}/asked
echo '{"status":{"token":"'$PREFIX-$1-$(wc -l < ${folder}/calls)'","expirationTimestamp":"'$(cat ${folder}/until)'"}}'`;
  chmodSync(write('plugin', plugin), 0o700);
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: './plugin',
    args: ['arg'],
    env: [{ name: 'PREFIX', value: 'env' }],
    provideClusterInfo: true,
  };
  const access = readKubeAccess(write('config', kubeconfig({ exec })));
  write('until', new Date(Date.now() + 30_000).toISOString());
  expect(await authorization(access)).toBe('Bearer env-arg-1');
  write('until', new Date(Date.now() + 3_600_000).toISOString());
  expect(await authorization(access)).toBe('Bearer env-arg-2');
  expect(await authorization(access)).toBe('Bearer env-arg-2');
  expect(JSON.parse(readFileSync(join(folder, 'asked'), 'utf8'))).toMatchObject({
    kind: 'ExecCredential',
    spec: { interactive: false, cluster: { server: 'https://api:6443' } },
  });
});

it('acts as somebody else where the user says so, and honours server name and an unchecked certificate', async () => {
  const cluster = { 'insecure-skip-tls-verify': true, 'tls-server-name': 'other' };
  const access = readKubeAccess(write('config', kubeconfig({ token: 't', as: 'auditor' }, cluster)));
  expect(await access?.options()).toMatchObject({
    rejectUnauthorized: false,
    servername: 'other',
    headers: { 'impersonate-user': 'auditor' },
  });
});

it.each([
  ['a server without TLS', kubeconfig({ token: 't' }, { server: 'http://api' }), 'unencrypted'],
  ['an auth-provider', kubeconfig({ 'auth-provider': { name: 'oidc' } }), 'auth-provider'],
  ['no current context', { clusters: [] }, 'no current cluster'],
])('refuses %s with what is wrong', (_, content, message) => {
  const file = write('config', content);
  expect(() => connectKube(file)).toThrow(message);
});
