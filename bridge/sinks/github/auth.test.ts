import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { appSettings, rowOf, startBench } from './bench.ts';
import type { Bench } from './bench.ts';

const DELIVERED = { outcome: 'delivered' };
const app = () => appSettings(bench);
const REFUSED = { outcome: 'drop', reason: 'unauthorized', afterMs: 60_000, hold: { key: 'credentials' } };
const HOUR = 3_600_000;

let bench: Bench;
let folder: string;
beforeEach(async () => {
  bench = await startBench();
  folder = mkdtempSync(join(tmpdir(), 'github-'));
});
afterEach(async () => {
  await bench.close();
  rmSync(folder, { recursive: true });
});

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

describe('a token of a file', () => {
  it('is read again when GitHub refuses it, and the request is made once more', async () => {
    const credentialFile = file('token', 'old\n');
    const deliverer = bench.deliverer({ credential: undefined, credentialFile });
    bench.vendors.github.auth.tokens.set('old', { artifact_metadata: 'write' });
    expect(await bench.converge([rowOf('a')], deliverer)).toEqual([DELIVERED]);
    bench.vendors.github.auth.tokens.delete('old');
    file('token', `${bench.vendors.key}\n`);
    expect(await bench.converge([rowOf('b')], deliverer)).toEqual([DELIVERED]);
    expect(deliverer.isRefused?.()).toBe(false);
  });

  it('that stays refused holds everything, and is taken at once when it is replaced', async () => {
    const credentialFile = file('token', 'wrong');
    const deliverer = bench.deliverer({ credential: undefined, credentialFile });
    expect(deliverer.renewed?.()).toEqual(['credentials']);
    expect(await bench.converge([rowOf('a'), rowOf('b')], deliverer)).toMatchObject([REFUSED, REFUSED]);
    expect(bench.requests()).toHaveLength(1);
    expect(deliverer.isRefused?.()).toBe(true);
    expect(deliverer.renewed?.()).toEqual([]);
    file('token', bench.vendors.key);
    expect(deliverer.renewed?.()).toEqual(['credentials']);
    expect(await bench.converge([rowOf('a')], deliverer)).toEqual([DELIVERED]);
  });

  it('that is missing or empty is an error at the start, with the path', () => {
    expect(() => bench.deliverer({ credential: undefined, credentialFile: join(folder, 'none') })).toThrow(
      /credentialFile cannot be read/,
    );
    expect(() => bench.deliverer({ credential: undefined, credentialFile: file('empty', ' \n') })).toThrow(
      /empty is empty/,
    );
  });
});

describe('a GitHub App', () => {
  it('gets its token from the configured address, also below a path, and keeps it', async () => {
    const apiUrl = `${bench.vendors.url.replace('127.0.0.1', 'localhost')}/api/v3/`;
    const deliverer = bench.deliverer({ ...app(), apiUrl });
    await bench.converge([rowOf('a')], deliverer);
    await bench.converge([rowOf('b')], deliverer);
    expect(bench.requests()).toEqual([
      'POST /api/v3/app/installations/5678/access_tokens',
      'POST /api/v3/orgs/acme/artifacts/metadata/deployment-record',
      'POST /api/v3/orgs/acme/artifacts/metadata/deployment-record',
    ]);
    expect(bench.vendors.github.violations).toEqual([]);
  });

  it.each([
    ['with line breaks written as \\n', (pem: string) => pem.trim().replaceAll('\n', '\\n')],
    ['in base64 of several lines', (pem: string) => btoa(pem).replaceAll(/.{76}/g, '$&\n')],
    ['with line breaks of Windows', (pem: string) => pem.replaceAll('\n', '\r\n')],
  ])('takes its key %s', async (_what, written) => {
    const { credential, ...settings } = app() as { credential: string };
    const deliverer = bench.deliverer({
      ...settings,
      credential: undefined,
      credentialFile: file('key', written(credential)),
    });
    expect(await bench.converge([rowOf('a')], deliverer)).toEqual([DELIVERED]);
  });

  it('whose token has expired or was revoked gets another one, and nothing is lost', async () => {
    const deliverer = bench.deliverer(app());
    expect(await bench.converge([rowOf('a')], deliverer)).toEqual([DELIVERED]);
    bench.clock.at += HOUR + 1;
    expect(await bench.converge([rowOf('b')], deliverer)).toEqual([DELIVERED]);
    bench.vendors.github.auth.revoke();
    expect(await bench.converge([rowOf('c')], deliverer)).toEqual([DELIVERED]);
    expect(bench.vendors.github.auth.issued).toBe(3);
  });

  it.each([-3, 3])('gets a token where the clocks differ by %i hours', async (hours) => {
    const deliverer = bench.deliverer(app());
    bench.vendors.github.clock = () => bench.clock.at + hours * HOUR;
    expect(await bench.converge([rowOf('a')], deliverer)).toEqual([DELIVERED]);
    expect(bench.requests().filter((request) => request.endsWith('access_tokens'))).toHaveLength(2);
  });

  it('that is suspended holds everything until it is not', async () => {
    const deliverer = bench.deliverer(app());
    bench.vendors.github.auth.suspended = true;
    expect(await bench.converge([rowOf('a')], deliverer)).toMatchObject([
      { ...REFUSED, detail: expect.stringContaining('GitHub gives the App no token: HTTP 401') },
    ]);
    bench.vendors.github.auth.suspended = false;
    expect(await bench.converge([rowOf('a')], deliverer)).toEqual([DELIVERED]);
  });

  it.each([
    [{ status: 503 }, 'server_error'],
    [{ status: 429, retryAfter: 3 }, 'rate_limited'],
    [{ reset: true }, 'answer_lost'],
  ])('that gets no token because of %j tries again', async (fault, reason) => {
    const deliverer = bench.deliverer(app());
    bench.vendors.inject({ match: 'access_tokens', ...fault });
    expect(await bench.converge([rowOf('a')], deliverer)).toMatchObject([{ outcome: 'retry', reason }]);
    bench.clock.at += 3000;
    expect(await bench.converge([rowOf('a')], deliverer)).toEqual([DELIVERED]);
  });

  it('with a key that is not one says so without it, and takes the one that replaces it', async () => {
    const { credential, ...settings } = app();
    const bad = '-----BEGIN RSA PRIVATE KEY-----\nbm90IGEga2V5\n-----END RSA PRIVATE KEY-----';
    const deliverer = bench.deliverer({ ...settings, credential: undefined, credentialFile: file('key.pem', bad) });
    deliverer.renewed?.();
    const [delivery] = await bench.converge([rowOf('a')], deliverer);
    expect(delivery).toMatchObject({ ...REFUSED, detail: 'the private key of the App cannot be used' });
    file('key.pem', credential);
    expect(deliverer.renewed?.()).toEqual(['credentials']);
    expect(await bench.converge([rowOf('a')], deliverer)).toEqual([DELIVERED]);
  });

  it('says in a check what it may do', async () => {
    const deliverer = bench.deliverer(app());
    expect(await deliverer.check?.(bench.abort.signal)).toEqual({
      outcome: 'delivered',
      detail: 'the App was granted artifact_metadata: write in acme',
    });
    bench.vendors.github.auth.granted = { metadata: 'read' };
    bench.vendors.github.auth.revoke();
    expect(await deliverer.check?.(bench.abort.signal)).toMatchObject({ outcome: 'drop', reason: 'forbidden' });
  });
});

describe('a check of a token', () => {
  it('says that it is accepted, and what is known of its permissions', async () => {
    expect(await bench.deliverer().check?.(bench.abort.signal)).toMatchObject({
      outcome: 'delivered',
      detail: expect.stringMatching(/may read the artifacts of acme/),
    });
    bench.vendors.github.auth.tokens.set(bench.vendors.key, {});
    expect(await bench.deliverer().check?.(bench.abort.signal)).toMatchObject({
      outcome: 'delivered',
      detail: expect.stringMatching(/is accepted and sees acme; .* shows with the first record/),
    });
    expect(bench.requests().every((request) => request.startsWith('GET'))).toBe(true);
  });

  it('fails with a wrong one', async () => {
    const check = bench.deliverer({ credential: 'wrong' }).check?.(bench.abort.signal);
    expect(await check).toMatchObject({ outcome: 'drop', reason: 'unauthorized' });
  });

  it('is followed by a test that records nothing', async () => {
    const { artifacts } = bench.vendors.github;
    artifacts.unknown.add(`sha256:${'0'.repeat(64)}`);
    expect(await bench.deliverer().test?.(bench.abort.signal)).toMatchObject({
      delivery: DELIVERED,
      did: expect.stringContaining('nothing was recorded'),
    });
    expect(artifacts.records.size).toBe(0);
    expect(bench.vendors.github.violations).toEqual([]);
  });
});
