import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { fillSample, sampleUid } from './sample-store.ts';
import { NOW, startTestWeb, type TestWeb } from './test-web.ts';

let web: TestWeb;
beforeAll(async () => {
  web = await startTestWeb();
  fillSample(web.store, NOW, 20);
});
afterAll(() => web.close());

const LISTS = ['/', '/desired', '/deliveries', '/drops', '/problems', '/cronjobs'];
const API_LISTS = ['/api/runs', '/api/desired', '/api/deliveries', '/api/drops', '/api/problems', '/api/cronjobs'];
const ITEMS = ['/runs/', '/quarantine/', '/api/runs/', '/api/quarantine/'];

const encoded = (position: unknown): string => Buffer.from(JSON.stringify(position)).toString('base64url');
const BAD_QUERIES = [
  'cursor=nonsense',
  'cursor=%00',
  `cursor=${encoded({})}`,
  `cursor=${encoded([null, null, null])}`,
  `cursor=${encoded([['a'], ['b']])}`,
  `cursor=${encoded('text')}`,
  'cursor=a&cursor=b',
  'limit=0',
  'limit=-1',
  'limit=1.5',
  'limit=1e3',
  'limit=NaN',
  'limit=Infinity',
  'limit=99999999999999999999',
  'limit=1&limit=1',
  'limit[]=1',
  '__proto__=1',
  'constructor=1',
  'toString=1',
  'unknown=1',
  '%ff=1',
  '=1',
];
const BAD_FILTERS = [
  '/?status=done',
  '/?status=constructor',
  '/?status=__proto__',
  '/?namespace=a&namespace=b',
  '/deliveries?status=none',
  '/deliveries?status=toString',
  '/drops?reason=x',
  '/drops?kind=hasOwnProperty',
  '/cronjobs?runs=all',
];
const BAD_IDS = [
  'none',
  '0',
  '-1',
  '1.0',
  '1e0',
  '0x1',
  '%201',
  '1e400',
  'NaN',
  '9'.repeat(30),
  '9007199254740993',
  "'; DROP TABLE runs; --",
  '%00',
  '%01%1b%5b2J',
  '%F0%9F%92%A9',
  '%',
  '%ff',
  '%ed%a0%80',
  '..%2f..%2fetc%2fpasswd',
  'a/b',
  'x'.repeat(8000),
];

const PROGRAMS = /^\/(api|events)/;

/** What a refusal looks like: a 4xx in the form that the caller understands, and not a word of it in the log. */
async function refuses(path: string, init?: RequestInit): Promise<number> {
  const response = await web.get(path, init);
  const text = await response.text();
  expect([path, response.status]).toEqual([path, expect.toBeOneOf([400, 403, 404, 405, 413, 414, 415, 416, 412])]);
  expect(text).toMatch(PROGRAMS.test(path) ? /^\{"error":\{"message":/ : /^<!doctype html>/);
  expect(text).not.toContain(import.meta.dirname);
  expect(web.logged).toEqual([]);
  return response.status;
}

describe('whatever is asked for', () => {
  it.each([...LISTS, ...API_LISTS])('%s refuses a bad query with what is allowed', async (path) => {
    for (const query of BAD_QUERIES) expect([query, await refuses(`${path}?${query}`)]).toEqual([query, 400]);
  });

  it.each(BAD_FILTERS)('%s is refused as a page and as JSON', async (path) => {
    expect(await refuses(path)).toBe(400);
    expect(await refuses(path.startsWith('/?') ? `/api/runs${path.slice(1)}` : `/api${path}`)).toBe(400);
  });

  it.each(ITEMS)('%s… of what is not there is not found', async (path) => {
    for (const id of BAD_IDS) expect([400, 404]).toContain(await refuses(path + id));
  });

  it.each(LISTS)('%s takes odd but possible filters as filters that nothing meets', async (path) => {
    const numbers = `cursor=${encoded([-1e308, 'x', 1e308])}`;
    for (const query of [
      'namespace=%00',
      'owner=%F0%9F%92%A9',
      `destination=${'x'.repeat(4000)}`,
      'name=%27',
      numbers,
    ]) {
      const { status } = await web.get(`${path}?${query}`);
      expect([query, status]).toEqual([query, expect.toBeOneOf([200, 400])]);
    }
    expect(web.logged).toEqual([]);
  });

  it.each(['/', '/runs/x', '/api/runs', '/api', '/nothing', '/assets/page.js', '/events', '/livez', '/login'])(
    '%s can only be read',
    async (path) => {
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND']) {
        expect([method, await refuses(path, { method, body: 'x' })]).toEqual([method, 405]);
        expect((await web.get(path, { method })).headers.get('allow')).toBe('GET, HEAD');
      }
    },
  );

  it('what is not there is not found by HEAD either', async () => {
    expect((await web.get('/nothing', { method: 'HEAD' })).status).toBe(404);
    expect((await web.get(`/runs/${sampleUid(1)}`, { method: 'HEAD' })).status).toBe(200);
  });

  it.each([
    ['/assets/none.js', {}],
    ['/assets/..%2fserver.ts', {}],
    ['/assets/%2e%2e/server.ts', {}],
    ['/assets/%00', {}],
    ['/assets/%', {}],
    ['/assets/', {}],
    ['/assets/page.js', { range: 'bytes=999999-' }],
    ['/assets/page.js', { 'if-match': '"other"' }],
  ] as const)('%s with %o is refused like a page', async (path, headers) => {
    expect(await refuses(path, { headers })).toBeLessThan(500);
  });
});
