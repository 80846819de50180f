import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  condition,
  container,
  cronJobFacts,
  jobFacts,
  ownedBy,
  podFacts,
  seen,
  T0,
  terminated,
} from '../../test/fixtures/facts.ts';
import type { CronJobFacts, JobFacts, Observation } from '../kubernetes/observation.ts';
import { planConfig } from '../sinks/cronitor/fixtures.ts';
import { createCronitorPlanner } from '../sinks/cronitor/plan.ts';
import type { Planner } from '../sinks/sink.ts';
import type { DeliveryView } from '../store/delivery-view.ts';
import type { ReadStore } from '../store/read.ts';
import { openReader, openStore } from '../store/sqlite/open.ts';
import type { Store } from '../store/store.ts';
import type { Engine } from './engine.ts';
import { createEngine } from './engine.ts';

const CRON = cronJobFacts();
const DESTINATION = 'cronitor/default';
let folder: string;
let store: Store;
let reader: ReadStore;
let engine: Engine;

const planner = createCronitorPlanner('default', planConfig());

function open(planners: readonly Planner[] = [planner], running: 'announce' | 'suppress' = 'announce'): void {
  folder = mkdtempSync(join(tmpdir(), 'engine-'));
  store = openStore(join(folder, 'bridge.db'), { now: () => T0 });
  reader = openReader(join(folder, 'bridge.db'));
  engine = createEngine(
    store,
    planners.map((planner) => ({ planner, rule: { cutoff: T0, running } })),
  );
}

function close(): void {
  reader.close();
  store.close();
  rmSync(folder, { recursive: true });
}

beforeEach(() => open());
afterEach(close);

function take(...observations: Observation[]): ReturnType<Engine['commit']> {
  return engine.commit([{ observations, quarantine: [], records: [] }], T0 + 60_000);
}

/** A Job that the CronJob's schedule made, running since T0 + 1 s. */
function scheduled(changes: Partial<JobFacts> = {}): JobFacts {
  return jobFacts({ owner: ownedBy(CRON), scheduledAt: T0, startAt: T0 + 1_000, resourceVersion: '110', ...changes });
}

const complete = (changes: Partial<JobFacts> = {}): JobFacts =>
  scheduled({
    resourceVersion: '120',
    conditions: [condition('Complete', T0 + 9_000)],
    completionAt: T0 + 9_000,
    ...changes,
  });

/** `state@stamp` of every planned ping, in the order of their making. */
function pings(): string[] {
  return reader
    .deliveries({ limit: 1000 })
    .items.toReversed()
    .map(({ payload }: DeliveryView) => {
      const { query } = payload as { query: { state: string; stamp: string; series: string } };
      return `${query.state}@${Number(query.stamp) - T0 / 1000}`;
    });
}

const decisionsOf = (uid: string): string[] =>
  (reader.run(uid)?.decisions ?? []).map(({ verdict, reason }) => `${verdict} ${reason ?? ''}`.trim());

describe('the commit', () => {
  it('plans one run and one complete, with true times, whatever comes twice', () => {
    take(seen(CRON), seen(scheduled()), seen(complete()));
    take(seen(scheduled()), seen(complete()), seen(complete({ resourceVersion: '121' }), true));
    expect(pings()).toEqual(['run@1', 'complete@9']);
    expect(reader.run(scheduled().uid)?.run).toMatchObject({
      status: 'succeeded',
      startedAt: T0 + 1_000,
      deleted: true,
    });
  });

  it('counts the records that said nothing new', () => {
    expect(take(seen(CRON), seen(scheduled()))).toMatchObject({ quiet: [] });
    const newer = scheduled({ resourceVersion: '111' });
    expect(take(seen(CRON), seen(scheduled()), seen(newer), seen(newer))).toMatchObject({
      quiet: [
        { kind: 'CronJob', unchanged: 0, known: 1 },
        { kind: 'Job', unchanged: 1, known: 2 },
      ],
    });
  });

  it('lets transitions wait until the owning CronJob is seen, and says so', () => {
    take(seen(scheduled()), seen(complete()));
    expect(pings()).toEqual([]);
    expect(decisionsOf(scheduled().uid)).toEqual(['waiting owner_unknown', 'waiting owner_unknown']);
    take(seen(CRON));
    expect(pings()).toEqual(['run@1', 'complete@9']);
    expect(decisionsOf(scheduled().uid)).toEqual(['planned', 'planned']);
  });

  it('records what ended before the cut-off and does not announce it', () => {
    const old = { startAt: T0 - 9_000, completionAt: T0 - 1_000, conditions: [condition('Complete', T0 - 1_000)] };
    take(seen(CRON), seen(scheduled(old)));
    expect(pings()).toEqual([]);
    expect(decisionsOf(scheduled().uid)).toEqual(['dropped before_cutoff', 'dropped before_cutoff']);
  });

  it('announces the end before the cut-off of a run whose start was announced', () => {
    take(seen(CRON), seen(scheduled({ startAt: T0 - 9_000 })));
    take(seen(complete({ startAt: T0 - 9_000, completionAt: T0 - 1_000 })));
    expect(pings()).toEqual(['run@-9', 'complete@-1']);
  });

  it('suppresses the start of a run that began before the cut-off, not its end after it', () => {
    close();
    open([planner], 'suppress');
    take(seen(CRON), seen(scheduled({ startAt: T0 - 9_000 })), seen(complete({ startAt: T0 - 9_000 })));
    expect(pings()).toEqual(['complete@9']);
  });

  it('ends a Job deleted while active as cancelled', () => {
    take(seen(CRON), seen(scheduled()), seen(scheduled({ resourceVersion: '115', deletionAt: T0 + 5_000 }), true));
    expect(reader.run(scheduled().uid)?.run.status).toBe('cancelled');
    expect(pings()).toEqual(['run@1', 'fail@5']);
  });

  it('gives a second Job with the same scheduled instant a run of its own', () => {
    const other = scheduled({ uid: '11111111-0000-4000-8000-000000000002', name: 'report-2' });
    take(seen(CRON), seen(scheduled()), seen(other));
    expect(pings()).toEqual(['run@1', 'run@1']);
  });

  it('shows the run as stuck while one of its pods is, and as running afterwards', () => {
    const waiting = podFacts({ containers: [container({ waiting: { reason: 'ErrImagePull', message: undefined } })] });
    take(seen(CRON), seen(scheduled()), seen(waiting));
    expect(reader.run(scheduled().uid)?.run).toMatchObject({ status: 'stuck', reason: 'ErrImagePull' });
    take(seen(podFacts({ resourceVersion: '111', phase: 'Running', containers: [container({ runningSince: T0 })] })));
    expect(reader.run(scheduled().uid)?.run.status).toBe('running');
  });

  it('knows that a run is stuck when its pod was seen before its Job', () => {
    const waiting = podFacts({ containers: [container({ waiting: { reason: 'ErrImagePull', message: undefined } })] });
    take(seen(CRON), seen(waiting), seen(scheduled()));
    expect(reader.run(scheduled().uid)?.run.status).toBe('stuck');
  });

  it('quarantines the record that throws and commits the rest of its batch', () => {
    const uid = '11111111-0000-4000-8000-00000000000b';
    const bad = scheduled({ uid, scheduledAt: T0 + 60_000, conditions: null as never });
    expect(take(seen(CRON), seen(bad), seen(scheduled()))).toMatchObject({ poisoned: 1 });
    expect(pings()).toEqual(['run@1']);
    expect(reader.drops({ limit: 10 }).items).toMatchObject([
      { kind: 'quarantine', subject: bad.uid, reason: 'core_error' },
    ]);
    expect(reader.run(bad.uid)).toBeUndefined();
  });

  it('names the node of the last ended pod and the container that failed', () => {
    const pod = podFacts({
      phase: 'Failed',
      nodeName: 'node1',
      startAt: T0 + 1_000,
      containers: [container({ terminated: terminated(4, T0 + 8_000) })],
    });
    const failed = scheduled({
      resourceVersion: '120',
      conditions: [condition('Failed', T0 + 9_000, { reason: 'BackoffLimitExceeded' })],
    });
    take(seen(CRON), seen(scheduled()), seen(pod), seen(failed));
    const { payload } = reader.deliveries({ limit: 1 }).items[0]!;
    expect(payload).toMatchObject({
      query: { state: 'fail', host: 'node1', message: expect.stringContaining('main exited with 4') },
    });
  });
});

describe('concurrencyPolicy Replace', () => {
  const cron = cronJobFacts({ concurrencyPolicy: 'Replace' });
  const removed = scheduled({ resourceVersion: '115', deletionAt: T0 + 60_000 });
  const successor = scheduled({
    uid: '11111111-0000-4000-8000-000000000002',
    resourceVersion: '116',
    scheduledAt: T0 + 60_000,
    createdAt: T0 + 60_000,
    startAt: undefined,
  });

  it.each([
    ['after', [seen(removed, true), seen(successor)]],
    ['before', [seen(successor), seen(removed, true)]],
  ])('ends the replaced Job as complete when its successor is seen %s the deletion', (_name, observations) => {
    take(seen(cron), seen(scheduled()), ...observations);
    expect(pings()).toEqual(['run@1', 'complete@60']);
    expect(reader.run(removed.uid)?.run.status).toBe('replaced');
  });

  it('waits 30 s for a successor, then it was cancelled; a restart does not forget it', () => {
    take(seen(cron), seen(scheduled()), seen(removed, true));
    expect(decisionsOf(removed.uid)).toContain('waiting awaiting_replacement');
    store.close();
    store = openStore(join(folder, 'bridge.db'), { now: () => T0 });
    engine = createEngine(store, [{ planner, rule: { cutoff: T0, running: 'announce' } }]);
    engine.tick(T0 + 60_000 + 29_999);
    expect(pings()).toEqual(['run@1']);
    engine.tick(T0 + 60_000 + 30_000);
    engine.tick(T0 + 60_000 + 31_000);
    expect(pings()).toEqual(['run@1', 'fail@60']);
  });
});

describe('monitors', () => {
  const monitors = () =>
    reader.desired({ limit: 10 }).items.map(({ key, wanted }) => [key, (wanted as { paused?: boolean }).paused]);

  it('are paused by suspension and deletion, and never mention a pause before', () => {
    take(seen(CRON));
    expect(monitors()).toEqual([[CRON.uid, undefined]]);
    take(seen(cronJobFacts({ resourceVersion: '101', suspend: true })));
    expect(monitors()).toEqual([[CRON.uid, true]]);
    take(seen(cronJobFacts({ resourceVersion: '102' })));
    expect(monitors()).toEqual([[CRON.uid, false]]);
    take(seen(cronJobFacts({ resourceVersion: '103' }), true));
    expect(monitors()).toEqual([[CRON.uid, true]]);
  });

  it('keep their key and are never left paused when a CronJob is made again 50 times, in any order', () => {
    const lives = Array.from({ length: 50 }, (_, n): CronJobFacts => {
      const uid = `33333333-0000-4000-8000-${String(n).padStart(12, '0')}`;
      return cronJobFacts({ uid, createdAt: T0 + n * 1_000, resourceVersion: String(1_000 + 10 * n) });
    });
    const all = lives.flatMap((facts, n): Observation[] =>
      n === lives.length - 1
        ? [seen(facts)]
        : [seen(facts), seen({ ...facts, resourceVersion: String(1_005 + 10 * n) }, true)],
    );
    fc.assert(
      fc.property(fc.shuffledSubarray(all, { minLength: all.length }), (shuffled) => {
        close();
        open();
        take(...shuffled);
        expect(monitors()).toHaveLength(1);
        expect(monitors()[0]![1]).not.toBe(true);
      }),
      { numRuns: 10 },
    );
  });
});

describe('a restart', () => {
  it('plans nothing new when everything is seen again', () => {
    take(seen(CRON), seen(scheduled()), seen(complete()));
    const before = pings();
    store.close();
    store = openStore(join(folder, 'bridge.db'), { now: () => T0 });
    engine = createEngine(store, [{ planner, rule: { cutoff: T0, running: 'announce' } }]);
    take(seen(CRON), seen(complete()));
    expect(pings()).toEqual(before);
    expect(reader.desired({ limit: 10 }).items).toHaveLength(1);
    expect(reader.desired({ limit: 10 }).items[0]?.destination).toBe(DESTINATION);
  });
});
