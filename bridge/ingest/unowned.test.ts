import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { jobFacts, podFacts, seen, T0, condition } from '../../test/fixtures/facts.ts';
import { runText } from '../commands/run-text.ts';
import type { JobFacts } from '../kubernetes/observation.ts';
import { planConfig } from '../sinks/cronitor/fixtures.ts';
import { createCronitorPlanner } from '../sinks/cronitor/plan.ts';
import { complete, CRON, JOB_UID, scheduled, TestEngine } from './test-engine.ts';

let bridge: TestEngine;
beforeEach(() => {
  const planners = ['default', 'second'].map((name) => createCronitorPlanner(name, planConfig()));
  bridge = new TestEngine({ planners });
});
afterEach(() => bridge.close());

const running = (changes: Partial<JobFacts> = {}): JobFacts => jobFacts({ startAt: T0 + 1_000, ...changes });
const failed = (changes: Partial<JobFacts> = {}): JobFacts =>
  running({ resourceVersion: '120', conditions: [condition('Failed', T0 + 9_000)], failed: 1, ...changes });
const drops = () => bridge.reader.dropCounts();

describe('a run that belongs to no CronJob', () => {
  it.each([
    ['a Job of nobody', {}, ''],
    ['a Job made by hand of nobody', { manual: true }, ': made by hand, and it names no CronJob as its owner'],
    [
      'a Job of a JobSet',
      { owner: { group: 'jobset.x-k8s.io', kind: 'JobSet', name: 'training', uid: 'j' } },
      ': owned by JobSet training (jobset.x-k8s.io)',
    ],
    [
      'a Job that names two CronJobs',
      { namedOwners: ['a', 'b'].map((name) => ({ group: 'batch', kind: 'CronJob', name, uid: name })) },
      ': owned by nobody that controls it, only named by: CronJob a (batch), CronJob b (batch)',
    ],
  ])('has one reason per destination, with all of its life: %s', (_name, changes, detail) => {
    bridge.take([seen(running(changes))]);
    expect(bridge.decisions()).toEqual(['dropped no_cronjob', 'dropped no_cronjob']);
    bridge.take([seen(podFacts({ phase: 'Failed', startAt: T0 + 1_000 })), seen(failed(changes))]);
    bridge.restart();
    bridge.take([seen(failed({ ...changes, resourceVersion: '130', deletionAt: T0 + 20_000 }), true)]);
    expect(bridge.decisions()).toEqual(['dropped no_cronjob', 'dropped no_cronjob']);
    expect(drops()).toEqual([{ kind: 'decision', reason: 'no_cronjob', count: 2 }]);
    expect(bridge.pings()).toEqual([]);
    const text = 'belongs to no CronJob, and this destination takes the runs of CronJobs only';
    expect(runText(bridge.reader.run(JOB_UID)!)).toContain(`${text}${detail}`);
  });

  it('is counted once for each destination', () => {
    bridge.take([seen(running()), seen(failed())]);
    bridge.take([seen(failed({ resourceVersion: '130' }), true)]);
    expect(bridge.store.take('dropped')).toEqual(
      ['default', 'second'].map((name) => ({ destination: `cronitor/${name}`, reason: 'no_cronjob' })),
    );
    expect(bridge.store.take('dropped')).toEqual([]);
  });

  it('has it whenever it was, also when only its end was seen', () => {
    bridge.take([seen(failed({ startAt: T0 - 9_000_000, createdAt: T0 - 9_000_000 }))]);
    expect(bridge.decisions()).toEqual(['dropped no_cronjob', 'dropped no_cronjob']);
  });

  it('has it as a bare pod', () => {
    const pod = podFacts({ owner: undefined, phase: 'Succeeded', startAt: T0 + 1_000 });
    bridge.take([seen(pod), seen({ ...pod, resourceVersion: '101' }, true)]);
    expect(bridge.decisions(pod.uid)).toEqual(['dropped no_cronjob', 'dropped no_cronjob']);
  });

  it('has it only until a record shows the CronJob', () => {
    bridge.take([seen(CRON), seen(scheduled({ owner: undefined, resourceVersion: '190' }))]);
    expect(bridge.decisions()).toEqual(['dropped no_cronjob', 'dropped no_cronjob']);
    bridge.take([seen(scheduled()), seen(complete({ resourceVersion: '195' }))]);
    expect(bridge.reported()).toHaveLength(4);
    expect(new Set(bridge.decisions())).toEqual(new Set(['planned']));
    expect(drops()).toEqual([]);
  });
});

describe('a run that a person started from a CronJob, which it names without controller', () => {
  it('is reported in the monitor of the CronJob, as any other', () => {
    bridge.take([seen(CRON), seen(scheduled({ manual: true, scheduledAt: undefined }))]);
    expect(new Set(bridge.pings().map(({ key, state }) => `${key} ${state}`))).toEqual(new Set([`${CRON.uid} run`]));
  });
});
