import { spawn } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startVendors } from './start-vendors.ts';
import type { Vendors } from './start-vendors.ts';

let vendors: Vendors;
beforeEach(async () => {
  vendors = await startVendors({ key: 'k' });
});
afterEach(() => vendors.close());

const monitor = (overrides: object = {}) => ({ key: 'm', type: 'job', schedule: '*/5 * * * *', ...overrides });

const put = (body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${vendors.url}/api/monitors?auto-discover=1`, {
    method: 'PUT',
    headers: {
      authorization: `Basic ${btoa('k:')}`,
      'content-type': 'application/json',
      'cronitor-version': '2020-10-27',
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

const ping = (query: string, key = 'k', name = 'm') =>
  fetch(`${vendors.url}/ping/${key}/${name}?${query}`, { method: 'POST' });

describe('the simulated monitor API', () => {
  it('accepts a bare array and echoes it', async () => {
    const answer = await put([monitor()]);
    expect([answer.status, await answer.json()]).toEqual([200, [monitor()]]);
    expect(vendors.cronitor.monitors.get('m')).toEqual(monitor());
    expect(vendors.cronitor.violations).toEqual([]);
  });

  it.each([
    ['another key', { authorization: `Basic ${btoa('other:')}` }, 401],
    ['a bearer', { authorization: 'Bearer k' }, 401],
    ['another content', { 'content-type': 'text/plain' }, 400],
    ['another version', { 'cronitor-version': '1' }, 400],
  ])('refuses %s', async (_, headers, status) => {
    expect((await put([monitor()], headers)).status).toBe(status);
    expect(vendors.cronitor.violations).toHaveLength(1);
  });

  it.each([
    ['an unknown field', monitor({ colour: 'red' })],
    ['no schedule', { key: 'm', type: 'job' }],
    ['a schedule that is none', monitor({ schedule: 'whenever' })],
    ['a schedule with its zone', monitor({ schedule: 'CRON_TZ=UTC 5 4 * * *' })],
    ['a schedule with a line break', monitor({ schedule: '5 4 * * *\n' })],
    ['a schedule with two spaces', monitor({ schedule: '5  4 * * *' })],
    ['a schedule of Kubernetes alone', monitor({ schedule: '*/+5 1,,2 ? * *' })],
    ['a name of 101 characters', monitor({ name: 'x'.repeat(101) })],
    ['a tag of 101 characters', monitor({ tags: ['x'.repeat(101)] })],
    ['tags that are not a list', monitor({ tags: 'a,b' })],
    ['an empty notify', monitor({ notify: [''] })],
    ['a negative grace', monitor({ grace_seconds: -1 })],
    ['an unknown zone', monitor({ timezone: 'Mars/Olympus' })],
    ['an assertion without operator', monitor({ assertions: ['metric.duration 5 seconds'] })],
    ['metadata that is not JSON text', monitor({ metadata: '{' })],
    ['a heartbeat with a cron schedule', monitor({ type: 'heartbeat' })],
    ['a heartbeat with a time zone', monitor({ type: 'heartbeat', schedule: 'every 60 seconds', timezone: 'UTC' })],
    ['a job with an interval', monitor({ schedule: 'every 60 seconds' })],
  ])('refuses the whole batch for %s', async (_, wrong) => {
    expect((await put([monitor({ key: 'other' }), wrong])).status).toBe(400);
    expect(vendors.cronitor.monitors.size).toBe(0);
  });

  it.each(['*/1 * * * *', '0 4 * * MON-FRI', '@daily', '@every 1h30m', '0 4 1-7,*/10 1 0-6/2'])(
    'takes the schedule %s',
    async (schedule) => {
      expect((await put([monitor({ schedule })])).status).toBe(200);
    },
  );

  it.each(['no json', '{"monitors":[]}', '[{"key":"m"},{"key":"m"}]'])('refuses the body %s', async (body) => {
    expect((await put(body)).status).toBe(400);
  });
});

describe('the simulated monitor API, of one monitor', () => {
  const request = (method: string, path: string, key = 'k', body?: string) =>
    fetch(`${vendors.url}/api/monitors${path}`, {
      method,
      headers: { authorization: `Basic ${btoa(`${key}:`)}`, 'cronitor-version': '2020-10-27' },
      ...(body !== undefined && { body }),
    });

  it('deletes it once, by its escaped key', async () => {
    await put([monitor({ key: 'a/b c' })]);
    expect((await request('DELETE', '/a%2Fb%20c')).status).toBe(204);
    expect((await request('DELETE', '/a%2Fb%20c')).status).toBe(404);
    expect(vendors.cronitor.deletes).toEqual(['a/b c']);
    expect(vendors.cronitor.monitors.size).toBe(0);
    expect(vendors.cronitor.violations).toEqual([]);
  });

  it('refuses other methods, a body, and keys that may not', async () => {
    await put([monitor()]);
    vendors.cronitor.telemetryKeys.add('only-telemetry');
    expect((await request('POST', '/m')).status).toBe(405);
    expect((await request('DELETE', '/m', 'k', '{}')).status).toBe(400);
    expect((await request('DELETE', '/m', 'other')).status).toBe(401);
    expect((await request('DELETE', '/m', 'only-telemetry')).status).toBe(403);
    expect((await request('GET', '', 'only-telemetry')).status).toBe(403);
    expect((await ping('state=run', 'only-telemetry')).status).toBe(200);
    expect(vendors.cronitor.monitors.size).toBe(1);
  });

  it('lists all', async () => {
    await put([monitor()]);
    expect(await (await request('GET', '')).json()).toEqual({ monitors: [monitor()] });
  });
});

describe('the simulated telemetry API', () => {
  it('records pings in order and counts those of unknown monitors', async () => {
    await ping('state=run&series=1');
    await put([monitor()]);
    await ping('state=complete&series=1');
    expect(vendors.cronitor.pings).toMatchObject([{ query: { state: 'run' } }, { query: { state: 'complete' } }]);
    expect(vendors.cronitor.autoCreated).toEqual(['m']);
  });

  it.each([
    ['a wrong state', 'state=started'],
    ['an unknown parameter', 'state=run&exit=1'],
    ['milliseconds', `state=run&stamp=${Date.now()}`],
    ['a metric that is none', 'state=complete&metric=duration'],
    ['an exit code that is none', 'state=fail&status_code=SIGKILL'],
    ['a parameter twice', 'state=run&state=complete'],
    ['a job without state', 'series=1'],
    ['a message that is too long', `state=fail&message=${'x'.repeat(2001)}`],
  ])('refuses %s', async (_, query) => {
    expect((await ping(query)).status).toBe(400);
    expect(vendors.cronitor.pings).toEqual([]);
  });

  it('takes an exit code, a duration and, of a heartbeat, a ping without state', async () => {
    await put([monitor({ type: 'heartbeat', schedule: 'every 60 seconds' })]);
    expect((await ping('host=a')).status).toBe(200);
    expect((await ping('state=run')).status).toBe(400);
    expect(vendors.cronitor.heartbeats).toMatchObject([{ monitor: 'm' }]);
    expect((await ping('state=fail&status_code=137&metric=duration:8.5', 'k', 'job')).status).toBe(200);
  });

  it('refuses a wrong key', async () => {
    expect((await ping('state=run', 'wrong')).status).toBe(401);
  });

  it('answers 429 with Retry-After to more than a burst of ten per monitor', async () => {
    // More than what a busy machine lets pass while they arrive.
    const answers = await Promise.all(Array.from({ length: 100 }, () => ping('state=ok')));
    const limited = answers.filter(({ status }) => status === 429);
    expect(limited.length).toBeGreaterThan(0);
    expect(limited[0]!.headers.get('retry-after')).toBe('1');
    expect(vendors.cronitor.violations).toHaveLength(limited.length);
    expect((await ping('state=ok', 'k', 'another')).status).toBe(200);
  });
});

describe('faults', () => {
  it('hit the matching requests, as often as asked', async () => {
    vendors.inject({ match: 'state=run', times: 2, status: 503, retryAfter: 9 });
    expect((await ping('state=complete')).status).toBe(200);
    const first = await ping('state=run');
    expect([first.status, first.headers.get('retry-after')]).toEqual([503, '9']);
    expect((await ping('state=run')).status).toBe(503);
    expect((await ping('state=run')).status).toBe(200);
  });

  it('close the connection before or after the work', async () => {
    vendors.inject({ reset: true });
    vendors.inject({ resetAfterProcessing: true });
    await expect(ping('state=run')).rejects.toThrow('fetch failed');
    expect(vendors.cronitor.pings).toHaveLength(0);
    await expect(ping('state=run')).rejects.toThrow('fetch failed');
    expect(vendors.cronitor.pings).toHaveLength(1);
  });

  it('make an answer slow', async () => {
    vendors.inject({ delayMs: 200 });
    await expect(
      fetch(`${vendors.url}/ping/k/m?state=run`, { method: 'POST', signal: AbortSignal.timeout(50) }),
    ).rejects.toThrow('timeout');
  });
});

describe('another process', () => {
  it('can drive and read them over HTTP', async () => {
    const post = (path: string, body: string) => fetch(`${vendors.url}/debug/${path}`, { method: 'POST', body });
    expect((await post('inject', '{"status":500}')).status).toBe(200);
    expect((await post('inject', '{"state":500}')).status).toBe(400);
    expect((await ping('state=run')).status).toBe(500);
    await ping('state=run');
    const state = await (await fetch(`${vendors.url}/debug/state`)).text();
    expect(JSON.parse(state)).toMatchObject({
      cronitor: { pings: [{ monitor: 'm' }], autoCreated: ['m'] },
      requests: [{ status: 500, path: '/ping/:key/m?state=run' }, { status: 200 }],
    });
    await post('clear', '');
    expect(vendors.cronitor.pings).toEqual([]);
    expect((await fetch(`${vendors.url}/debug/health`)).status).toBe(200);
  });

  it('shows a page of monitors and pings, escaped', async () => {
    await put([monitor({ name: '<b>nightly</b>' })]);
    await ping('state=run');
    const html = await (await fetch(`${vendors.url}/`)).text();
    expect(html).toContain('&lt;b&gt;nightly&lt;/b&gt;');
    expect(html).not.toContain('<b>');
  });

  it('may be the simulator itself, which ends on SIGTERM', async () => {
    const child = spawn(process.execPath, [`${import.meta.dirname}/main.ts`], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    const line = await new Promise<string>((resolve) =>
      child.stdout.once('data', (data: Buffer) => resolve(data.toString())),
    );
    const url = /^vendors: (http:\/\/127\.0\.0\.1:\d+\/)\n$/.exec(line)?.[1];
    expect((await fetch(`${url}debug/health`)).status).toBe(200);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  });
});
