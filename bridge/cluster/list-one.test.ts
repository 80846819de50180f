import { afterEach, beforeEach, expect, it } from 'vitest';
import type { KubeApi } from './api.ts';
import { FakeApi } from './fake-api.ts';
import { listed, readOne } from './list.ts';

let fake: FakeApi;
let api: KubeApi;
beforeEach(async () => {
  fake = new FakeApi();
  api = await fake.start();
});
afterEach(() => fake.stop());

const object = (namespace: string, name: string) => ({
  metadata: { uid: `uid-of-${name}`, name, namespace, resourceVersion: '5' },
});
const read = (kind: 'Namespace' | 'Job', namespace: string, name: string) =>
  readOne(api, listed(kind), { namespace, name }, new AbortController().signal);

it('an object that is in no namespace is read by its name alone', async () => {
  fake.objects['namespaces'] = [object('', 'shop')];
  expect(await read('Namespace', '', 'shop')).toMatchObject({ metadata: { name: 'shop' } });
  expect(fake.requests.map(({ path }) => path)).toEqual(['/api/v1/namespaces/shop']);
});

it('no object is asked for by a name that none can have', async () => {
  expect(await read('Job', '', 'report')).toBeUndefined();
  expect(await read('Job', 'shop', '../secrets')).toBeUndefined();
  expect(await read('Namespace', '', '..')).toBeUndefined();
  expect(fake.requests).toEqual([]);
});
