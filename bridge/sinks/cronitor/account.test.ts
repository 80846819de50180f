import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startVendors } from '../../../test/vendors/start-vendors.ts';
import type { Vendors } from '../../../test/vendors/start-vendors.ts';
import { systemClock } from '../../lib/clock.ts';
import { createHttp } from '../http.ts';
import type { Http } from '../http.ts';
import type { ClaimedDesired, ClaimedIntent } from '../sink.ts';
import { cronitorSchema } from './config.ts';
import { createCronitorDeliverer } from './deliver.ts';

let vendors: Vendors;
let http: Http;
let folder: string;
let apiKeyFile: string;
const { signal } = new AbortController();
const DELIVERED = { outcome: 'delivered' };

beforeEach(async () => {
  vendors = await startVendors();
  http = createHttp({});
  folder = mkdtempSync(join(tmpdir(), 'account-'));
  apiKeyFile = join(folder, 'key');
  writeFileSync(apiKeyFile, vendors.key);
});
afterEach(async () => {
  await http.close();
  await vendors.close();
  rmSync(folder, { recursive: true });
});

function account(config: object = {}) {
  const parsed = cronitorSchema.parse({ apiKeyFile, apiUrl: vendors.url, pingUrl: vendors.url, ...config });
  return createCronitorDeliverer('default', parsed, http, systemClock);
}

function row(key: string, fields: object = {}): ClaimedDesired {
  const wanted = { key, type: 'job', schedule: '* * * * *', ...fields };
  return { destination: 'cronitor/default', key, wanted, wantedHash: key, attempt: 1 };
}

const removed = (key: string): ClaimedDesired => ({ ...row(key), wanted: null });

function ping(key: string, state = 'run'): ClaimedIntent {
  const claimed = { seq: 1, destination: 'cronitor/default', transitionId: 't', attempt: 1 };
  return { key: 't', lane: 'run/1', payload: { key, query: { state } }, limits: [], ...claimed };
}

describe('a monitor that is wanted no more', () => {
  it('is deleted by its escaped key; one that the vendor does not know is as good as deleted', async () => {
    const cronitor = account();
    await cronitor.converge([row('a:b c'), row('stays')], signal);
    const rows = [removed('a:b c'), row('new'), removed('never known')];
    expect(await cronitor.converge(rows, signal)).toEqual([DELIVERED, DELIVERED, DELIVERED]);
    expect(vendors.requests.map(({ method, path }) => `${method} ${path}`).slice(1)).toEqual([
      'PUT /api/monitors?auto-discover=1',
      'DELETE /api/monitors/a%3Ab%20c',
      'DELETE /api/monitors/never%20known',
    ]);
    expect([...vendors.cronitor.monitors.keys()]).toEqual(['stays', 'new']);
    expect(vendors.cronitor.violations).toEqual([]);
  });

  it('waits with all that come after it when the vendor asks for a pause', async () => {
    vendors.inject({ match: 'DELETE', status: 429, retryAfter: 9 });
    const answers = await account().converge([removed('a'), removed('b'), row('c')], signal);
    const paused = { outcome: 'retry', reason: 'rate_limited', afterMs: 9000, hold: { key: 'api' } };
    expect(answers).toEqual([paused, { ...paused, unknown: false }, DELIVERED]);
    expect(vendors.requests).toHaveLength(2);
  });
});

describe('monitors in bulk', () => {
  it('go in requests of at most one MiB', async () => {
    const note = 'x'.repeat(300_000);
    const answers = await account().converge(
      ['a', 'b', 'c', 'd', 'e'].map((key) => row(key, { note })),
      signal,
    );
    expect(answers.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 5 }, () => 'drop'));
    const sizes = vendors.requests.map(({ body }) => body.length);
    expect(Math.max(...sizes)).toBeLessThan(1024 * 1024);
  });

  it.each([
    [1, 15],
    [10, 99],
    [50, 199],
    [100, 199],
  ])('of which %i of 100 are wrong cost at most %i requests', async (bad, most) => {
    const every = 100 / bad;
    const rows = Array.from({ length: 100 }, (_, n) => row(`m${n}`, n % every === 0 ? { schedule: 'whenever' } : {}));
    const answers = await account().converge(rows, signal);
    expect(answers.filter(({ outcome }) => outcome === 'drop')).toHaveLength(bad);
    expect(vendors.cronitor.monitors.size).toBe(100 - bad);
    expect(vendors.requests.length).toBeLessThanOrEqual(most);
  });

  it.each([
    [200, 'delivered', undefined],
    [201, 'delivered', undefined],
    [400, 'drop', 'bad_request'],
    [401, 'drop', 'unauthorized'],
    [403, 'drop', 'forbidden'],
    [500, 'retry', 'server_error'],
  ])('HTTP %i is %s %s', async (status, outcome, reason) => {
    vendors.inject({ status, body: '[]' });
    const [answer] = await account().converge([row('a')], signal);
    expect(answer).toMatchObject({ outcome, ...(reason !== undefined && { reason }) });
  });
});

describe('a key that may only send telemetry', () => {
  beforeEach(() => {
    writeFileSync(apiKeyFile, 'telemetry-key');
    vendors.cronitor.telemetryKeys.add('telemetry-key');
  });

  it('is recognised once telemetry was accepted under it; until then the refusal says what it may be', async () => {
    const cronitor = account();
    const wait = { outcome: 'drop', hold: { key: 'api' }, afterMs: 60_000 };
    const unknown = { ...wait, reason: 'forbidden', detail: expect.stringContaining('or may only send telemetry') };
    expect(await cronitor.converge([row('a'), row('b')], signal)).toMatchObject([unknown, unknown]);
    expect(vendors.requests).toHaveLength(1);
    expect(cronitor.renewed!()).toEqual(['api']);
    expect(cronitor.renewed!()).toEqual([]);
    expect(await cronitor.deliver([ping('a')], signal)).toEqual([DELIVERED]);
    expect(cronitor.renewed!()).toEqual(['api']);
    expect(cronitor.renewed!()).toEqual([]);
    const known = { ...wait, reason: 'limited_key', detail: expect.stringContaining('HTTP 403') };
    expect(await cronitor.converge([row('a')], signal)).toMatchObject([known]);
    expect((await cronitor.test!(signal)).delivery).toMatchObject({ reason: 'limited_key' });
    expect(await cronitor.check!(signal)).toMatchObject({ reason: 'limited_key' });
  });

  it('is looked after from the refusal on: another key in its file is news, once', async () => {
    const cronitor = account();
    expect(cronitor.renewed!()).toEqual(['api']);
    await cronitor.converge([row('a')], signal);
    expect(cronitor.renewed!()).toEqual([]);
    writeFileSync(apiKeyFile, vendors.key);
    expect(cronitor.renewed!()).toEqual(['api', 'address']);
    expect(cronitor.renewed!()).toEqual([]);
    expect(await cronitor.converge([row('a')], signal)).toEqual([DELIVERED]);
    expect(await cronitor.check!(signal)).toMatchObject(DELIVERED);
  });
});

describe('the second telemetry host', () => {
  it('hears what the first did not', async () => {
    const second = await startVendors();
    const cronitor = account({ pingFallbackUrl: second.url });
    await vendors.down();
    const reasons = [];
    for (let n = 0; n < 3; n++) reasons.push(...(await cronitor.deliver([ping('a')], signal)));
    await vendors.up();
    await second.close();
    const held = { outcome: 'retry', reason: 'connection_failed', hold: { key: 'address' } };
    expect(reasons).toMatchObject([held, held, DELIVERED]);
    expect(second.cronitor.pings).toHaveLength(1);
    expect(second.cronitor.violations).toEqual([]);
  });
});

describe('a pause that the vendor asks for', () => {
  it('is one of the monitor, and of the address when another monitor has to pause at the same moment', async () => {
    const cronitor = account();
    vendors.inject({ status: 429, times: 3 });
    const holds = [];
    for (const key of ['a', 'a', 'b']) holds.push(...(await cronitor.deliver([ping(key)], signal)));
    expect(holds).toMatchObject([
      { hold: { key: 'monitor/a' } },
      { hold: { key: 'monitor/a' } },
      { hold: { key: 'address' } },
    ]);
  });
});
