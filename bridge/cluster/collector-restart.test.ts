import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { createEngine } from '../ingest/engine.ts';
import type { Kind } from '../kubernetes/observation.ts';
import { openStore } from '../store/sqlite/open.ts';
import type { Store } from '../store/store.ts';
import type { KubeApi } from './api.ts';
import type { CollectorRestart, CollectorRestartOptions, Restarted } from './collector-restart.ts';
import { startCollectorRestart } from './collector-restart.ts';
import { FakeApi } from './fake-api.ts';

const POD = '/api/v1/namespaces/lb/pods/lb-collector-0';
const EVERY_MS = 15 * 60_000;
const KINDS: readonly Kind[] = ['CronJob', 'Job', 'Pod'];
let fake: FakeApi;
let api: KubeApi;
let folder: string;
let store: Store;
let restart: CollectorRestart | undefined;
let reported: Restarted[];
let excuses: string[];
let now: number;

beforeEach(async () => {
  fake = new FakeApi();
  api = await fake.start();
  folder = mkdtempSync(join(tmpdir(), 'collector-restart-'));
  store = openStore(join(folder, 'bridge.db'), { now: () => 0 });
  [reported, excuses, now] = [[], [], 1_000_000_000_000];
});

afterEach(async () => {
  await restart?.stop();
  restart = undefined;
  store.close();
  await fake.stop();
  rmSync(folder, { recursive: true });
});

/** As at a start of the bridge on the same store. */
function start(options: Partial<CollectorRestartOptions> = {}): CollectorRestart {
  const { audit } = createEngine(store, []);
  restart = startCollectorRestart({
    api,
    store: { auditRestart: (everyMs, at) => Promise.resolve(audit.auditRestart(everyMs, at)) },
    clock: { now: () => now },
    pods: ['lb/lb-collector-0'],
    events: true,
    excuse: () => undefined,
    onRestarted: (restarted) => reported.push(restarted),
    onExcused: (why) => excuses.push(why),
    onError: (error) => expect.unreachable(String(error)),
    afterMs: 1,
    ...options,
  });
  return restart;
}

const die = (kinds = KINDS): void => kinds.forEach((kind) => restart!.watch(kind, true));
const live = (): void => KINDS.forEach((kind) => restart!.watch(kind, false));

async function until(what: string, check: () => boolean): Promise<void> {
  for (const end = Date.now() + 30_000; !check(); await pause(2)) if (Date.now() > end) throw new Error(what);
}

const done = (count = 1) => until(`${count} pods were to be deleted`, () => reported.length >= count);
const outcomes = (): string[] => reported.map(({ outcome }) => outcome);

describe('the pod of the Collector', () => {
  it('is deleted when the watches of CronJobs, Jobs and Pods are all dead, and an Event on it says why', async () => {
    start();
    die();
    await done();
    expect(fake.deleted).toEqual([POD]);
    expect(reported).toEqual([{ pod: 'lb/lb-collector-0', at: now, outcome: 'deleted' }]);
    expect(restart!.last()).toEqual(reported[0]);
    await until('the Event is there', () => fake.created.size === 1);
    const [event] = fake.created.values();
    expect(event).toMatchObject({
      type: 'Warning',
      reason: 'WatchesDead',
      regarding: { kind: 'Pod', namespace: 'lb', name: 'lb-collector-0' },
    });
  });

  it('is left alone while one of them lives', async () => {
    start();
    die(['CronJob', 'Pod']);
    await pause(50);
    expect(fake.requests).toEqual([]);
  });

  it('is left alone when one of them lives again before the five minutes are over', async () => {
    start({ afterMs: 60_000 });
    die();
    restart!.watch('Job', false);
    await restart!.stop();
    expect(fake.requests).toEqual([]);
  });

  it('is deleted with every other one of several', async () => {
    start({ pods: ['lb/lb-collector-0', 'watch/other-0'], events: false });
    die();
    await done(2);
    expect(fake.deleted).toEqual([POD, '/api/v1/namespaces/watch/pods/other-0']);
    expect(fake.created.size).toBe(0);
  });

  it('is never deleted when none is named', async () => {
    start({ pods: [] });
    die();
    await pause(50);
    expect(fake.requests).toEqual([]);
  });

  it('is deleted again after a while when that did not help', async () => {
    start({ everyMs: 1 });
    die();
    now += 1;
    await done();
    now += EVERY_MS;
    await done(2);
    expect(fake.deleted.length).toBeGreaterThanOrEqual(2);
  });

  it('is deleted once in 15 minutes, whatever happens in between: other deaths, and a restart of the bridge', async () => {
    start();
    die();
    await done();
    live();
    die();
    await restart!.stop();
    start();
    die();
    now += EVERY_MS - 1;
    await pause(100);
    expect(fake.deleted).toEqual([POD]);
    await restart!.stop();
    now += 1;
    start();
    die();
    await done(2);
    expect(fake.deleted).toEqual([POD, POD]);
  });

  it('is deleted at once when the clock was set back by hours after the last time', async () => {
    start();
    die();
    await done();
    await restart!.stop();
    now -= 2 * 3_600_000;
    start();
    die();
    await done(2);
    expect(outcomes()).toEqual(['deleted', 'deleted']);
  });

  it.each([
    [403, 'forbidden'],
    [404, 'absent'],
    [500, 'failed'],
  ] as const)('that may not or cannot be deleted (%i) is reported with the API`s words', async (status, outcome) => {
    fake.intercept = () => ({ status, body: { message: 'no, because' } });
    start();
    die();
    await done();
    expect(reported).toEqual([{ pod: 'lb/lb-collector-0', at: now, outcome, error: 'no, because' }]);
    expect(fake.created.size).toBe(0);
  });

  it('that may not be deleted is not asked for again until the watches have lived', async () => {
    fake.intercept = (path) => (path === POD ? { status: 403, body: {} } : undefined);
    start({ everyMs: 1 });
    die();
    await done();
    now += EVERY_MS;
    await pause(100);
    expect(outcomes()).toEqual(['forbidden']);
    live();
    die();
    await done(2);
  });

  it('is left alone while something else is wrong, which is reported', async () => {
    let excuse: string | undefined = 'the token is wrong';
    start({ excuse: () => excuse });
    die();
    await until('it is reported', () => excuses.length > 1);
    expect(fake.deleted).toEqual([]);
    excuse = undefined;
    await done();
    expect(fake.deleted).toEqual([POD]);
  });
});
