import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';

import { loadConfig } from '../config/load.ts';
import { printConfig } from '../config/print.ts';
import { UserError } from '../lib/errors.ts';
import { EndedSessions } from './ended-sessions.ts';
import { startTestWeb, type TestWeb } from './test-web.ts';

const TOKEN = 'a-token-of-some-length';
const OPEN = ['/livez', '/readyz', '/metrics', '/version'];
const CLOSED = ['/', '/runs/x', '/drops', '/api/runs', '/api', '/events', '/quarantine/1'];

let web: TestWeb | undefined;
afterEach(async () => {
  await web?.close();
  web = undefined;
});

const start = async (config: object): Promise<TestWeb> => (web = await startTestWeb(config));
/** Some containers have none. */
const HAS_IPV6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ family }) => family === 'IPv6'),
);
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

async function session(page: TestWeb): Promise<string> {
  return (await login(page, TOKEN)).headers.get('set-cookie')!.split(';')[0]!;
}

function login(page: TestWeb, token: string, to = '/drops'): Promise<Response> {
  const body = new URLSearchParams({ token, to });
  return page.get('/login', { method: 'POST', body, redirect: 'manual' });
}

describe('auth: token', () => {
  it('lets probes and scrapers in, and nobody else', async () => {
    const page = await start({ auth: 'token', token: TOKEN });
    for (const path of OPEN) expect((await page.get(path)).status).toBe(200);
    for (const path of CLOSED) {
      const refused = await page.get(path);
      expect(refused.status).toBe(401);
      expect(refused.headers.get('www-authenticate')).toBe('Bearer');
    }
    expect((await page.get('/', bearer(`${TOKEN}x`))).status).toBe(401);
    expect((await page.get('/api/runs', bearer(TOKEN))).status).toBe(200);
  });

  it('answers programs in JSON and people with a form, without naming the cluster', async () => {
    const page = await start({ auth: 'token', token: TOKEN });
    expect(await (await page.get('/api/runs')).json()).toMatchObject({ error: { message: /token/ } });
    const form = await (await page.get('/drops?kind=decision', { headers: { accept: 'text/html' } })).text();
    expect(form).toContain('<input type="hidden" name="to" value="/drops?kind=decision" />');
    expect(form).not.toContain('team-a');
  });

  it('gives a session for the token, in a cookie that no script and no other site can use', async () => {
    const page = await start({ auth: 'token', token: TOKEN });
    const response = await login(page, TOKEN);
    expect([response.status, response.headers.get('location')]).toEqual([303, '/drops']);
    const cookie = response.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/; HttpOnly; SameSite=Strict/);
    expect(cookie).not.toContain(TOKEN);
    const session = cookie.split(';')[0]!;
    expect((await page.get('/', { headers: { cookie: `a=b; ${session}` } })).status).toBe(200);
    const later = session.replace(/\d+/, (at) => String(Number(at) + 1));
    expect((await page.get('/', { headers: { cookie: later } })).status).toBe(401);
    expect((await login(page, 'wrong')).status).toBe(401);
    expect(page.logged.join('')).not.toContain('wrong');
  });

  it.each(['//evil.example', '/\\evil.example', 'https://evil.example', '/login', ''])(
    'goes home instead of to %s',
    async (to) => {
      const page = await start({ auth: 'token', token: TOKEN });
      expect((await login(page, TOKEN, to)).headers.get('location')).toBe('/');
    },
  );

  it('ends a session at the logout, over a restart too, and no other', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sessions-'));
    const config = { auth: 'token', token: TOKEN, endedSessionsFile: join(folder, 'ended') } as const;
    let page = await start(config);
    const [ended, other] = [await session(page), await session(page)];
    const shown = async (cookie: string) => (await page.get('/', { headers: { cookie } })).status;
    expect([await shown(ended), await shown(other)]).toEqual([200, 200]);
    const logout = await page.get('/logout', { method: 'POST', headers: { cookie: ended }, redirect: 'manual' });
    expect([logout.status, logout.headers.get('location')]).toEqual([303, '/login']);
    expect([await shown(ended), await shown(other)]).toEqual([401, 200]);
    await page.close();
    page = await start(config);
    expect([await shown(ended), await shown(other)]).toEqual([401, 200]);
    rmSync(folder, { recursive: true });
  });

  it('keeps of a thousand logouts and more the newest, and nothing that a stranger sends', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sessions-'));
    const file = join(folder, 'ended');
    writeFileSync(file, JSON.stringify(Array.from({ length: 1000 }, (_, id) => [String(id), 100])));
    new EndedSessions(file).end('1000', 100, 50);
    const ended = new EndedSessions(file);
    expect(['0', '1', '1000'].map((id) => ended.has(id))).toEqual([false, true, true]);
    ended.end('later', 200, 150);
    expect(['1', 'later'].map((id) => ended.has(id))).toEqual([false, true]);
    const page = await start({ auth: 'token', token: TOKEN, endedSessionsFile: file });
    const before = readFileSync(file, 'utf8');
    const cookie = `lifecycle_bridge_session=${Date.now() + 1e6}.id.signature`;
    expect((await page.get('/logout', { method: 'POST', headers: { cookie }, redirect: 'manual' })).status).toBe(303);
    expect(readFileSync(file, 'utf8')).toBe(before);
    rmSync(folder, { recursive: true });
  });

  it('logs out all the same when that cannot be written, and logs what a restart would undo', async () => {
    const page = await start({ auth: 'token', token: TOKEN, endedSessionsFile: '/nowhere/ended' });
    const cookie = await session(page);
    await page.get('/logout', { method: 'POST', headers: { cookie }, redirect: 'manual' });
    expect((await page.get('/', { headers: { cookie } })).status).toBe(401);
    expect(page.logged.join('')).toContain('a restart of the bridge would undo it');
  });

  it.each([
    [{ 'sec-fetch-site': 'same-origin', origin: 'https://proxied.example' }, 303],
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ 'sec-fetch-site': 'same-site' }, 403],
    [{ origin: 'https://evil.example' }, 403],
    [{ origin: 'null' }, 403],
    [{ origin: 'no address' }, 403],
    [{ origin: 'https://page.example', 'x-forwarded-host': 'page.example' }, 303],
    [{}, 303],
  ] as const)('answers a form with %o by %i', async (headers, status) => {
    const page = await start({ auth: 'token', token: TOKEN });
    const body = new URLSearchParams({ token: TOKEN });
    for (const path of ['/login', '/logout']) {
      const response = await page.get(path, { method: 'POST', headers, body, redirect: 'manual' });
      expect([path, response.status]).toEqual([path, status]);
      expect(response.headers.has('set-cookie')).toBe(status === 303);
    }
  });

  it('takes a form of its own over plain HTTP, where browsers send only where it comes from', async () => {
    const page = await start({ auth: 'token', token: TOKEN });
    const headers = { origin: `http://127.0.0.1:${page.options.port}` };
    const body = new URLSearchParams({ token: TOKEN });
    expect((await page.get('/login', { method: 'POST', headers, body, redirect: 'manual' })).status).toBe(303);
    // With no-referrer a browser would send "null".
    expect((await page.get('/login')).headers.get('referrer-policy')).toBe('same-origin');
  });

  it.each([
    ['a large body', 'a'.repeat(100_000), {}, 413],
    ['many parameters', Array.from({ length: 20 }, (_, index) => `p${index}=1`).join('&'), {}, 413],
    ['an unknown charset', 'token=a', { 'content-type': 'application/x-www-form-urlencoded; charset=klingon' }, 415],
    ['an unknown encoding', 'token=a', { 'content-encoding': 'klingon' }, 415],
    ['broken gzip', 'token=a', { 'content-encoding': 'gzip' }, 400],
    ['no form', '{"token":"a"}', { 'content-type': 'application/json' }, 401],
    ['no body', '', {}, 401],
    ['the token twice', `token=${TOKEN}&token=${TOKEN}`, {}, 401],
    ['odd names', 'token[a]=b&__proto__=c&constructor=d', {}, 401],
    ['odd bytes', 'token=%00%ff%', {}, 401],
  ])('refuses a login with %s as what it is', async (_what, body, headers, status) => {
    const page = await start({ auth: 'token', token: TOKEN });
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    const response = await page.get('/login', { method: 'POST', body, headers: { ...type, ...headers } });
    expect(response.status).toBe(status);
    expect(page.logged.join('')).not.toContain('"stack"');
  });

  it.each([
    ['/login', { method: 'POST', body: new URLSearchParams({ token: 'wrong' }) }, 'a login to the page was refused'],
    [`/${'x'.repeat(5000)}`, bearer('wrong'), 'a request with a wrong token was refused'],
    [
      '/logout',
      { method: 'POST', headers: { origin: 'https://evil.example' } },
      'a form for the page came from another',
    ],
  ] as const)(
    'writes of many wrong requests to %.10s one line a minute, with how many',
    async (path, request, text) => {
      let now = 1_000_000;
      const page = await start({ auth: 'token', token: TOKEN, clock: { now: () => now } });
      const lines = () => page.logged.filter((line) => line.includes(text));
      for (let count = 0; count < 50; count++) await page.get(path, request);
      expect(lines()).toHaveLength(1);
      now += 60_000;
      await page.get(path, request);
      expect(lines()).toEqual([expect.anything(), expect.stringContaining('"times":50')]);
      expect(lines().join('').length).toBeLessThan(1000);
    },
  );

  it('ends a session after a week', async () => {
    let now = 1_000_000;
    const page = await start({ auth: 'token', token: TOKEN, clock: { now: () => now } });
    const cookie = (await login(page, TOKEN)).headers.get('set-cookie')!.split(';')[0]!;
    now += 6 * 86_400_000;
    expect((await page.get('/', { headers: { cookie } })).status).toBe(200);
    now += 2 * 86_400_000;
    expect((await page.get('/', { headers: { cookie } })).status).toBe(401);
  });

  it('takes a new token from its file; the old one and its sessions end', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'token-'));
    const tokenFile = join(folder, 'token');
    writeFileSync(tokenFile, `${TOKEN}\n`);
    let now = 1_000_000;
    const page = await start({ auth: 'token', tokenFile, clock: { now: () => now } });
    const session = (await login(page, TOKEN)).headers.get('set-cookie')!.split(';')[0]!;
    writeFileSync(tokenFile, 'another-token-by-now');
    now += 6_000;
    expect((await page.get('/api/runs', bearer('another-token-by-now'))).status).toBe(200);
    expect((await page.get('/api/runs', bearer(TOKEN))).status).toBe(401);
    expect((await page.get('/api/runs', { headers: { cookie: session } })).status).toBe(401);
    rmSync(folder, { recursive: true });
    now += 6_000;
    expect((await page.get('/api/runs', bearer('another-token-by-now'))).status).toBe(200);
  });
});

describe('auth: proxy-header', () => {
  it('believes the header only when it comes from a trusted address', async () => {
    const named = { headers: { 'x-forwarded-user': 'ada' } };
    const page = await start({ auth: 'proxy-header', trustedProxies: ['127.0.0.0/8'] });
    expect((await page.get('/', named)).status).toBe(200);
    expect((await page.get('/')).status).toBe(401);
    expect((await page.get('/', { headers: { 'x-forwarded-user': ' ' } })).status).toBe(401);
    expect((await page.get('/livez')).status).toBe(200);
    await page.close();
    web = undefined;
    const other = await start({ auth: 'proxy-header', trustedProxies: ['10.0.0.0/8', '::1'] });
    expect((await other.get('/', named)).status).toBe(401);
  });

  it('refuses with a page that says why, or JSON, and writes of many such requests one short line', async () => {
    const page = await start({ auth: 'proxy-header', trustedProxies: ['10.0.0.0/8'] });
    const refused = await page.get('/', { headers: { accept: 'text/html' } });
    expect([refused.status, refused.headers.get('content-type')]).toEqual([401, 'text/html; charset=utf-8']);
    const text = await refused.text();
    expect(text).toContain('This page is reached only through its proxy, which sends X-Forwarded-User');
    expect(text).not.toMatch(/team-a|test &lt;cluster|<script|href="\/runs/);
    expect(await (await page.get('/api/runs')).json()).toMatchObject({ error: { message: /proxy/ } });
    for (let count = 0; count < 50; count++) await page.get(`/${'x'.repeat(5000)}`);
    expect(page.logged).toHaveLength(1);
    expect(page.logged[0]!.length).toBeLessThan(500);
  });

  it.skipIf(!HAS_IPV6)('sees IPv4 clients of a dual-stack socket as what they are', async () => {
    const page = await start({ auth: 'proxy-header', trustedProxies: ['127.0.0.1'], host: '::' });
    expect((await page.get('/', { headers: { 'x-forwarded-user': 'ada' } })).status).toBe(200);
  });
});

describe('the configuration', () => {
  const load = (web: Record<string, unknown>) => loadConfig({ env: {}, overrides: { web } });

  it.each([
    [{ auth: 'token', token: TOKEN, tokenFile: '/x' }, 'set token or tokenFile, not both'],
    [{ auth: 'token', token: 'short' }, 'at least 16 characters'],
    [{ auth: 'proxy-header' }, 'needs trustedProxies'],
    [{ auth: 'proxy-header', trustedProxies: ['10.0.0.0/33'] }, 'an IP address or network'],
    [{ auth: 'password' }, 'none, token, proxy-header'],
  ])('%o is refused: %s', (web, text) => {
    expect(() => load(web)).toThrow(UserError);
    expect(() => load(web)).toThrow(text);
  });

  it('is printed without the token', () => {
    expect(printConfig(load({ auth: 'token', token: TOKEN }))).not.toContain(TOKEN);
  });
});
