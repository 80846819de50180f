import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

import { startApp, type App } from '../app/app.ts';
import { loadConfig } from '../config/load.ts';
import { systemClock } from '../lib/clock.ts';
import { createLogger } from '../telemetry/logger.ts';
import { checkCommand } from './check.ts';
import { pageTokenCommand } from './page-token.ts';

let folder: string;
let path: string;
const apps: App[] = [];
const logged: string[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'page-token-'));
  path = join(folder, 'bridge.db');
  logged.length = 0;
});
afterEach(async () => {
  for (const app of apps.splice(0)) await app.stop();
  rmSync(folder, { recursive: true });
});

async function start(): Promise<App> {
  const overrides = {
    cluster: { list: false },
    otlp: { port: 0, host: '127.0.0.1' },
    web: { port: 0, auth: 'token' },
    store: { path },
  };
  const config = loadConfig({ env: {}, overrides });
  const logger = createLogger('info', [], { write: (line) => void logged.push(line) });
  const app = await startApp({ config, clock: systemClock, logger });
  apps.push(app);
  return app;
}

function pageToken(argv: readonly string[], env: Record<string, string> = {}): string {
  let text = '';
  pageTokenCommand(argv, { env, print: (line) => (text += line) });
  return text;
}

const env = (web: Record<string, string>) => ({
  LIFECYCLE_BRIDGE__STORE__PATH: path,
  ...Object.fromEntries(Object.entries(web).map(([key, value]) => [`LIFECYCLE_BRIDGE__WEB__${key}`, value])),
});

const status = async (app: App, token: string): Promise<number> =>
  (await fetch(`http://127.0.0.1:${app.webPort}/api/runs`, { headers: { authorization: `Bearer ${token}` } })).status;

it('prints the token that the bridge made once, for its user only, and that lets in after a restart too', async () => {
  const first = await start();
  const token = pageToken(['--store', path]);
  expect(token).toMatch(/^[0-9a-f]{48}$/);
  expect(pageToken([], env({ AUTH: 'token' }))).toBe(token);
  expect(statSync(`${path}.page-token`).mode & 0o777).toBe(0o600);
  expect([await status(first, token), await status(first, `${token}0`), await status(first, '')]).toEqual([
    200, 401, 401,
  ]);
  expect(logged.join('')).toContain('lifecycle-bridge page-token prints it');
  expect(logged.join('')).not.toContain(token);
  await apps.pop()?.stop();
  expect(await status(await start(), token)).toBe(200);
});

it('makes a new one in the place of an empty file, as a full disk may leave it', async () => {
  writeFileSync(`${path}.page-token`, '\n');
  const app = await start();
  expect(await status(app, readFileSync(`${path}.page-token`, 'utf8').trim())).toBe(200);
});

it('prints a configured token, and that of a configured file', () => {
  const file = join(folder, 'token');
  writeFileSync(file, 'a-token-from-a-file\n');
  expect(pageToken([], env({ AUTH: 'token', TOKEN_FILE: file }))).toBe('a-token-from-a-file');
  expect(pageToken([], env({ AUTH: 'token', TOKEN: 'a-configured-token' }))).toBe('a-configured-token');
});

it('says what is missing when there is no token', () => {
  expect(() => pageToken([], env({}))).toThrow('web.auth is none');
  expect(() => pageToken([], env({ AUTH: 'token' }))).toThrow(/there is no token yet: \S+page-token is missing/);
  expect(() => pageToken(['--store', join(folder, 'other.db')])).toThrow(/other\.db\.page-token is missing/);
});

it('is announced by check, before and after it is made', async () => {
  const check = async (): Promise<string> => {
    let text = '';
    const ports = { LIFECYCLE_BRIDGE__OTLP__PORT: '0', LIFECYCLE_BRIDGE__WEB__PORT: '0' };
    const terminal = { env: { ...ports, ...env({ AUTH: 'token' }) }, print: (line: string) => (text += `${line}\n`) };
    expect(await checkCommand([], terminal, () => [])).toBe(0);
    return text;
  };
  expect(await check()).toMatch(/✓ {2}page token +the bridge makes it at its first start/);
  writeFileSync(`${path}.page-token`, 'a-token-that-was-made');
  const text = await check();
  expect(text).toMatch(/✓ {2}page token +\S+page-token; lifecycle-bridge page-token prints it/);
  expect(text).not.toContain('a-token-that-was-made');
});
