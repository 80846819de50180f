import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { jobFacts, podFacts, seen, T0 } from '../../test/fixtures/facts.ts';
import type { CronJobFacts } from '../kubernetes/observation.ts';
import { annotated, complete, CRON, JOB_UID, scheduled, TestEngine, uidOf } from './test-engine.ts';

// §8 of what is written down of cronitor-kubernetes 0.9.1: the unit tests of its CronJob watcher and its Event handler.

const DESTINATION = 'cronitor/default';
let bridge: TestEngine;
beforeEach(() => {
  bridge = new TestEngine();
});
afterEach(() => bridge.close());

let version = 200;
/** The CronJob a version later. */
const later = (changes: Partial<CronJobFacts> = {}): CronJobFacts => ({
  ...CRON,
  resourceVersion: String(version++),
  ...changes,
});

const annotations = (values: Record<string, string>) => ({ annotations: annotated(values).annotations });

/** The monitors that a request is due for, each of which is accepted. */
function requests(): string[] {
  const rows = bridge.store.claimDesired(DESTINATION, 100, T0 + 60_000);
  const delivery = { outcome: 'delivered' } as const;
  const settled = rows.map(({ key, wantedHash }) => ({
    destination: DESTINATION,
    key,
    sentHash: wantedHash,
    delivery,
  }));
  bridge.store.settleDesired(settled, T0 + 60_000);
  return rows.map(({ wanted }) => (wanted as { name: string }).name);
}

describe('a monitor is sent', () => {
  const NAME = 'shop/report';
  it.each<[string, CronJobFacts | undefined, CronJobFacts, number]>([
    ['not, for a CronJob that is seen again', CRON, CRON, 0],
    ['for a CronJob that is new', undefined, CRON, 1],
    ['for another schedule', CRON, later({ schedule: '0 1 * * *' }), 1],
    ['not, for another version that changes nothing', CRON, later(), 0],
    ['for another time zone', later({ timeZone: 'UTC' }), later({ timeZone: 'Europe/Berlin' }), 1],
    ['for a time zone that is added', CRON, later({ timeZone: 'Europe/Berlin' }), 1],
    ['for a time zone that is removed', later({ timeZone: 'Europe/Berlin' }), later(), 1],
    ['not, for UTC, which is always sent (the old agent sent it)', CRON, later({ timeZone: 'UTC' }), 0],
    ['not, for the same time zone', later({ timeZone: 'UTC' }), later({ timeZone: 'UTC' }), 0],
    ['for one that is no longer excluded', later(annotations({ exclude: 'true' })), later(), 1],
    ['paused, for one that is excluded (the old agent sent nothing)', CRON, later(annotations({ exclude: 'true' })), 1],
    ['for an annotation alone (the old agent sent nothing)', CRON, later(annotations({ note: 'Note' })), 1],
  ])('%s', (_what, before, after, count) => {
    if (before !== undefined) bridge.take([seen(before)]);
    requests();
    bridge.take([seen(after)]);
    expect(requests()).toEqual(Array.from({ length: count }, () => NAME));
    bridge.restart();
    expect(requests()).toEqual([]);
  });
});

describe('a run is reported', () => {
  const deployment = { group: 'apps', kind: 'Deployment', name: 'report', uid: uidOf(9) };
  it.each<[string, Parameters<TestEngine['take']>[0], string[]]>([
    ['of a CronJob that is watched', [seen(CRON), seen(scheduled()), seen(podFacts())], ['run@1']],
    [
      'also without any pod, or any permission to look for one',
      [seen(CRON), seen(complete())],
      ['run@1', 'complete@9'],
    ],
    ['not, of a CronJob that is not watched', [seen(scheduled()), seen(complete())], []],
    ['not, of a Job without owner', [seen(CRON), seen(jobFacts({ startAt: T0 }))], []],
    ['not, of a Job of a Deployment', [seen(CRON), seen(scheduled({ owner: deployment }))], []],
    ['not, of a pod whose Job is missing', [seen(CRON), seen(podFacts())], []],
    ['not, of a pod that no Job owns', [seen(CRON), seen(podFacts({ owner: deployment }))], []],
  ])('%s', (_what, observations, reported) => {
    bridge.take(observations);
    expect(bridge.reported(JOB_UID)).toEqual(reported);
    expect(bridge.pings()).toHaveLength(reported.length);
  });
});
