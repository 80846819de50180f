import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { WorkerClient } from '../ingest/thread/client.ts';
import type { Kind } from '../kubernetes/observation.ts';
import { Releases } from '../lib/releases.ts';
import type { KubeApi } from './api.ts';
import { auditUnit } from './audit-unit.ts';
import { startAuditor } from './auditor.ts';
import type { FakeApi } from './fake-api.ts';
import { apiJob } from './fake-api.ts';
import { ALWAYS } from '../kubernetes/followed.ts';
import { listed } from './list.ts';
import { startApiBench } from './api-bench.ts';

const JOBS = listed('Job');
const HOURS = 7_200_000;
let releases: Releases;
let fake: FakeApi;
let api: KubeApi;
let calls: WorkerClient['calls'];
let path: string;

beforeEach(async () => {
  releases = new Releases();
  const bench = await startApiBench(releases);
  ({ fake, api, path } = bench);
  ({ calls } = bench.worker);
});
afterEach(() => releases.release());

it('a LIST proves no more than the API`s own time, when our clock is ahead', async () => {
  fake.objects['jobs'] = [apiJob('job-0', '100')];
  const times: number[] = [];
  const observe: typeof calls.observe = (objects, at, receivedAt) => {
    times.push(at);
    return calls.observe(objects, at, receivedAt);
  };
  const clock = { now: () => Date.now() + HOURS };
  const options = { api, store: { ...calls, observe }, clock, signal: new AbortController().signal };
  await auditUnit(options, JOBS, undefined);
  fake.objects['jobs'].push(apiJob('job-1', '200'));
  await auditUnit(options, JOBS, undefined);
  expect(times.map((at) => at <= Date.now())).toEqual([true, true]);
});

it('what a LIST finds is recorded by our clock, however late the API`s own is', async () => {
  const began = Date.now();
  await calls.observe([apiJob('job-0', '100')], began - HOURS, began);
  const db = new DatabaseSync(path, { readOnly: true });
  const rows = db.prepare('SELECT recorded_at AS at FROM transitions').all();
  db.close();
  expect(rows.map(({ at }) => at)).toEqual([began]);
});

it('LISTs come no later when the clock was set back', async () => {
  let setBy = 0;
  const kinds: Kind[] = [];
  const ignore = (): void => undefined;
  const auditor = startAuditor({
    api,
    kinds: ALWAYS,
    scope: 'cluster',
    intervalMs: 3_000,
    store: calls,
    clock: { now: () => Date.now() + setBy },
    isOurs: () => Promise.resolve(true),
    onResult: (kind) => kinds.push(kind),
    onWatch: ignore,
    onOwnWatch: () => undefined,
    onWarnings: ignore,
    onError: (error) => expect.unreachable(String(error)),
  });
  releases.add(() => auditor.stop());
  const listed = async (count: number): Promise<boolean> => {
    for (const end = Date.now() + 30_000; kinds.length < count && Date.now() < end; await pause(10));
    return kinds.length >= count;
  };
  expect(await listed(3)).toBe(true);
  setBy = -HOURS;
  auditor.clockSet(setBy);
  expect(await listed(6)).toBe(true);
});
