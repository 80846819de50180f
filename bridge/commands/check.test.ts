import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import type { Config } from '../config/schema.ts';
import { UserError } from '../lib/errors.ts';
import { checkCommand } from './check.ts';
import type { Probe } from './probe.ts';
import { remoteProbes } from './remote-probes.ts';

let folder: string;
const servers: Server[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'check-'));
});

afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

async function serve(answer: (path: string) => { status: number; body: object }): Promise<number> {
  const server = createServer((request, response) => {
    const { status, body } = answer(request.url ?? '');
    response.writeHead(status, { 'content-type': 'application/json', connection: 'close' }).end(JSON.stringify(body));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function check(
  env: Record<string, string>,
  remote?: (config: Config) => Probe[] | Promise<Probe[]>,
): Promise<{ code: number; text: string }> {
  let text = '';
  const defaults = {
    LIFECYCLE_BRIDGE__STORE__PATH: join(folder, 'deep/er/bridge.db'),
    LIFECYCLE_BRIDGE__OTLP__HOST: '127.0.0.1',
    LIFECYCLE_BRIDGE__OTLP__PORT: '0',
    LIFECYCLE_BRIDGE__WEB__PORT: '0',
  };
  const terminal = { env: { ...defaults, ...env }, print: (line: string) => (text += `${line}\n`) };
  return { code: await checkCommand([], terminal, remote), text };
}

const probe = (name: string, result: Awaited<ReturnType<Probe['run']>>): Probe => ({ name, run: async () => result });

it('passes with a line for each thing that works, and a hint where nothing would be sent', async () => {
  const { code, text } = await check({}, () => [probe('LIST jobs', { ok: true, detail: 'allowed' })]);
  expect(code).toBe(0);
  expect(text).toMatch(/^ {2}! {2}configuration +valid, but without a destination\n +→ Nothing is sent anywhere/);
  expect(text).toMatch(/✓ {2}store +\S+bridge\.db can be written, [\d.]+ GiB free/);
  expect(text).toMatch(/✓ {2}OTLP port +127\.0\.0\.1, any free port/);
  expect(text).toMatch(/✓ {2}LIST jobs +allowed/);
  expect(text).toContain('All checks passed.');
});

it('says to whom has the key of cronitor-kubernetes, and no account, that it is not read', async () => {
  const { code, text } = await check({ CRONITOR_API_KEY: 'hunter2' }, () => []);
  expect(code).toBe(0);
  expect(text).toMatch(
    /! {2}configuration .*\n +→ CRONITOR_API_KEY .* "lifecycle-bridge migrate-from cronitor --env FILE"/,
  );
  expect(text).not.toContain('hunter2');
});

it('fails when anything failed, and says what to do', async () => {
  const failing = { name: 'Cronitor', run: () => Promise.reject(new Error('lost')) };
  const { code, text } = await check({}, () => [
    probe('LIST jobs', { ok: false, detail: 'forbidden', next: 'Grant list on jobs.' }),
    failing,
  ]);
  expect(code).toBe(1);
  expect(text).toMatch(/✗ {2}LIST jobs +forbidden\n +→ Grant list on jobs\./);
  expect(text).toMatch(/✗ {2}Cronitor +lost/);
  expect(text).toContain('2 of 6 checks failed.');
});

it('fails when a key file cannot be read', async () => {
  const file = join(folder, 'none');
  const { code, text } = await check({ LIFECYCLE_BRIDGE__CRONITOR__DEFAULT__API_KEY_FILE: file }, () => []);
  expect(code).toBe(1);
  expect(text).toMatch(
    /✗ {2}configuration +cronitor\/default: apiKeyFile cannot be read: ENOENT.*\n +→ Mount the Secret/,
  );
});

it('reads every other file with a secret, and says what is wrong without its content', async () => {
  const file = join(folder, 'token');
  const env = { LIFECYCLE_BRIDGE__WEB__AUTH: 'token', LIFECYCLE_BRIDGE__WEB__TOKEN_FILE: file };
  const missing = await check(env, () => []);
  expect(missing.code).toBe(1);
  expect(missing.text).toMatch(/✗ {2}web\.tokenFile +cannot be read: ENOENT.*\n +→ Mount the Secret/);
  writeFileSync(file, ' \n');
  const empty = await check(env, () => []);
  expect(empty.code).toBe(1);
  expect(empty.text).toMatch(/✗ {2}web\.tokenFile +\S+token is empty\n +→ Put the secret into it/);
  writeFileSync(file, 'correct-horse-battery');
  const good = await check(env, () => []);
  expect(good.code).toBe(0);
  expect(good.text).toMatch(/✓ {2}web\.tokenFile +\S+token can be read/);
  expect(good.text).not.toContain('correct');
});

it('asks no Kubernetes API when the bridge would not', async () => {
  const { code, text } = await check({ LIFECYCLE_BRIDGE__CLUSTER__LIST: 'false' }, remoteProbes);
  expect(code).toBe(0);
  expect(text).toMatch(/✓ {2}Kubernetes +not used, because cluster\.list is false/);
});

it('fails when the store cannot be written', async () => {
  writeFileSync(join(folder, 'file'), '');
  const { code, text } = await check({ LIFECYCLE_BRIDGE__STORE__PATH: join(folder, 'file/bridge.db') }, () => []);
  expect(code).toBe(1);
  expect(text).toMatch(/✗ {2}store +\S+ cannot be written/);
});

it('knows a running bridge on the OTLP port from another process', async () => {
  const other = await serve(() => ({ status: 200, body: { name: 'another', version: '1' } }));
  const bridge = await serve(() => ({ status: 200, body: { name: 'lifecycle-bridge', version: '1.2.3' } }));
  const ports = { LIFECYCLE_BRIDGE__OTLP__PORT: String(other), LIFECYCLE_BRIDGE__WEB__PORT: String(bridge) };
  const running = await check(ports, () => []);
  expect(running.text).toContain('is taken by a running bridge, version 1.2.3');
  expect(running.code).toBe(0);
  const taken = await check({ ...ports, LIFECYCLE_BRIDGE__WEB__PORT: String(other) }, () => []);
  expect(taken.text).toContain('is taken by another process');
  expect(taken.code).toBe(1);
});

it('tries a LIST of every followed kind in each namespace, and reaches the vendors', async () => {
  const paths: string[] = [];
  const api = await serve((path) => {
    paths.push(path);
    if (path.includes('/pods')) return { status: 403, body: { message: 'pods is forbidden' } };
    if (path.includes('/cronjobs')) return { status: 200, body: { items: [] } };
    return { status: 200, body: { metadata: { remainingItemCount: 6 }, items: [{ metadata: {} }] } };
  });
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(
    kubeconfig,
    `clusters: [{name: c, cluster: {server: "http://127.0.0.1:${api}", insecure-skip-tls-verify: true}}]\nusers: [{name: u, user: {}}]\n` +
      'contexts: [{name: x, context: {cluster: c, user: u}}]\ncurrent-context: x\n',
  );
  const { code, text } = await check({
    LIFECYCLE_BRIDGE__CLUSTER__KUBECONFIG: kubeconfig,
    LIFECYCLE_BRIDGE__CLUSTER__SCOPE: '[a, b]',
    LIFECYCLE_BRIDGE__CRONITOR__DEFAULT__API_KEY: 'hunter2',
    LIFECYCLE_BRIDGE__CRONITOR__DEFAULT__API_URL: `http://127.0.0.1:${api}`,
    LIFECYCLE_BRIDGE__CRONITOR__DEFAULT__PING_URL: 'http://127.0.0.1:1',
  });
  expect(code).toBe(1);
  expect(paths).toContain('/apis/batch/v1/namespaces/b/jobs?limit=1');
  expect(text).toMatch(/✓ {2}LIST jobs +allowed in a, b at \S+: 14 there/);
  expect(text).toMatch(/! {2}LIST cronjobs +allowed in a, b at \S+: 0 there\n +→ No CronJob is seen/);
  expect(text).toMatch(
    /✗ {2}LIST pods +the Kubernetes API answered 403: pods is forbidden\n +→ Grant .* list on pods in a/,
  );
  expect(text).toMatch(
    new RegExp(`✓ {2}cronitor/default +apiUrl: 127\\.0\\.0\\.1:${api} answers, the key may read monitors`),
  );
  expect(text).toMatch(/✗ {2}cronitor\/default +pingUrl: 127\.0\.0\.1:1 does not answer/);
  expect(text).not.toContain('hunter2');
});

it('refuses a wrong configuration before it tries anything', async () => {
  await expect(check({ LIFECYCLE_BRIDGE__LOG__LEVEL: 'loud' }, () => [])).rejects.toThrow(UserError);
});

it('says of each vendor address once what it is for and what is wrong', async () => {
  const vendor = await serve(() => ({ status: 401, body: { errors: 'bad key' } }));
  const { text } = await check(
    {
      LIFECYCLE_BRIDGE__CLUSTER__LIST: 'false',
      LIFECYCLE_BRIDGE__CRONITOR__DEFAULT__API_KEY: 'hunter2',
      LIFECYCLE_BRIDGE__CRONITOR__DEFAULT__API_URL: `http://127.0.0.1:${vendor}`,
      LIFECYCLE_BRIDGE__CRONITOR__DEFAULT__PING_URL: 'http://nowhere.invalid',
      LIFECYCLE_BRIDGE__CRONITOR__OTHER__API_KEY_FILE: join(folder, 'none'),
      LIFECYCLE_BRIDGE__CRONITOR__OTHER__API_URL: `http://127.0.0.1:${vendor}`,
      LIFECYCLE_BRIDGE__CRONITOR__OTHER__PING_URL: `http://127.0.0.1:${vendor}`,
    },
    remoteProbes,
  );
  expect(text).toMatch(
    /✗ {2}cronitor\/default +apiUrl: \S+ answers, but the vendor refused the key \(401\)\n +→ A key that may configure monitors/,
  );
  expect(text).toMatch(
    /✗ {2}cronitor\/default +pingUrl: nowhere\.invalid does not answer: \w+\n +→ No address is known/,
  );
  expect(text.match(/A key that may configure monitors is needed/g)).toHaveLength(1);
  expect(text.match(/apiKeyFile cannot be read/g)).toHaveLength(1);
  expect(text).toContain('3 of 9 checks failed.');
});
