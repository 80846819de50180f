import { setTimeout as pause } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { encodeLogs, watchBody } from '../../test/otlp-client.ts';
import type { WorkerClient } from '../ingest/thread/client.ts';
import { ALWAYS } from '../kubernetes/followed.ts';
import type { Kind } from '../kubernetes/observation.ts';
import { Releases } from '../lib/releases.ts';
import type { ReadStore } from '../store/read.ts';
import { openReader } from '../store/sqlite/open.ts';
import type { Auditor } from './auditor.ts';
import { startAuditor } from './auditor.ts';
import type { FakeApi } from './fake-api.ts';
import { apiJob } from './fake-api.ts';
import type { OwnWatchState } from './own-watch.ts';
import { startApiBench } from './api-bench.ts';

const MINUTE = 60_000;
let releases: Releases;
let fake: FakeApi;
let worker: WorkerClient;
let reader: ReadStore;
let auditor: Auditor;
let states: OwnWatchState['state'][];
let listed: Kind[];
/** How far the clock is ahead of the computer's. */
let ahead: number;

const clock = { now: () => Date.now() + ahead };

beforeEach(async () => {
  [states, listed, ahead] = [[], [], 0];
  releases = new Releases();
  const { api, path, ...bench } = await startApiBench(releases);
  ({ fake, worker } = bench);
  reader = openReader(path);
  releases.add(() => reader.close());
  fake.objects['jobs'] = [apiJob('known', '100')];
  auditor = startAuditor({
    api,
    kinds: ALWAYS,
    store: worker.calls,
    scope: 'cluster',
    clock,
    intervalMs: 20, // so that it looks often
    isOurs: () => Promise.resolve(true),
    onResult: (kind) => listed.push(kind),
    onWatch: () => undefined,
    onOwnWatch: (_kind, { state }) => states.push(state),
    onWarnings: () => undefined,
    onError: (error) => expect.unreachable(String(error)),
  });
  releases.add(() => auditor.stop());
  await rounds(1);
});

afterEach(() => releases.release());

async function until(what: string, check: () => boolean): Promise<void> {
  for (const end = Date.now() + 30_000; !check(); await pause(5)) if (Date.now() > end) throw new Error(what);
}

/** LISTs of each kind that began from now on. */
async function rounds(count: number): Promise<void> {
  const before = listed.length;
  await until('LISTs of each kind', () => listed.length >= before + 3 * (count + 1));
}

/** The watches of a Collector stand, and a LIST of Jobs finds what its stream did not bring for ten seconds. */
async function doubt(): Promise<void> {
  fake.version = 1100;
  ahead += MINUTE;
  await rounds(1);
  fake.version = 1200;
  fake.objects['jobs']!.push(apiJob('missed', '1150'));
  await rounds(1);
  ahead += 11_000;
}

const watchedHere = () => until('Jobs are watched', () => auditor.ownWatches().has('Job'));
const watchedNoMore = () => until('no kind is watched', () => fake.watches.size === 0);
const ingest = (...objects: object[]) => {
  const records = objects.map((object) => ({ body: watchBody('MODIFIED', object), observedAt: Date.now() }));
  return worker.calls.ingest(encodeLogs(records, { clusterName: 'test' }), clock.now());
};
const brief = (type: string, version: string) => ({ type, object: apiJob('brief', version) });

describe('a kind whose stream is in doubt', () => {
  it('is watched from the version of the last LIST on, and what comes and goes within it is seen', async () => {
    await doubt();
    await watchedHere();
    expect([...fake.watches].map(({ path }) => path)).toEqual([
      '/apis/batch/v1/jobs?watch=1&allowWatchBookmarks=true&timeoutSeconds=60&resourceVersion=1200',
    ]);
    fake.emit('jobs', brief('ADDED', '1201'), brief('DELETED', '1202'));
    await until('the Job is known', () => reader.run('uid-brief') !== undefined);
  });

  it('is watched no more when the stream delivers what was found', async () => {
    await doubt();
    await watchedHere();
    ahead += 2 * MINUTE;
    await until('it is dead', () => auditor.deadWatches().has('Job'));
    expect(auditor.ownWatches().has('Job')).toBe(true);
    await ingest(apiJob('missed', '1160'));
    await watchedNoMore();
    expect(auditor.deadWatches().size + auditor.ownWatches().size).toBe(0);
  });

  it('is watched on when a Collector connects, until that one brings something newer', async () => {
    await doubt();
    await watchedHere();
    auditor.connected();
    await rounds(1);
    expect(auditor.ownWatches().has('Job')).toBe(true);
    await ingest(apiJob('missed', '1300'));
    await watchedNoMore();
  });

  it('is watched from a new LIST on when the API does not keep what came since', async () => {
    await doubt();
    await watchedHere();
    fake.version = 2000;
    fake.objects['jobs']!.push(apiJob('between', '1900'));
    fake.emit('jobs', { type: 'ERROR', object: { code: 410, message: 'too old' } });
    await until('it expired', () => states.includes('expired'));
    await watchedHere();
    expect([...fake.watches].at(-1)!.path).toContain('resourceVersion=2000');
    await until('the Job is known', () => reader.run('uid-between') !== undefined);
  });

  it('is watched from a new LIST on after its watch was refused, and as soon as it may be', async () => {
    let forbidden = true;
    fake.intercept = (path) => (forbidden && path.includes('watch=1') ? { status: 403, body: {} } : undefined);
    await doubt();
    await until('it was refused', () => states.includes('failed'));
    expect(auditor.ownWatches().size).toBe(0);
    fake.version = 3000;
    await rounds(1);
    forbidden = false;
    await watchedHere();
    expect([...fake.watches].at(-1)!.path).toContain('resourceVersion=3000');
  });

  it('is watched no more after the end of the bridge, which waits for nothing', async () => {
    await doubt();
    await watchedHere();
    await auditor.stop();
    expect(auditor.ownWatches().size).toBe(0);
    await watchedNoMore();
  });
});
