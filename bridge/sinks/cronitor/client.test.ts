import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startVendors } from '../../../test/vendors/start-vendors.ts';
import type { Vendors } from '../../../test/vendors/start-vendors.ts';
import { systemClock } from '../../lib/clock.ts';
import { createHttp } from '../http.ts';
import type { Http } from '../http.ts';
import type { ClaimedDesired, ClaimedIntent, Deliverer } from '../sink.ts';
import { cronitorSchema } from './config.ts';
import { createCronitorDeliverer } from './deliver.ts';
import { cronJob, planConfig } from './fixtures.ts';
import { monitorPayload } from './payload.ts';

// §8 as in parity.test.ts: the unit tests of its clients of the monitor and the telemetry API.

let vendors: Vendors;
let http: Http;
const { signal } = new AbortController();
beforeEach(async () => {
  vendors = await startVendors();
  http = createHttp({});
});
afterEach(async () => {
  await http.close();
  await vendors.close();
});

function deliverer(config: object = {}): Deliverer {
  const account = { apiKey: vendors.key, apiUrl: vendors.url, pingUrl: vendors.url, ...config };
  return createCronitorDeliverer('default', cronitorSchema.parse(account), http, systemClock);
}

const row = (key: string): ClaimedDesired => {
  const wanted = monitorPayload(cronJob({ name: `name of ${key}` }), key, planConfig());
  return { destination: 'cronitor/default', key, wanted, wantedHash: key, attempt: 1 };
};

const ping = (query: Record<string, string>): ClaimedIntent => {
  const claimed = { seq: 1, destination: 'cronitor/default', transitionId: 't', attempt: 1 };
  return { key: 't', lane: 'run/1', payload: { key: 'my-id', query }, limits: [], ...claimed };
};

describe('§8 its client of the monitor API', () => {
  it.each([200, 201])('takes %i with a list for success', async (status) => {
    vendors.inject({ status, body: '[]' });
    expect(await deliverer().converge([row('a')], signal)).toEqual([{ outcome: 'delivered' }]);
  });

  it.each([
    [400, { outcome: 'drop', reason: 'bad_request' }],
    [401, { outcome: 'drop', reason: 'unauthorized', hold: { key: 'api' } }],
    [403, { outcome: 'drop', reason: 'forbidden', hold: { key: 'api' } }],
    [500, { outcome: 'retry', reason: 'server_error' }],
  ])('says what %i means', async (status, delivery) => {
    vendors.inject({ status, body: 'its words' });
    const [answer] = await deliverer().converge([row('a')], signal);
    expect(answer).toMatchObject(delivery);
    expect(answer).toMatchObject({ detail: expect.stringContaining(`HTTP ${status}`) as string });
  });

  it('sends three CronJobs in one request, as the user that the key is', async () => {
    await deliverer().converge(['a', 'b', 'c'].map(row), signal);
    expect(vendors.requests).toHaveLength(1);
    expect([...vendors.cronitor.monitors.values()].map(({ name }) => name)).toEqual([
      'name of a',
      'name of b',
      'name of c',
    ]);
    expect(vendors.cronitor.violations).toEqual([]);
  });
});

describe('§8 its client of the telemetry API', () => {
  it('sends only the state when there is nothing else', async () => {
    await deliverer().deliver([ping({ state: 'run' })], signal);
    expect(vendors.requests.map(({ path }) => path)).toEqual(['/ping/:key/my-id?state=run']);
  });

  it('sends every parameter, encoded, and the state never in the path', async () => {
    const query = {
      state: 'complete',
      message: 'a=b & "c"',
      series: 'job-uid',
      env: 'production/eu',
      host: 'node-1',
      stamp: '1767607200',
      metric: 'duration:8',
      status_code: '0',
    };
    await deliverer().deliver([ping(query)], signal);
    const { pathname, searchParams } = new URL(vendors.requests[0]!.path, 'http://vendors');
    expect(pathname).toBe('/ping/:key/my-id');
    expect(Object.fromEntries(searchParams)).toEqual(query);
    expect(vendors.cronitor.pings).toMatchObject([{ monitor: 'my-id', query }]);
  });

  it('hears of a key that is refused', async () => {
    expect(await deliverer({ apiKey: 'another' }).deliver([ping({ state: 'run' })], signal)).toMatchObject([
      { outcome: 'retry', reason: 'unauthorized' },
    ]);
    expect(vendors.requests).toHaveLength(1);
  });
});
