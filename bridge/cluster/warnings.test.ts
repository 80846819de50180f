import { afterEach, beforeEach, expect, it } from 'vitest';
import type { KubeApi } from './api.ts';
import { apiJob, FakeApi } from './fake-api.ts';
import type { Scope } from './list.ts';
import { listWarnings } from './warnings.ts';

let fake: FakeApi;
let api: KubeApi;
let taken: number[];

beforeEach(async () => {
  fake = new FakeApi();
  api = await fake.start();
  taken = [];
});

afterEach(() => fake.stop());

function list(scope: Scope): ReturnType<typeof listWarnings> {
  const take = (objects: readonly { readonly kind?: unknown }[]): Promise<void> => {
    expect(objects.every(({ kind }) => kind === 'Event')).toBe(true);
    taken.push(objects.length);
    return Promise.resolve();
  };
  return listWarnings(api, scope, take, new AbortController().signal);
}

const events = (count: number) => Array.from({ length: count }, (_, n) => apiJob(`event-${n}`, '100'));

it('takes the Events of type Warning page by page', async () => {
  fake.objects['events'] = events(1_200);
  expect(await list('cluster')).toEqual({ result: 'complete', objects: 1_200 });
  expect(taken).toEqual([500, 500, 200]);
  expect(fake.count('fieldSelector=type%3DWarning')).toBe(3);
});

it('asks each namespace of the scope, and no other', async () => {
  fake.objects['events'] = events(2);
  expect(await list(['shop', 'desk'])).toEqual({ result: 'complete', objects: 2 });
  expect(fake.requests.map(({ path }) => path.split('?')[0])).toEqual([
    '/apis/events.k8s.io/v1/namespaces/shop/events',
    '/apis/events.k8s.io/v1/namespaces/desk/events',
  ]);
});

it('says why when they are forbidden or the API is away', async () => {
  fake.intercept = () => ({ status: 403, body: { message: 'no events' } });
  expect(await list('cluster')).toEqual({ result: 'failed', status: 403, error: 'no events' });
  fake.intercept = () => 'reset';
  expect(await list('cluster')).toMatchObject({ result: 'failed', status: undefined });
});
