import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../test/fixtures/eventually.ts';
import type { KubeApi } from './api.ts';
import { apiJob, FakeApi } from './fake-api.ts';
import { listed } from './list.ts';
import { quietSince } from './quiet.ts';

const JOBS = listed('Job');
let fake: FakeApi;
let api: KubeApi;

beforeEach(async () => {
  fake = new FakeApi();
  api = await fake.start();
  fake.objects['jobs'] = [apiJob('one', '900'), apiJob('two', '950')];
  fake.version = 1200;
});

afterEach(() => fake.stop());

const bookmark = (resourceVersion: string) => ({ type: 'BOOKMARK', object: { metadata: { resourceVersion } } });
const changed = { type: 'MODIFIED', object: apiJob('one', '1150') };

/** The answer, when the watch brought these events and then ended. */
async function after(...events: readonly object[]): Promise<string | undefined> {
  const answer = quietSince(api, JOBS, undefined, '1000', new AbortController().signal);
  await eventually(() => expect(fake.watches.size).toBe(1));
  fake.emit('jobs', ...events);
  for (const { response } of fake.watches) response.end();
  return answer;
}

describe('nothing has changed', () => {
  it('when a bookmark as new as the API comes first, whatever comes behind it', async () => {
    expect(await after(bookmark('1100'), bookmark('1200'), changed)).toBe('1200');
    expect(fake.requests.map(({ path }) => path)).toEqual([
      '/apis/batch/v1/jobs?limit=1',
      '/apis/batch/v1/jobs?watch=1&allowWatchBookmarks=true&timeoutSeconds=4&resourceVersion=1000',
    ]);
  });

  it('when nothing at all was written since', async () => {
    expect(await quietSince(api, JOBS, undefined, '1200', new AbortController().signal)).toBe('1200');
    expect(fake.count('watch=1')).toBe(0);
  });

  it('in one namespace as in all', async () => {
    const answer = quietSince(api, JOBS, 'shop', '1000', new AbortController().signal);
    await eventually(() => expect(fake.watches.size).toBe(1));
    fake.emit('jobs', bookmark('1300'));
    expect(await answer).toBe('1300');
    expect(fake.count('/namespaces/shop/jobs?')).toBe(2);
  });
});

describe('nothing is proven', () => {
  it('when something changed', async () => {
    expect(await after(changed, bookmark('1200'))).toBeUndefined();
  });

  it('when no bookmark comes, or only an old one: the API may be behind', async () => {
    expect(await after()).toBeUndefined();
    expect(await after(bookmark('1199'))).toBeUndefined();
  });

  it('when what comes cannot be read', async () => {
    expect(await after({ type: 'ERROR', object: { kind: 'Status', code: 410 } })).toBeUndefined();
    expect(await after(bookmark('1199'), {}, bookmark('1200'))).toBeUndefined();
  });

  it.each([403, 410, 504])('when the API answers the watch with %i', async (status) => {
    fake.intercept = (path) => (path.includes('watch=1') ? { status, body: { message: 'no' } } : undefined);
    expect(await quietSince(api, JOBS, undefined, '1000', new AbortController().signal)).toBeUndefined();
  });

  it('when the API is older than the LIST was: etcd was restored', async () => {
    fake.version = 999;
    expect(await quietSince(api, JOBS, undefined, '1000', new AbortController().signal)).toBeUndefined();
    expect(fake.count('watch=1')).toBe(0);
  });

  it('when the API cannot be read', async () => {
    fake.intercept = () => 'reset';
    expect(await quietSince(api, JOBS, undefined, '1000', new AbortController().signal)).toBeUndefined();
  });
});
