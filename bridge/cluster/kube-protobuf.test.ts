import { afterEach, beforeEach, expect, it } from 'vitest';
import { encodeMetadataList, encodeStatus, wrapped } from '../../test/kube-protobuf.ts';
import type { KubeApi } from './api.ts';
import { apiJob, FakeApi } from './fake-api.ts';
import { decodeKubeProtobuf } from './kube-protobuf.ts';
import type { ListPage } from './list.ts';
import { listed, listKind } from './list.ts';

const JOBS = listed('Job');
let fake: FakeApi;
let api: KubeApi;
beforeEach(async () => {
  fake = new FakeApi();
  api = await fake.start();
  fake.objects['jobs'] = [apiJob('one', '11'), apiJob('two', '12')];
});
afterEach(() => fake.stop());

async function pages(): Promise<ListPage[]> {
  const seen: ListPage[] = [];
  const options = { namespace: undefined, metadata: true, signal: AbortSignal.timeout(10_000) };
  const result = await listKind(api, JOBS, options, (page) => Promise.resolve(void seen.push(page)));
  expect(result).toMatchObject({ result: 'complete' });
  return seen;
}

it('is what metadata is asked for in, and brings names, UIDs and versions alone', async () => {
  const [page] = await pages();
  expect(page).toMatchObject({ version: '1000', metadataOnly: true });
  expect(page?.objects.map(({ metadata }) => metadata)).toEqual([
    { name: 'one', namespace: 'shop', uid: 'uid-one', resourceVersion: '11' },
    { name: 'two', namespace: 'shop', uid: 'uid-two', resourceVersion: '12' },
  ]);
});

it('is not needed: an API between that answers in JSON brings the same', async () => {
  const [protobuf] = await pages();
  const items = fake.objects['jobs']!.map(({ metadata }) => ({ metadata }));
  const body = { kind: 'PartialObjectMetadataList', metadata: { resourceVersion: '1000' }, items };
  fake.intercept = () => ({ status: 200, body });
  const [json] = await pages();
  expect(json?.objects).toEqual(protobuf?.objects);
});

it('shows a refusal in its words', async () => {
  fake.intercept = () => ({ status: 403, protobuf: encodeStatus({ message: 'jobs.batch is forbidden', code: 403 }) });
  const options = { namespace: undefined, metadata: true, signal: AbortSignal.timeout(10_000) };
  expect(await listKind(api, JOBS, options, () => Promise.resolve(undefined))).toEqual({
    result: 'failed',
    status: 403,
    error: 'jobs.batch is forbidden',
  });
});

it('skips what nobody reads, managedFields most of all', () => {
  const metadata = {
    name: 'a',
    namespace: 'b',
    uid: 'c',
    resourceVersion: '1',
    finalizers: ['x/y'],
    generation: 3,
    managedFields: [{ manager: 'kube-controller-manager', fieldsV1: { 'f:status': {} } }],
  };
  const list = { resourceVersion: '7', continue: 'token', remainingItemCount: 12 };
  expect(decodeKubeProtobuf(encodeMetadataList(list, [{ metadata }]))).toEqual({
    kind: 'PartialObjectMetadataList',
    metadata: { resourceVersion: '7', continue: 'token' },
    items: [{ metadata: { name: 'a', namespace: 'b', uid: 'c', resourceVersion: '1' } }],
  });
});

it('refuses other kinds, and never makes a LIST of a part of one', () => {
  expect(() => decodeKubeProtobuf(wrapped('batch/v1', 'JobList', 'List', {}))).toThrow(
    'the API sent a JobList as protobuf',
  );
  const whole = encodeMetadataList({ resourceVersion: '7' }, [{ metadata: { name: 'a' } }]);
  const listOf = (end: number): unknown => {
    try {
      return decodeKubeProtobuf(whole.subarray(0, end))['metadata'];
    } catch {
      return undefined;
    }
  };
  for (let end = 0; end < whole.length; end++) expect(listOf(end)).toBeUndefined();
});
