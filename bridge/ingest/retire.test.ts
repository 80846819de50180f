import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { condition, cronJobFacts, jobFacts, ownedBy, seen, T0 } from '../../test/fixtures/facts.ts';
import type { JobFacts, Observation } from '../kubernetes/observation.ts';
import { planConfig } from '../sinks/cronitor/fixtures.ts';
import { createCronitorPlanner } from '../sinks/cronitor/plan.ts';
import type { ReadStore } from '../store/read.ts';
import { openReader, openStore } from '../store/sqlite/open.ts';
import type { Store } from '../store/store.ts';
import type { Engine } from './engine.ts';
import { createEngine } from './engine.ts';

const CRON = cronJobFacts();
const DESTINATION = 'cronitor/default';
const MINUTE = 60_000;
let folder: string;
let store: Store;
let reader: ReadStore;
let engine: Engine;
let now = T0;

function open(): void {
  const path = join(folder, 'bridge.db');
  store = openStore(path, { now: () => now });
  reader = openReader(path);
  engine = createEngine(store, [
    { planner: createCronitorPlanner('default', planConfig()), rule: { cutoff: T0, running: 'announce' } },
  ]);
}

function close(): void {
  reader.close();
  store.close();
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'retire-'));
  now = T0;
  open();
});
afterEach(() => {
  close();
  rmSync(folder, { recursive: true });
});

const take = (...observations: Observation[]) => engine.commit([{ observations, quarantine: [], records: [] }], now);

function converge(): unknown[] {
  const rows = store.claimDesired(DESTINATION, 100, now);
  store.settleDesired(
    rows.map(({ key, wantedHash }) => ({
      destination: DESTINATION,
      key,
      sentHash: wantedHash,
      delivery: { outcome: 'delivered' },
    })),
    now,
  );
  return rows.map(({ wanted }) => (wanted as { paused?: boolean }).paused);
}

function run(number: number, startAt: number, changes: Partial<JobFacts> = {}): JobFacts {
  const uid = `22222222-0000-4000-8000-00000000000${number}`;
  return jobFacts({ uid, name: `report-${number}`, owner: ownedBy(CRON), scheduledAt: startAt, startAt, ...changes });
}

const reported = (uid: string) =>
  (reader.run(uid)?.decisions ?? []).map(({ verdict, reason }) => `${verdict} ${reason ?? ''}`.trim());

it('pauses every monitor, gives up what waits, and says how far it is', () => {
  take(seen(CRON), seen(run(1, T0 + 1000)));
  expect(converge()).toEqual([undefined]);
  expect(reader.retirement()).toBeUndefined();
  now += MINUTE;
  engine.retire(true, 'ada', now);
  expect(reader.retirement()).toEqual({
    since: now,
    by: 'ada',
    destinations: [{ destination: DESTINATION, rows: 1, open: 1, refused: 0 }],
  });
  expect(reader.deliveries({ limit: 10 }).items).toMatchObject([{ status: 'dropped', reason: 'retired' }]);
  expect(converge()).toEqual([true]);
  expect(reader.retirement()?.destinations).toMatchObject([{ open: 0 }]);
});

it('stays retired over a restart: nothing is planned, changed CronJobs stay paused, new ones make no monitor', () => {
  take(seen(CRON));
  converge();
  engine.retire(true, 'ada', now);
  converge();
  close();
  now += MINUTE;
  open();
  const other = cronJobFacts({ uid: '99999999-0000-4000-8000-000000000001', name: 'other' });
  take(seen({ ...CRON, schedule: '1 2 * * *', resourceVersion: '900' }), seen(other), seen(run(1, now)));
  expect(converge()).toEqual([true]);
  expect(reported(run(1, now).uid)).toEqual(['dropped retired']);
  expect(store.claim(DESTINATION, 10, now, [], false)).toEqual([]);
});

it('gives up what was in flight and failed', () => {
  take(seen(CRON), seen(run(1, T0 + 1000)));
  converge();
  const [intent] = store.claim(DESTINATION, 10, now, [], false);
  engine.retire(true, 'ada', now);
  store.settle([{ seq: intent!.seq, delivery: { outcome: 'retry', reason: 'server_error' }, delayMs: 0 }], now);
  expect(store.claim(DESTINATION, 10, now, [], false)).toEqual([]);
  store.sweep(now, 24 * 60 * MINUTE, MINUTE);
  expect(reader.deliveries({ limit: 10 }).items).toMatchObject([{ status: 'dropped', reason: 'retired' }]);
});

it('ends by undo: monitors as they were, new ones made, telemetry from then on, none of what happened meanwhile', () => {
  take(seen(CRON), seen(run(1, T0 + 1000)));
  converge();
  now += MINUTE;
  engine.retire(true, 'ada', now);
  converge();
  take(seen(cronJobFacts({ uid: '99999999-0000-4000-8000-000000000001', name: 'other' })));
  now += MINUTE;
  engine.retire(false, 'ada', now);
  expect(reader.retirement()).toBeUndefined();
  expect(new Set(converge())).toEqual(new Set([false, undefined]));
  const late = run(2, now - MINUTE / 2);
  const after = run(3, now + 1000);
  const ended = run(1, T0 + 1000, {
    resourceVersion: '990',
    conditions: [condition('Complete', now + 5000)],
    completionAt: now + 5000,
  });
  take(seen(late), seen(after), seen(ended));
  expect(reported(late.uid)).toEqual(['dropped retired']);
  expect(reported(after.uid)).toEqual(['planned']);
  expect(reported(ended.uid)).toEqual(['planned', 'planned']);
});
