import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WorkerClient } from '../ingest/thread/client.ts';
import type { Kind } from '../kubernetes/observation.ts';
import { systemClock } from '../lib/clock.ts';
import { Releases } from '../lib/releases.ts';
import type { ReadStore } from '../store/read.ts';
import { openReader } from '../store/sqlite/open.ts';
import type { KubeApi } from './api.ts';
import type { AuditStore } from './audit-unit.ts';
import { auditUnit } from './audit-unit.ts';
import type { Auditor, AuditResult } from './auditor.ts';
import { startAuditor } from './auditor.ts';
import type { FakeApi } from './fake-api.ts';
import { apiJob } from './fake-api.ts';
import type { Scope } from './list.ts';
import { ALWAYS } from '../kubernetes/followed.ts';
import { listed } from './list.ts';
import { startApiBench } from './api-bench.ts';

const JOBS = listed('Job');
let releases: Releases;
let fake: FakeApi;
let api: KubeApi;
let worker: WorkerClient;
let reader: ReadStore;

beforeEach(async () => {
  releases = new Releases();
  const bench = await startApiBench(releases);
  ({ fake, api, worker } = bench);
  reader = openReader(bench.path);
  releases.add(() => reader.close());
});

afterEach(() => releases.release());

const audit = (namespace?: string) => {
  const options = { api, store: worker.calls, clock: systemClock, signal: new AbortController().signal };
  return auditUnit(options, JOBS, namespace);
};

async function until(what: string, check: () => boolean): Promise<void> {
  for (const end = Date.now() + 20_000; !check(); await pause(10)) if (Date.now() > end) throw new Error(what);
}

const jobs = (count: number) => Array.from({ length: count }, (_, n) => apiJob(`job-${n}`, '100'));
const runCount = (): number => Object.values(reader.runCounts()).reduce((sum, count) => sum + count, 0);

describe('a LIST of the API', () => {
  it('reads full objects where nothing is known, metadata afterwards, and only what differs', async () => {
    fake.objects['jobs'] = jobs(1200);
    expect(await audit()).toMatchObject({ result: 'complete', objects: 1200, first: true });
    expect(fake.requests.map(({ metadata }) => metadata)).toEqual(Array.from({ length: 12 }, () => false));
    expect(runCount()).toBe(1200);
    fake.requests.length = 0;
    expect(await audit()).toMatchObject({ missed: 0, stale: 0 });
    expect(fake.requests.map(({ metadata }) => metadata)).toEqual([true, true, true]);
    fake.requests.length = 0;
    fake.version++;
    fake.objects['jobs'] = [...jobs(1200).with(700, apiJob('job-700', '200')), apiJob('new', '201')];
    fake.intercept = (path) => (path.includes('watch=1') ? { status: 403, body: { message: 'no' } } : undefined);
    expect(await audit()).toMatchObject({ missed: 1, stale: 1 });
    expect(fake.requests.slice(-1)[0]?.path).toBe('/apis/batch/v1/namespaces/shop/jobs/new');
    // Whether anything changed, two pages until the first that is not as before, then three pages and two objects.
    expect(fake.requests).toHaveLength(9);
    expect(reader.run('uid-new')?.run.name).toBe('new');
  });

  it('reads a page again as full objects when more than 5 % of it differ', async () => {
    fake.objects['jobs'] = jobs(600);
    await audit();
    fake.requests.length = 0;
    for (let n = 0; n < 26; n++) fake.objects['jobs'][n] = apiJob(`job-${n}`, '200');
    expect(await audit()).toMatchObject({ stale: 26 });
    expect(fake.requests.map(({ metadata }) => metadata)).toEqual([true, false, true]);
  });

  it('takes full objects from an API that cannot reduce them', async () => {
    fake.objects['jobs'] = jobs(2);
    await audit();
    fake.intercept = (_path, metadata) => (metadata ? { status: 406, body: { message: 'no' } } : undefined);
    fake.objects['jobs'].push(apiJob('new', '201'));
    expect(await audit()).toMatchObject({ result: 'complete', missed: 1 });
    expect(reader.run('uid-new')).toBeDefined();
  });

  it('starts over when its version expires (410), and counts nothing twice', async () => {
    fake.objects['jobs'] = jobs(1200);
    await audit();
    let expired = 0;
    fake.intercept = (path) => (path.includes('continue=1000') && expired++ === 0 ? { status: 410 } : undefined);
    expect(await audit()).toMatchObject({ result: 'complete', objects: 1200, missed: 0 });
    fake.version++;
    fake.intercept = (path) => (/continue=|watch=1/.test(path) ? { status: 410 } : undefined);
    expect(await audit()).toMatchObject({ result: 'failed', status: 410 });
  });

  it('does not count when its pages have different versions', async () => {
    fake.objects['jobs'] = jobs(1200);
    fake.intercept = () => void fake.version++;
    expect(await audit()).toMatchObject({ result: 'failed', status: 410 });
  });

  it('fails when the connection is reset in the middle, and nothing is gone by it', async () => {
    fake.objects['jobs'] = jobs(1200);
    await audit();
    fake.intercept = (path) => (path.includes('continue=500') ? 'reset' : undefined);
    for (let n = 0; n < 3; n++) expect(await audit()).toMatchObject({ result: 'failed' });
    fake.intercept = () => undefined;
    expect(await audit()).toMatchObject({ result: 'complete', gone: 0, again: false });
  });

  it('lets go what is missing from two of them', async () => {
    fake.objects['jobs'] = jobs(3);
    await audit();
    fake.objects['jobs'].pop();
    expect(await audit()).toMatchObject({ gone: 0, again: true });
    expect(await audit()).toMatchObject({ gone: 1 });
    expect(reader.run('uid-job-2')?.run.deleted).toBe(true);
  });

  it('reads the page instead of the object where get is forbidden', async () => {
    fake.objects['jobs'] = jobs(100);
    await audit();
    fake.intercept = (path) => (path.includes('/jobs/') ? { status: 403 } : undefined);
    fake.objects['jobs'][0] = apiJob('job-0', '200');
    expect(await audit()).toMatchObject({ result: 'complete', stale: 1 });
    expect(await audit()).toMatchObject({ stale: 0 });
  });

  it('leaves out an object that is deleted before it could be read', async () => {
    fake.objects['jobs'] = jobs(100);
    await audit();
    fake.intercept = (path) => (path.includes('/jobs/') ? { status: 404 } : undefined);
    fake.objects['jobs'].push(apiJob('gone-again', '200'));
    expect(await audit()).toMatchObject({ result: 'complete', missed: 1 });
  });

  it(
    'of 20,000 objects takes 200 requests at first and 40 afterwards, and memory for a page at a time',
    { timeout: 120_000 },
    async () => {
      fake.objects['jobs'] = jobs(20_000);
      const padding = 'x'.repeat(2_000);
      for (const job of fake.objects['jobs']) Object.assign(job, { spec: { parallelism: 1, padding } });
      const before = process.memoryUsage().rss;
      let peak = before;
      const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 50);
      expect(await audit()).toMatchObject({ result: 'complete', objects: 20_000 });
      expect(fake.requests).toHaveLength(200);
      expect(await audit()).toMatchObject({ missed: 0, stale: 0, gone: 0 });
      clearInterval(timer);
      expect(fake.requests).toHaveLength(240);
      expect(runCount()).toBe(20_000);
      expect(peak - before).toBeLessThan(200e6);
    },
  );
});

const results: [Kind, AuditResult][] = [];
const watches: [Kind, boolean][] = [];

function start(scope: Scope = 'cluster', intervalMs = 300_000, store: AuditStore = worker.calls): Auditor {
  results.length = 0;
  watches.length = 0;
  const auditor = startAuditor({
    api,
    kinds: ALWAYS,
    scope,
    intervalMs,
    store,
    clock: systemClock,
    isOurs: () => Promise.resolve(true),
    onResult: (kind, result) => results.push([kind, result]),
    onWatch: (kind, dead) => watches.push([kind, dead]),
    onOwnWatch: () => undefined,
    onWarnings: () => expect.unreachable('Events are not followed'),
    onError: (error) => expect.unreachable(String(error)),
  });
  releases.add(() => auditor.stop());
  return auditor;
}

describe('the auditor', () => {
  it('LISTs every kind at the start, and again when a Collector connects', async () => {
    fake.objects['jobs'] = jobs(3);
    const auditor = start();
    await until('three kinds', () => results.length === 3);
    expect(results.map(([kind]) => kind)).toEqual(['CronJob', 'Pod', 'Job']);
    auditor.connected();
    await until('three kinds again', () => results.length === 6);
  });

  it('LISTs every kind at once when all streams are silent although a run was due', async () => {
    let looks = 0;
    const auditWatches: AuditStore['auditWatches'] = async (now) => {
      return { ...(await worker.calls.auditWatches(now)), silent: ++looks === 1 };
    };
    start('cluster', 300_000, { ...worker.calls, auditWatches });
    await until('two rounds, each with its look', () => looks === 2);
    expect(results.slice(3).map(([kind]) => kind)).toEqual(['CronJob', 'Pod', 'Job']);
  });

  it('LISTs each namespace of its scope, and no other', async () => {
    fake.objects['jobs'] = jobs(3);
    start(['shop', 'desk']);
    await until('three kinds', () => results.length === 3);
    expect(fake.count('/namespaces/shop/')).toBe(3);
    expect(fake.count('/namespaces/desk/')).toBe(3);
    expect(fake.requests).toHaveLength(6);
    expect(results[2]).toMatchObject(['Job', { result: 'complete', objects: 3 }]);
  });

  it('goes on every interval', async () => {
    start('cluster', 50);
    const times = (kind: Kind): number => results.filter(([of]) => of === kind).length;
    await until('three times each', () => ALWAYS.every((kind) => times(kind) >= 3));
    expect(results.every(([, { result }]) => result === 'complete')).toBe(true);
  });

  it('reports a kind without permission once, goes on with the others and takes it up when it may', async () => {
    fake.objects['jobs'] = jobs(3);
    let forbidden = true;
    fake.intercept = (path) =>
      forbidden && path.includes('/jobs') ? { status: 403, body: { message: 'no jobs' } } : undefined;
    const auditor = start();
    await until('three kinds', () => results.length === 3);
    expect(results[2]).toEqual(['Job', { result: 'unaudited', status: 403, error: 'no jobs' }]);
    expect(results[1]).toMatchObject(['Pod', { result: 'complete' }]);
    await until('it is tried again', () => fake.count('/jobs') >= 2);
    expect(results).toHaveLength(3);
    forbidden = false;
    await until('it is complete', () => auditor.results().get('Job')?.result === 'complete');
    expect(runCount()).toBe(3);
  });
});

describe('permissions that are missing', () => {
  const forbid = (...parts: string[]): void => {
    fake.intercept = (path) =>
      parts.some((part) => path.includes(part)) ? { status: 403, body: { message: 'forbidden' } } : undefined;
  };

  it('for several kinds leave the others audited, and every one of them is reported', async () => {
    forbid('/cronjobs', '/pods');
    fake.objects['jobs'] = jobs(3);
    start();
    await until('three kinds', () => results.length === 3);
    expect(results.map(([kind, { result }]) => `${kind} ${result}`)).toEqual([
      'CronJob unaudited',
      'Pod unaudited',
      'Job complete',
    ]);
    expect(runCount()).toBe(3);
  });

  it('in one namespace leave the kind unaudited, but read in the others', async () => {
    forbid('/namespaces/desk/jobs');
    fake.objects['jobs'] = jobs(3);
    start(['desk', 'shop']);
    await until('three kinds', () => results.length === 3);
    expect(results.map(([kind, { result }]) => `${kind} ${result}`)).toEqual([
      'CronJob complete',
      'Pod complete',
      'Job unaudited',
    ]);
    expect(runCount()).toBe(3);
  });
});
