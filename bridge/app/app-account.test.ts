import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { secretForms } from '../../test/sink-contract/sink-case.ts';
import { connectOtlp, encodeLogs } from '../../test/otlp-client.ts';
import { startVendors } from '../../test/vendors/start-vendors.ts';
import type { Vendors } from '../../test/vendors/start-vendors.ts';
import type { App } from './app.ts';
import { startApp } from './app.ts';
import { loadConfig } from '../config/load.ts';
import { systemClock } from '../lib/clock.ts';
import { createLogger } from '../telemetry/logger.ts';

const KEY = 'a/secret+key';
const TELEMETRY_KEY = 'telemetry/only+key';

let folder: string;
let keyFile: string;
let vendors: Vendors;
let app: App;
let log: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'account-'));
  keyFile = join(folder, 'key');
  log = '';
  vendors = await startVendors({ key: KEY });
  vendors.cronitor.telemetryKeys.add(TELEMETRY_KEY);
});
afterEach(async () => {
  await app.stop();
  await vendors.close();
  rmSync(folder, { recursive: true });
});

async function start(more: object = {}): Promise<void> {
  const account = { apiKeyFile: keyFile, apiUrl: vendors.url, pingUrl: vendors.url };
  const overrides = {
    cluster: { list: false },
    otlp: { port: 0, host: '127.0.0.1' },
    web: { port: 0, auth: 'none' },
    store: { path: join(folder, 'store', 'bridge.db') },
    cronitor: { default: account, ...more },
  };
  const logger = createLogger('debug', [], { write: (line) => void (log += line) });
  app = await startApp({ config: loadConfig({ env: {}, overrides }), clock: systemClock, logger });
}

const uid = (n: number): string => `33333333-0000-4000-8000-${String(n).padStart(12, '0')}`;

function cronJob(n: number): object {
  const metadata = { name: `job-${n}`, namespace: 'shop', uid: uid(n), resourceVersion: '1' };
  return { apiVersion: 'batch/v1', kind: 'CronJob', metadata, spec: { schedule: '* * * * *' } };
}

function job(n: number): object {
  const owner = { apiVersion: 'batch/v1', kind: 'CronJob', name: `job-${n}`, uid: uid(n), controller: true };
  const metadata = { name: `job-${n}-1`, namespace: 'shop', uid: uid(1_000_000 + n), resourceVersion: '2' };
  const startTime = new Date().toISOString();
  const meta = { ...metadata, creationTimestamp: startTime, ownerReferences: [owner] };
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: meta, spec: {}, status: { startTime, active: 1 } };
}

async function send(objects: readonly object[]): Promise<void> {
  const client = connectOtlp(`127.0.0.1:${app.otlpPort}`);
  const bodies = objects.map((object) => ({ body: { type: 'MODIFIED', object } }));
  for (let at = 0; at < bodies.length; at += 500)
    expect((await client.export(encodeLogs(bodies.slice(at, at + 500)))).code).toBe(0);
  client.close();
}

const read = async (path: string): Promise<string> => (await fetch(`http://127.0.0.1:${app.webPort}${path}`)).text();
const puts = () => vendors.requests.filter(({ method }) => method === 'PUT').length;

it('a telemetry-only key: telemetry goes, the refusal is said everywhere, and another key in the file is taken at once', async () => {
  writeFileSync(keyFile, TELEMETRY_KEY);
  const second = { apiKey: KEY, apiUrl: vendors.url, pingUrl: vendors.url, env: 'second' };
  await start({ second });
  await send([cronJob(1), job(1)]);
  await expect.poll(() => vendors.cronitor.pings.length).toBe(2);
  const text =
    /cronitor\/default: the key may send telemetry but not configure anything.*1 object there waits.*SDK key/;
  await expect.poll(() => read('/readyz')).toMatch(text);
  expect(JSON.parse(await read('/readyz'))).toMatchObject({ ready: true });
  expect(await read('/')).toMatch(text);
  expect(await read('/desired')).toContain('the key may send telemetry but not configure anything');
  expect(log).toContain('"reason":"limited_key"');
  expect(await read('/metrics')).toContain('reason="limited_key"');
  const [run] = app.reader.runs({ limit: 1 }).items;
  const decisions = app.reader.run(run!.uid)!.decisions.map(({ destination, reason }) => [destination, reason]);
  expect(decisions).toEqual([
    ['cronitor/default', 'row_refused'],
    ['cronitor/second', undefined],
  ]);
  const before = puts();
  writeFileSync(keyFile, KEY);
  await expect.poll(puts).toBe(before + 1);
  await expect.poll(() => read('/readyz')).not.toMatch(text);
});

it('a wrong key makes no monitor by a ping when it is replaced: the PUT goes first', async () => {
  writeFileSync(keyFile, 'wrong/key');
  await start();
  await send([cronJob(1), job(1)]);
  await expect.poll(() => read('/readyz')).toContain('the vendor refused the key');
  await expect.poll(() => log).toContain('"channel":"telemetry","reason":"unauthorized"');
  writeFileSync(keyFile, KEY);
  await expect.poll(() => vendors.cronitor.pings.length).toBe(1);
  expect(vendors.cronitor.autoCreated).toEqual([]);
  expect(vendors.cronitor.monitors.size).toBe(1);
});

it('no key is in the log, the store, or on a page after deliveries that fail in every way', async () => {
  writeFileSync(keyFile, KEY);
  const forms = secretForms([KEY]);
  const echo = `${forms.join(' ')} http://vendor/ping/${encodeURIComponent(KEY)}/m`;
  for (const match of ['PUT', 'POST']) {
    vendors.inject({ match, status: 302, body: echo });
    vendors.inject({ match, status: 500, body: echo });
    vendors.inject({ match, reset: true });
    vendors.inject({ match, status: 400, body: echo });
  }
  await start();
  await send([cronJob(1), job(1)]);
  await expect.poll(() => app.reader.dropCounts().length, { timeout: 50_000, interval: 200 }).toBeGreaterThan(0);
  const pages = ['/', '/desired', '/deliveries', '/drops', '/readyz', '/metrics', '/api/desired', '/api/deliveries'];
  const shown = (await Promise.all(pages.map(read))).join('');
  expect(shown).toContain('HTTP 400');
  expect(shown).toContain('[redacted]');
  await app.stop();
  const files = readdirSync(join(folder, 'store')).map((name) => readFileSync(join(folder, 'store', name), 'latin1'));
  for (const form of forms) for (const text of [shown, log, ...files]) expect(text).not.toContain(form);
  await start();
});

it('many CronJobs take one request per hundred at the first start, and none after a restart', async () => {
  const count = 250;
  writeFileSync(keyFile, KEY);
  await start();
  await send(Array.from({ length: count }, (_, n) => cronJob(n)));
  await expect.poll(() => vendors.cronitor.monitors.size, { timeout: 60_000 }).toBe(count);
  // Those that arrive while the first request is under way may need one more.
  expect(puts()).toBeLessThanOrEqual(Math.ceil(count / 100) + 1);
  await expect.poll(() => app.reader.depth()[0]!.notInSync).toBe(0);
  await app.stop();
  const before = vendors.requests.length;
  await start();
  await send(Array.from({ length: count }, (_, n) => cronJob(n)));
  await send([cronJob(count)]);
  await expect.poll(() => vendors.cronitor.monitors.size).toBe(count + 1);
  expect(vendors.requests.slice(before)).toHaveLength(1);
});
