import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ownedBy, seen, T0 } from '../../test/fixtures/facts.ts';
import type { CronJobFacts } from '../kubernetes/observation.ts';
import { planConfig } from '../sinks/cronitor/fixtures.ts';
import { createCronitorPlanner } from '../sinks/cronitor/plan.ts';
import { annotated, complete, CRON, JOB_UID, scheduled, TestEngine, uidOf } from './test-engine.ts';

const planner = (account: object, name = 'default') => createCronitorPlanner(name, planConfig(account));
const of = (team: string, version: string): CronJobFacts => ({ ...CRON, resourceVersion: version, labels: { team } });
const ofTeam = (team: string) => planner({ labelSelector: { matchLabels: { team } } }, `team-${team}`);

let bridge: TestEngine;
beforeEach(() => {
  bridge = new TestEngine();
});
afterEach(() => bridge.close());

const monitors = (): unknown[] =>
  bridge.reader
    .desired({ limit: 100 })
    .items.map(({ destination, key, wanted }) => {
      const { tags, paused } = wanted as { tags: string[]; paused?: boolean };
      return [destination, key, tags.slice(2), paused] as const;
    })
    .toSorted(([a], [b]) => a.localeCompare(b));

describe('other settings at the next start', () => {
  it('reach the monitors of CronJobs that do not change', () => {
    bridge.take([seen(CRON)]);
    bridge.restart([planner({ tags: ['new'] })]);
    expect(monitors()).toEqual([['cronitor/default', CRON.uid, ['new'], undefined]]);
  });

  it('give an account that is new the monitors of all that is there', () => {
    bridge.take([seen(CRON)]);
    bridge.restart([planner({}), planner({}, 'second')]);
    expect(monitors()).toEqual([
      ['cronitor/default', CRON.uid, [], undefined],
      ['cronitor/second', CRON.uid, [], undefined],
    ]);
  });

  it('pause the monitors of what is no longer selected, and close its runs that began', () => {
    bridge.take([seen(CRON), seen(scheduled())]);
    bridge.restart([planner({ defaultBehavior: 'exclude' })]);
    bridge.take([seen(complete())]);
    expect(bridge.reported()).toEqual(['run@1', 'complete@9']);
    expect(monitors()).toEqual([['cronitor/default', CRON.uid, [], true]]);
  });

  it('that are the same ones change nothing', () => {
    bridge.take([seen(CRON), seen(annotated({ key: 'k' }, { uid: uidOf(3), name: 'other' }))]);
    const before = bridge.reader.desired({ limit: 100 }).items;
    bridge.restart();
    expect(bridge.reader.desired({ limit: 100 }).items).toEqual(before);
  });
});

describe('a CronJob that is no longer selected', () => {
  const DAY = 86_400_000;
  /** All that is wanted now is accepted by the vendor. */
  function accept(): void {
    const rows = bridge.store.claimDesired('cronitor/default', 10, T0 + DAY);
    const settled = rows.map(({ destination, key, wantedHash: sentHash }) => {
      return { destination, key, sentHash, delivery: { outcome: 'delivered' as const } };
    });
    bridge.store.settleDesired(settled, T0 + DAY);
  }

  it.each(['keep', 'pause', 'delete'])('has its monitor paused, not more, with onDelete: %s', (onDelete) => {
    bridge.restart([planner({ onDelete, deleteAfter: '1h' })]);
    bridge.take([seen(CRON)]);
    accept();
    bridge.take([seen(annotated({ exclude: 'true' }, { resourceVersion: '101' }))]);
    accept();
    bridge.store.sweep(T0 + DAY, DAY, DAY);
    expect(monitors()).toEqual([['cronitor/default', CRON.uid, [], true]]);
    bridge.take([seen({ ...CRON, resourceVersion: '102' })]);
    expect(monitors()).toEqual([['cronitor/default', CRON.uid, [], false]]);
  });
});

describe('accounts by label', () => {
  beforeEach(() => bridge.restart([ofTeam('a'), ofTeam('b')]));

  it('have only the CronJobs of their own', () => {
    bridge.take([seen(of('a', '100')), seen(scheduled())]);
    expect(monitors()).toEqual([['cronitor/team-a', CRON.uid, [], undefined]]);
    expect(bridge.pings().map(({ destination }) => destination)).toEqual(['cronitor/team-a']);
    expect(bridge.decisions()).toEqual(['planned', 'dropped not_selected']);
  });

  it('both hear how a run ends during which a CronJob moved, and the old monitor is paused', () => {
    const next = { uid: uidOf(2), owner: ownedBy(CRON), scheduledAt: T0 + 60_000, resourceVersion: '130' };
    bridge.take([seen(of('a', '100')), seen(scheduled()), seen(of('b', '115'))]);
    bridge.take([seen(complete()), seen(scheduled(next))]);
    expect(bridge.pings().map(({ destination, state, series }) => [destination, state, series])).toEqual([
      ['cronitor/team-a', 'run', JOB_UID],
      ['cronitor/team-a', 'complete', JOB_UID],
      ['cronitor/team-b', 'complete', JOB_UID],
      ['cronitor/team-b', 'run', uidOf(2)],
    ]);
    expect(monitors()).toEqual([
      ['cronitor/team-a', CRON.uid, [], true],
      ['cronitor/team-b', CRON.uid, [], undefined],
    ]);
  });
});
