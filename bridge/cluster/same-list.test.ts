import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { WorkerClient } from '../ingest/thread/client.ts';
import { systemClock } from '../lib/clock.ts';
import { Releases } from '../lib/releases.ts';
import type { KubeApi } from './api.ts';
import { auditUnit } from './audit-unit.ts';
import type { FakeApi } from './fake-api.ts';
import { apiJob } from './fake-api.ts';
import { listed as listedKind } from './list.ts';
import { startApiBench } from './api-bench.ts';

const JOBS = listedKind('Job');
const PAGES = 3;
let releases: Releases;
let fake: FakeApi;
let api: KubeApi;
let worker: WorkerClient;

beforeEach(async () => {
  releases = new Releases();
  ({ fake, api, worker } = await startApiBench(releases));
  fake.intercept = withoutWatch;
  fake.objects['jobs'] = Array.from({ length: 1200 }, (_, n) => apiJob(`job-${n}`, '100'));
  await audit();
  await audit();
});

afterEach(() => releases.release());

/** Without the verb watch, or where it proves nothing, all is LISTed. */
const withoutWatch = (path: string) =>
  path.includes('watch=1') ? { status: 403, body: { message: 'no' } } : undefined;

const audit = () => {
  const options = { api, store: worker.calls, clock: systemClock, signal: new AbortController().signal };
  return auditUnit(options, JOBS, undefined);
};

/** How many pages an audit compares with the store. */
async function compared(): Promise<number> {
  const pages = vi.spyOn(worker.calls, 'auditPage');
  await audit();
  const { length } = pages.mock.calls;
  pages.mockRestore();
  return length;
}

it('nothing is compared of a LIST that is as before at another resourceVersion, and it counts as any other', async () => {
  expect(await compared()).toBe(0);
  fake.version += 1000;
  const whole = { result: 'complete', objects: 1200, version: String(fake.version), missed: 0, stale: 0, gone: 0 };
  expect(await audit()).toMatchObject(whole);
});

it('all is compared when an object is gone, and the second LIST without it says so', async () => {
  fake.objects['jobs']!.splice(600, 1);
  fake.version++;
  expect(await audit()).toMatchObject({ objects: 1199, again: true });
  expect(await audit()).toMatchObject({ gone: 1 });
});

it('all is compared when an object has changed, and it is read', async () => {
  fake.objects['jobs']![1199] = apiJob('job-1199', '2000');
  fake.version++;
  expect(await audit()).toMatchObject({ objects: 1200, stale: 1 });
});

it('all is compared after the stream brought something, though the LIST is as before', async () => {
  await worker.calls.observe([apiJob('job-7', '3000')], Date.now(), Date.now());
  expect(await compared()).toBe(PAGES);
});

it('all is compared when the pages have different versions, or one cannot be read', async () => {
  let served = 0;
  const refused = (path: string) => (served++ === 1 ? { status: 500, body: { message: 'no' } } : withoutWatch(path));
  fake.intercept = refused;
  expect(await audit()).toMatchObject({ result: 'complete', objects: 1200 });
  fake.intercept = withoutWatch;
  expect(await compared()).toBe(0);
  const before = fake.version;
  fake.intercept = (path) => {
    fake.version = path.includes('continue=500') && served++ < 6 ? before + 1 : before;
    return withoutWatch(path);
  };
  expect(await audit()).toMatchObject({ result: 'complete', objects: 1200 });
});

/** The pages that an audit LISTs, while each watch brings these events. */
async function listed(...events: readonly object[]): Promise<string[]> {
  fake.intercept = (path) => {
    if (path.includes('watch=1')) setImmediate(() => fake.emit('jobs', ...events));
    return undefined;
  };
  fake.requests.length = 0;
  expect(await audit()).toMatchObject({ result: 'complete', objects: 1200, version: String(fake.version) });
  return fake.requests.flatMap(({ path }) => (path.includes('limit=500') ? [path] : []));
}

const bookmark = () => ({ type: 'BOOKMARK', object: { metadata: { resourceVersion: String(fake.version) } } });

it('nothing is LISTed while the API proves that nothing has changed, and it counts as a LIST of that version', async () => {
  fake.version += 1000;
  expect(await listed(bookmark())).toEqual([]);
  fake.version += 1000;
  expect(await listed(bookmark())).toEqual([]);
});

it('all is LISTed when the API brings a change, and the next time after it not', async () => {
  fake.version += 1000;
  expect(await listed({ type: 'MODIFIED', object: apiJob('job-3', '100') }, bookmark())).toHaveLength(PAGES);
  expect(await listed(bookmark())).toEqual([]);
});

it('all is LISTed when the store has changed, whatever the API says', async () => {
  await worker.calls.observe([apiJob('job-7', '3000')], Date.now(), Date.now());
  expect(await listed(bookmark())).toHaveLength(PAGES);
});
