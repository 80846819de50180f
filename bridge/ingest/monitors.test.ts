import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cronJobFacts, ownedBy, seen, T0 } from '../../test/fixtures/facts.ts';
import type { CronJobFacts } from '../kubernetes/observation.ts';
import { planConfig } from '../sinks/cronitor/fixtures.ts';
import { createCronitorPlanner } from '../sinks/cronitor/plan.ts';
import { annotated, complete, CRON, scheduled, TestEngine, uidOf } from './test-engine.ts';

let bridge: TestEngine;
beforeEach(() => {
  bridge = new TestEngine();
});
afterEach(() => bridge.close());

const SECOND = '33333333-0000-4000-8000-000000000002';
const keys = (): string[] => bridge.pings().map(({ key, state }) => `${key} ${state}`);

describe('the monitor key', () => {
  it('of a run is the one that its start used, even after a restart', () => {
    bridge.take([seen(annotated({ key: 'before' })), seen(scheduled())]);
    bridge.take([seen(annotated({ key: 'after' }, { resourceVersion: '101' }))]);
    bridge.restart();
    const next = { uid: uidOf(2), scheduledAt: T0 + 60_000 };
    bridge.take([seen(complete()), seen(scheduled(next))]);
    expect(keys()).toEqual(['before run', 'before complete', 'after run']);
    expect(bridge.pausedRows()).toEqual(
      new Map([
        ['after', undefined],
        ['before', true],
      ]),
    );
  });

  it('that is replaced and then wanted again is resumed', () => {
    for (const [version, key] of [
      ['101', 'a'],
      ['102', 'b'],
      ['103', 'a'],
    ])
      bridge.take([seen(annotated({ key: key! }, { resourceVersion: version! }))]);
    expect(bridge.pausedRows()).toEqual(
      new Map([
        ['b', true],
        ['a', false],
      ]),
    );
  });

  it('is the first one when GitOps makes the CronJob again, for its new runs too', () => {
    const again = cronJobFacts({ uid: SECOND, createdAt: T0 + 30_000, resourceVersion: '150' });
    const run = { uid: uidOf(2), owner: ownedBy(again), scheduledAt: T0 + 60_000 };
    bridge.take([seen(CRON), seen(scheduled())]);
    bridge.take([seen({ ...CRON, resourceVersion: '140' }, true), seen(complete({ resourceVersion: '141' }), true)]);
    expect(bridge.pausedRows()).toEqual(new Map([[CRON.uid, true]]));
    bridge.restart();
    bridge.take([seen(again), seen(scheduled(run))]);
    expect(keys()).toEqual([`${CRON.uid} run`, `${CRON.uid} complete`, `${CRON.uid} run`]);
    expect(bridge.pausedRows()).toEqual(new Map([[CRON.uid, false]]));
  });
});

describe('a CronJob that is excluded', () => {
  const excluded = (version: string): CronJobFacts => annotated({ exclude: 'true' }, { resourceVersion: version });

  it('has no monitor and no pings, and says why', () => {
    bridge.take([seen(excluded('100')), seen(scheduled()), seen(complete())]);
    expect(bridge.pausedRows().size).toBe(0);
    expect(bridge.decisions()).toEqual(['dropped not_selected', 'dropped not_selected']);
  });

  it('during a run has that run closed and its monitor paused; included again it is resumed', () => {
    bridge.take([seen(CRON), seen(scheduled()), seen(excluded('101')), seen(complete())]);
    expect(bridge.reported()).toEqual(['run@1', 'complete@9']);
    expect(bridge.pausedRows()).toEqual(new Map([[CRON.uid, true]]));
    const next = { uid: uidOf(2), scheduledAt: T0 + 60_000 };
    bridge.take([seen(scheduled(next))]);
    expect(bridge.reported(uidOf(2))).toEqual([]);
    bridge.take([seen({ ...CRON, resourceVersion: '102' })]);
    expect(bridge.pausedRows()).toEqual(new Map([[CRON.uid, false]]));
  });
});

describe('a CronJob that is deleted before it was ever seen', () => {
  it('lets the runs that wait for it be reported, and its monitor is paused', () => {
    bridge.take([seen(scheduled()), seen(complete())]);
    bridge.take([seen(CRON, true)]);
    expect(bridge.reported()).toEqual(['run@1', 'complete@9']);
    expect(bridge.pausedRows()).toEqual(new Map([[CRON.uid, true]]));
  });
});

describe('several CronJobs on one key', () => {
  const older = annotated({ key: 'shared' }, { createdAt: T0 - 1_000 });
  const younger = annotated({ key: 'shared' }, { uid: SECOND, name: 'other', schedule: '5 * * * *', createdAt: T0 });

  it('all send telemetry; the oldest owns the settings until it is gone', () => {
    const schedule = (): unknown =>
      (bridge.reader.desired({ limit: 1 }).items[0]!.wanted as { schedule: string }).schedule;
    bridge.take([
      seen(younger),
      seen(older),
      seen(scheduled()),
      seen(scheduled({ uid: uidOf(2), owner: ownedBy(younger) })),
    ]);
    expect(keys()).toEqual(['shared run', 'shared run']);
    expect(schedule()).toBe('* * * * *');
    bridge.take([seen({ ...older, resourceVersion: '101' }, true)]);
    expect(schedule()).toBe('5 * * * *');
    expect(bridge.pausedRows()).toEqual(new Map([['shared', undefined]]));
    bridge.take([seen({ ...younger, resourceVersion: '102' }, true)]);
    expect(bridge.pausedRows()).toEqual(new Map([['shared', true]]));
  });

  it('leave it running when the oldest is suspended and then deleted, in any order', () => {
    const all = [
      seen(younger),
      seen(older),
      seen({ ...older, resourceVersion: '101', suspend: true }),
      seen({ ...older, resourceVersion: '102', suspend: true }, true),
    ];
    fc.assert(
      fc.property(fc.shuffledSubarray(all, { minLength: all.length }), (shuffled) => {
        bridge.close();
        bridge = new TestEngine();
        let wasPaused = false;
        for (const observation of shuffled) {
          bridge.take([observation]);
          wasPaused ||= bridge.pausedRows().get('shared') === true;
        }
        // The vendor keeps what a request does not mention.
        expect(bridge.pausedRows().get('shared')).toBe(wasPaused ? false : undefined);
      }),
      { numRuns: 24 },
    );
  });
});

describe('several destinations', () => {
  it('each have their own sticky key, memo and pings', () => {
    bridge.close();
    const planners = ['default', 'second'].map((name) => createCronitorPlanner(name, planConfig({ env: name })));
    bridge = new TestEngine({ planners });
    bridge.take([seen(CRON), seen(scheduled()), seen(complete())]);
    const sent = bridge.pings().map(({ destination, state }) => `${destination} ${state}`);
    expect(sent).toEqual([
      'cronitor/default run',
      'cronitor/second run',
      'cronitor/default complete',
      'cronitor/second complete',
    ]);
    expect(bridge.decisions()).toEqual(['planned', 'planned', 'planned', 'planned']);
    expect(
      bridge.reader
        .desired({ limit: 10 })
        .items.map(({ destination }) => destination)
        .toSorted(),
    ).toEqual(['cronitor/default', 'cronitor/second']);
  });
});
