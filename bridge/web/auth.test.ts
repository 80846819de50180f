import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';

import { loadConfig } from '../config/load.ts';
import { printConfig } from '../config/print.ts';
import { UserError } from '../lib/errors.ts';
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

  it('tells programs in JSON and people with a form, without naming the cluster', async () => {
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
