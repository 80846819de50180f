import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startVendors } from '../../../test/vendors/start-vendors.ts';
import type { Vendors } from '../../../test/vendors/start-vendors.ts';
import { systemClock } from '../../lib/clock.ts';
import { createHttp } from '../http.ts';
import type { Http } from '../http.ts';
import type { Json } from '../../lib/json.ts';
import type { ClaimedDesired, ClaimedIntent } from '../sink.ts';
import { cronitorSchema } from './config.ts';
import { createCronitorDeliverer } from './deliver.ts';
import { monitorPayload } from './payload.ts';
import { cronJob, planConfig } from './fixtures.ts';

let vendors: Vendors;
let http: Http;
let folder: string;
const { signal } = new AbortController();

beforeEach(async () => {
  vendors = await startVendors();
  http = createHttp({});
  folder = mkdtempSync(join(tmpdir(), 'cronitor-'));
});
afterEach(async () => {
  await http.close();
  await vendors.close();
  rmSync(folder, { recursive: true });
});

function deliverer(config: object = { apiKey: vendors.key }) {
  const parsed = cronitorSchema.parse({ apiUrl: vendors.url, pingUrl: vendors.url, ...config });
  return createCronitorDeliverer('default', parsed, http, systemClock);
}

/** `fields` of the monitor as nobody planned them: what Cronitor refuses is not in an annotation's power. */
function row(key: string, fields: Record<string, Json> = {}): ClaimedDesired {
  const wanted = { ...monitorPayload(cronJob(), key, planConfig()), ...fields };
  return { destination: 'cronitor/default', key, wanted, wantedHash: key, attempt: 1 };
}

function ping(key: string, query: Record<string, string>): ClaimedIntent {
  const claimed = { seq: 1, destination: 'cronitor/default', transitionId: 't', attempt: 1 };
  return { key: 't', lane: 'run/1', payload: { key, query }, limits: [], ...claimed };
}

describe('a ping', () => {
  it('is a POST with an escaped key, a sorted query and no body', async () => {
    const query = { state: 'fail', series: 's', message: 'a & b? ü', env: 'x' };
    expect(await deliverer().deliver([ping('a:b c&ü', query)], signal)).toEqual([{ outcome: 'delivered' }]);
    expect(vendors.requests).toMatchObject([
      {
        method: 'POST',
        path: '/ping/:key/a%3Ab%20c%26%C3%BC?env=x&message=a+%26+b%3F+%C3%BC&series=s&state=fail',
        body: '',
        headers: { 'user-agent': expect.stringMatching(/^lifecycle-bridge\/\d+\.\d+\.\d+$/) },
      },
    ]);
    expect(vendors.cronitor.pings).toMatchObject([{ monitor: 'a:b c&ü', query }]);
  });

  it('holds only its monitor after 429', async () => {
    vendors.inject({ status: 429 });
    const [delivery] = await deliverer().deliver([ping('m', { state: 'run' })], signal);
    expect(delivery).toMatchObject({ reason: 'rate_limited', hold: { key: 'monitor/m' }, afterMs: 2000 });
  });

  it('keeps neither control characters nor credentials of what the vendor says', async () => {
    vendors.inject({ status: 400, body: '\u001B]0;title\u0007\u001B[2Jno\u009B31m\u202E password=hunter2' });
    const [delivery] = await deliverer().deliver([ping('m', { state: 'run' })], signal);
    expect(delivery).toMatchObject({ detail: 'HTTP 400: no password=[redacted]' });
  });

  it('survives text that is not Unicode', async () => {
    expect(await deliverer().deliver([ping('m', { state: 'run', message: '\udfff' })], signal)).toEqual([
      { outcome: 'delivered' },
    ]);
  });

  it.each(['', '.', '..', '%2e%2e', 'a/b', '..\\b', '\u0000', '\ud800'])(
    'never goes to another URL: key %j',
    async (key) => {
      const dropped = { outcome: 'drop', reason: 'bad_request', detail: 'the key cannot be part of a URL' };
      expect(await deliverer().deliver([ping(key, { state: 'run' })], signal)).toEqual([dropped]);
      expect(await deliverer().converge([{ ...row(key), wanted: null }, row(key)], signal)).toEqual([dropped, dropped]);
      expect(vendors.requests).toEqual([]);
    },
  );
});

describe('monitors', () => {
  it('go as one bare array with the headers of the API', async () => {
    const rows = [row('a'), row('b')];
    expect(await deliverer().converge(rows, signal)).toEqual([{ outcome: 'delivered' }, { outcome: 'delivered' }]);
    expect(vendors.requests).toMatchObject([
      {
        method: 'PUT',
        path: '/api/monitors?auto-discover=1',
        headers: { 'content-type': 'application/json', 'cronitor-version': '2020-10-27' },
        body: JSON.stringify(rows.map(({ wanted }) => wanted)),
      },
    ]);
    expect(vendors.cronitor.violations).toEqual([]);
  });

  it('of which some are wrong are refused alone', async () => {
    const bad = { assertions: ['metric.duration < 5 %'] };
    const rows = Array.from({ length: 20 }, (_, index) => row(`m${index}`, index === 3 || index === 17 ? bad : {}));
    const deliveries = await deliverer().converge(rows, signal);
    const refused = { outcome: 'drop', reason: 'bad_request', detail: expect.stringContaining('is not an assertion') };
    expect(deliveries).toEqual(
      rows.map((_, index) => (index === 3 || index === 17 ? refused : { outcome: 'delivered' })),
    );
    expect(vendors.cronitor.monitors.size).toBe(18);
  });

  it('are not sent on when the vendor asks for a pause while the wrong one is searched', async () => {
    const rows = [row('a'), row('b'), row('c', { assertions: ['metric.duration < 5 %'] }), row('d')];
    vendors.inject({ status: 400 });
    vendors.inject({ status: 429, retryAfter: 5 });
    const deliveries = await deliverer().converge(rows, signal);
    expect(deliveries).toHaveLength(4);
    for (const delivery of deliveries) expect(delivery).toMatchObject({ reason: 'rate_limited', afterMs: 5000 });
    expect(vendors.requests).toHaveLength(2);
  });

  it('are not accepted by an answer that is not an array', async () => {
    vendors.inject({ status: 200, body: '{"monitors":[]}' });
    expect(await deliverer().converge([row('a')], signal)).toMatchObject([{ outcome: 'retry', reason: 'bad_answer' }]);
  });
});

describe('a key file', () => {
  it('is read when the deliverer is made, and again when the key is refused', async () => {
    const apiKeyFile = join(folder, 'key');
    writeFileSync(apiKeyFile, 'old-key\n');
    const cronitor = deliverer({ apiKeyFile });
    expect(await cronitor.deliver([ping('m', { state: 'run' })], signal)).toMatchObject([{ reason: 'unauthorized' }]);
    writeFileSync(apiKeyFile, `${vendors.key}\n`);
    const batch = Array.from({ length: 5 }, () => ping('m', { state: 'run' }));
    expect(await cronitor.deliver(batch, signal)).toEqual(batch.map(() => ({ outcome: 'delivered' })));
    expect(await cronitor.converge([row('m')], signal)).toEqual([{ outcome: 'delivered' }]);
  });

  it('that vanished or is empty leaves the last key', async () => {
    const apiKeyFile = join(folder, 'key');
    writeFileSync(apiKeyFile, 'old-key');
    const cronitor = deliverer({ apiKeyFile });
    writeFileSync(apiKeyFile, '');
    expect(await cronitor.converge([row('m')], signal)).toMatchObject([{ outcome: 'drop', reason: 'unauthorized' }]);
    expect(vendors.requests).toHaveLength(1);
  });

  it('that is missing or empty at the start is an error that says what to do', () => {
    const apiKeyFile = join(folder, 'key');
    expect(() => deliverer({ apiKeyFile })).toThrow('cronitor/default: apiKeyFile cannot be read');
    writeFileSync(apiKeyFile, ' \n');
    expect(() => deliverer({ apiKeyFile })).toThrow('is empty');
  });
});

describe('the configuration', () => {
  it.each([
    [{}, 'exactly one of apiKey and apiKeyFile'],
    [{ apiKey: 'a', apiKeyFile: 'b' }, 'exactly one of apiKey and apiKeyFile'],
    [{ apiKey: '<api key>' }, 'no placeholder'],
    [{ apiKey: 'a', apiUrl: 'cronitor.io' }, 'must be an http or https URL'],
    [{ apiKey: 'a', apiurl: 'https://cronitor.io' }, 'apiurl'],
  ])('%o is refused: %s', (config, message) => {
    expect(JSON.stringify(cronitorSchema.safeParse(config).error?.issues)).toContain(message);
  });

  it('needs only a key', () => {
    expect(cronitorSchema.parse({ apiKey: 'a' })).toEqual({
      apiKey: 'a',
      apiUrl: 'https://cronitor.io',
      pingUrl: 'https://cronitor.link',
      onDelete: 'pause',
      deleteAfter: 86_400_000,
      shipLogs: true,
      namespaces: [],
      excludeNamespaces: [],
      labelSelector: { matchLabels: {}, matchExpressions: [] },
      defaultBehavior: 'include',
      inferredKeys: 'cluster',
      tags: [],
      onCancelled: 'fail',
      stuck: 'none',
      manualRuns: 'report',
      dryRun: false,
    });
  });
});
