import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ABOUT, condition, cronJobFacts, jobFacts, ownedBy, podFacts, seen, T0 } from '../../test/fixtures/facts.ts';
import type { JobFacts, Observation } from '../kubernetes/observation.ts';
import { planConfig } from '../sinks/cronitor/fixtures.ts';
import { createCronitorPlanner } from '../sinks/cronitor/plan.ts';
import { Db } from '../store/sqlite/db/db.ts';
import { openReader, openStore } from '../store/sqlite/open.ts';
import type { ReadStore } from '../store/read.ts';
import type { RetentionLimits, StoreState, Store } from '../store/store.ts';
import { createEngine } from './engine.ts';

const DAY = 86_400_000;
const DESTINATION = 'cronitor/default';
const CRON = cronJobFacts();
const LIMITS: RetentionLimits = { age: 10 * DAY, maxBytes: 1 << 30 };
const planner = createCronitorPlanner('default', planConfig());

let folder: string;
let path: string;
let store: Store;
let reader: ReadStore;
let engine: ReturnType<typeof createEngine>;
let now: number;

function open(): void {
  store = openStore(path, { now: () => now });
  reader = openReader(path);
  engine = createEngine(store, [{ planner, rule: { cutoff: T0, running: 'announce' } }]);
}
function close(): void {
  reader.close();
  store.close();
}
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'retention-'));
  path = join(folder, 'bridge.db');
  now = T0 + 60_000;
  open();
});
afterEach(() => {
  close();
  rmSync(folder, { recursive: true });
});

function take(...observations: Observation[]): void {
  engine.commit([{ observations, quarantine: [], records: [] }], now);
}

const uid = (n: number): string => `11111111-0000-4000-8000-${String(n).padStart(12, '0')}`;

function job(n: number, changes: Partial<JobFacts> = {}): JobFacts {
  const name = `report-${n}`;
  const times = { scheduledAt: T0 + n * 60_000, startAt: T0 + n * 60_000 + 1_000, createdAt: T0 + n * 60_000 };
  return jobFacts({ uid: uid(n), name, owner: ownedBy(CRON), resourceVersion: '110', ...times, ...changes });
}

const ended = (n: number): JobFacts =>
  job(n, { resourceVersion: '120', conditions: [condition('Complete', T0 + n * 60_000 + 9_000)] });

/** A run from its start to the deletion of its Job, with one pod. */
function whole(n: number): Observation[] {
  const owner = { group: 'batch', kind: 'Job', name: `report-${n}`, uid: uid(n) };
  const pod = podFacts({ uid: `${uid(n)}-pod`, name: `report-${n}-x`, owner, phase: 'Succeeded', createdAt: T0 });
  return [seen(job(n)), seen(pod), seen(ended(n)), seen({ ...pod, resourceVersion: '130' }, true), gone(n)];
}

const runs = (from: number, to: number): Observation[] =>
  Array.from({ length: to - from + 1 }, (_, n) => whole(from + n)).flat();

const gone = (n: number): Observation => seen({ ...ended(n), resourceVersion: '140' }, true);

/** Everything that is queued is delivered. */
function deliver(): void {
  for (let claimed = store.claim(DESTINATION, 1000, now, [], true); claimed.length > 0;) {
    store.settle(
      claimed.map(({ seq }) => ({ seq, delivery: { outcome: 'delivered' } })),
      now,
    );
    claimed = store.claim(DESTINATION, 1000, now, [], true);
  }
}

/** Steps until a pass is over: the walk ends long before. */
function retain(limits = LIMITS): StoreState {
  let state = store.retain(now, limits);
  for (let n = 0; n < 100; n++) state = store.retain(now, limits);
  return state;
}

function count(table: string): number {
  const db = new Db(path, true);
  const { n } = db.get<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)!;
  db.close();
  return n;
}

const counts = (...tables: string[]): number[] => tables.map(count);

describe('retention by age', () => {
  beforeEach(() => {
    take(seen(CRON), ...whole(1));
    deliver();
  });

  it('removes a deleted run with all that belongs to it and keeps the CronJob and its monitor', () => {
    now += 11 * DAY;
    retain();
    expect(counts('runs', 'attempts', 'transitions', 'decisions', 'intents')).toEqual([0, 0, 0, 0, 0]);
    expect(counts('objects', 'desired', 'claims', 'tombstones')).toEqual([1, 1, 1, 1]);
  });

  it('leaves it until it is old enough', () => {
    now += 9 * DAY;
    retain();
    expect(count('runs')).toBe(1);
    now += 2 * DAY;
    retain();
    expect(count('runs')).toBe(0);
  });

  it('never touches a run whose Job still exists, however old', () => {
    take(seen(job(2)), seen(ended(2)));
    deliver();
    now += 100 * DAY;
    retain();
    expect(reader.run(uid(2))?.run.status).toBe('succeeded');
    expect(count('runs')).toBe(1);
  });

  it('leaves what waits to be sent, and takes it once it is settled', () => {
    take(...whole(2));
    now += 11 * DAY;
    retain();
    expect(count('intents')).toBe(2);
    deliver();
    now += 3_600_000;
    retain();
    expect(counts('runs', 'intents')).toEqual([0, 0]);
  });

  it('leaves what a timer is about', () => {
    store.transaction((tx) => tx.timers.set({ id: 't', kind: 'replacement', uid: uid(1), due: now + 90 * DAY }));
    now += 11 * DAY;
    retain();
    expect(count('runs')).toBe(1);
  });

  it('removes a deleted CronJob after its last run, and pods of no run', () => {
    const pod = podFacts({ owner: { group: 'apps', kind: 'ReplicaSet', name: 'web', uid: 'rs' } });
    take(seen(pod), seen({ ...pod, resourceVersion: '101', deletionAt: T0 }, true));
    take(seen({ ...CRON, resourceVersion: '101' }, true));
    now += 11 * DAY;
    retain();
    now += 3_600_000;
    retain();
    expect(count('objects')).toBe(0);
  });
});

describe('a late record of what was pruned', () => {
  it('announces nothing and leaves nothing, and explain still knows what was reported', () => {
    take(seen(CRON), ...whole(1));
    deliver();
    now += 11 * DAY;
    retain();
    take(...whole(1));
    close();
    open();
    take(...whole(1));
    expect(counts('runs', 'objects', 'attempts', 'transitions', 'intents')).toEqual([0, 1, 0, 0, 0]);
    expect(reader.pruned(uid(1))).toMatchObject({
      name: 'report-1',
      prunedAt: now,
      announced: [
        { destination: DESTINATION, status: 'delivered', transition: `${CRON.uid}/${T0 + 60_000}/started` },
        { destination: DESTINATION, status: 'delivered', transition: `${CRON.uid}/${T0 + 60_000}/ended` },
      ],
    });
  });

  it('is refused and listed after its tombstone is gone too, and what is younger is taken', () => {
    take(seen(CRON), ...whole(1), ...whole(3));
    deliver();
    now += 11 * DAY;
    retain();
    now += 31 * DAY;
    retain();
    expect(counts('tombstones', 'run_keys')).toEqual([0, 0]);
    take(...whole(2), ...whole(4));
    expect(reader.run(uid(2))).toBeUndefined();
    expect(reader.run(uid(4))?.run.status).toBe('succeeded');
    expect(reader.refusedCounts()).toEqual([{ reason: 'beyond_retention', count: 7 }]);
    expect(reader.usedBytes()).toBe(retain().usedBytes);
    const drops = reader.drops({ limit: 10 }).items.filter(({ reason }) => reason === 'beyond_retention');
    expect(drops.map(({ subject }) => subject).toSorted()).toEqual([
      'Job shop/report-2',
      'Pod shop/report-2-x',
      'Pod shop/report-4-x',
    ]);
  });

  it('is taken after all when a LIST shows that the object lives', () => {
    take(seen(CRON), ...whole(3));
    deliver();
    now += 11 * DAY;
    retain();
    now += 31 * DAY;
    retain();
    take({ ...seen(job(2)), listed: true });
    expect(reader.run(uid(2))?.run.status).toBe('running');
  });
});

describe('retention by size', () => {
  it('removes the oldest until the store fits, and the file grows no more', () => {
    take(seen(CRON));
    take(...runs(1, 600));
    deliver();
    const before = retain({ ...LIMITS, maxBytes: 1 << 30 });
    const limits = { ...LIMITS, maxBytes: Math.floor(before.usedBytes / 2) };
    const after = retain(limits);
    expect(after.usedBytes).toBeLessThanOrEqual(limits.maxBytes);
    expect(after.usedBytes).toBeGreaterThan(limits.maxBytes * 0.8);
    expect([reader.run(uid(1)), reader.run(uid(600))?.run.status]).toEqual([undefined, 'succeeded']);
    const size = statSync(path).size;
    take(...runs(601, 800));
    deliver();
    retain(limits);
    expect(statSync(path).size).toBeLessThan(size * 1.1);
  });

  it('says when nothing more may be removed, and keeps everything that lives', () => {
    take(seen(CRON), seen(job(1)), ...whole(2));
    expect(retain({ ...LIMITS, maxBytes: 1 })).toMatchObject({ exhausted: true });
    expect(count('runs')).toBe(2);
    deliver();
    now += 3_600_000;
    retain({ ...LIMITS, maxBytes: 1 });
    expect(reader.run(uid(1))?.run.status).toBe('running');
    expect(reader.run(uid(2))).toBeUndefined();
  });

  it('takes several steps for a run of thousands of pods', () => {
    take(seen(CRON), ...whole(1));
    deliver();
    store.transaction((tx) => {
      const pod = tx.objects.get(`${uid(1)}-pod`)!;
      const attempt = tx.runs.attempts(uid(1))[0]!;
      for (let n = 0; n < 5000; n++) {
        tx.objects.put({ ...pod, uid: `pod-${n}` });
        tx.runs.putAttempt(uid(1), { ...attempt, podUid: `pod-${n}` });
        tx.timeline.add(
          { id: `pod-${n}/end`, kind: 'attempt.ended', at: now, about: ABOUT, runUid: uid(1), text: '' },
          now,
        );
      }
    });
    now += 11 * DAY;
    let steps = 0;
    for (; count('objects') > 1 && steps < 1000; steps++) store.retain(now, LIMITS);
    expect(counts('objects', 'runs', 'transitions', 'attempts')).toEqual([1, 0, 0, 0]);
    expect(steps).toBeGreaterThan(1);
  });
});
