import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { container, jobFacts, podFacts, seen, T0, terminated } from '../../test/fixtures/facts.ts';
import type { PodFacts } from '../kubernetes/observation.ts';
import type { Planner } from '../sinks/sink.ts';
import { complete, CRON, JOB_UID, scheduled, TestEngine, uidOf } from './test-engine.ts';

let bridge: TestEngine;
beforeEach(() => {
  bridge = new TestEngine();
});
afterEach(() => bridge.close());

function storedTransitions(): string[] {
  const database = new DatabaseSync(bridge.path, { readOnly: true });
  const rows = database.prepare('SELECT id FROM transitions ORDER BY seq').all();
  database.close();
  return rows.map(({ id }) => String(id));
}

const failedPod = (changes: Partial<PodFacts> = {}): PodFacts =>
  podFacts({
    phase: 'Failed',
    nodeName: 'node1',
    startAt: T0 + 1_000,
    containers: [container({ terminated: terminated(4, T0 + 8_000) })],
    ...changes,
  });

describe('a Job', () => {
  it('whose CronJob comes a minute later, after a restart, is reported then with its own times', () => {
    bridge.take([seen(scheduled()), seen(failedPod()), seen(complete())]);
    expect(bridge.reported()).toEqual([]);
    bridge.restart();
    bridge.take([seen(CRON)], T0 + 120_000);
    expect(bridge.reported()).toEqual(['run@1', 'complete@9']);
    expect(bridge.decisions()).toEqual(['planned', 'planned']);
    bridge.take([seen(CRON), seen(complete())], T0 + 180_000);
    expect(bridge.pings()).toHaveLength(2);
  });

  it('of a CronJob of another API group is shown and not reported', () => {
    const owner = { group: 'example.com', kind: 'CronJob', name: 'report', uid: CRON.uid };
    bridge.take([seen(scheduled({ owner })), seen(complete({ owner }))]);
    expect(bridge.run()).toMatchObject({ status: 'succeeded', runKey: JOB_UID });
    expect(bridge.decisions()).toEqual(['dropped no_cronjob']);
    bridge.take([seen({ ...CRON, uid: '33333333-0000-4000-8000-000000000002' })]);
    expect(bridge.pings()).toEqual([]);
  });

  it('without an owner is shown and not reported', () => {
    bridge.take([seen(jobFacts({ startAt: T0 })), seen(complete({ owner: undefined }))]);
    expect(bridge.run()).toMatchObject({ status: 'succeeded', runKey: JOB_UID });
    expect(bridge.pings()).toEqual([]);
  });

  it.each([
    ['running', [scheduled], ['run@1', 'complete@9']],
    ['complete', [complete], ['run@1', 'complete@9']],
  ] as const)(
    'seen %s and orphaned before any record with its owner is reported all the same',
    (_name, first, reported) => {
      const orphans = first.map((facts) => seen(facts({ owner: undefined, resourceVersion: '190' })));
      bridge.take([seen(CRON), ...orphans]);
      expect(bridge.reported()).toEqual([]);
      bridge.restart();
      bridge.take([seen(scheduled())]);
      bridge.take([seen(scheduled()), seen(complete({ owner: undefined, resourceVersion: '191' })), ...orphans]);
      expect(bridge.reported()).toEqual(reported);
    },
  );

  it('made by hand from a CronJob is reported beside the scheduled one, each as its own series', () => {
    const manual = { uid: uidOf(7), name: 'by-hand', manual: true, scheduledAt: undefined };
    bridge.take([seen(CRON), seen(scheduled()), seen(scheduled(manual)), seen(complete(manual)), seen(complete())]);
    expect(bridge.reported()).toEqual(['run@1', 'complete@9']);
    expect(bridge.reported(uidOf(7))).toEqual(['run@1', 'complete@9']);
    expect(new Set(bridge.pings().map(({ key }) => key))).toEqual(new Set([CRON.uid]));
  });
});

describe('a pod', () => {
  it('that is seen before its Job is an attempt of its run, and names the container that failed', () => {
    bridge.take([seen(failedPod())]);
    expect(bridge.run(failedPod().uid)).toBeUndefined();
    bridge.take([seen(CRON), seen(scheduled())]);
    expect(bridge.reader.run(JOB_UID)?.attempts).toMatchObject([{ container: 'main', exitCode: 4, nodeName: 'node1' }]);
    expect(bridge.transitions().map(({ kind }) => kind)).toEqual([
      'attempt.started',
      'run.started',
      'container.terminated',
      'attempt.ended',
    ]);
  });

  it.each([
    ['a ReplicaSet', { owner: { group: 'apps', kind: 'ReplicaSet', name: 'web', uid: 'r-1' } }],
    ['a Job of another API group', { owner: { group: 'batch.volcano.sh', kind: 'Job', name: 'x', uid: JOB_UID } }],
    ['a node (its static pod)', { mirror: true, owner: { group: '', kind: 'Node', name: 'node1', uid: 'n-1' } }],
  ])('of %s reports what became of it and its containers and is not a run', (_name, changes) => {
    const stuck = container({ name: 'side', waiting: { reason: 'ImagePullBackOff', message: undefined } });
    bridge.take([seen(failedPod({ ...changes, phase: 'Running', containers: [...failedPod().containers, stuck] }))]);
    bridge.take([seen(failedPod({ ...changes, resourceVersion: '101' }), true)]);
    const expected = ['stuck/image', 'main/0/terminated', 'attempt-ended'];
    expect(storedTransitions()).toEqual(expected.map((one) => `${failedPod().uid}/${one}`));
    expect(bridge.reader.runs({ limit: 10 }).items).toEqual([]);
  });

  it('without owner is a run of its own, which Cronitor does not report', () => {
    const bare = { owner: undefined };
    const { uid } = failedPod();
    bridge.take([seen(podFacts({ ...bare, phase: 'Running', startAt: T0 + 1_000 }))]);
    expect(bridge.run(uid)).toMatchObject({ kind: 'Pod', status: 'running' });
    bridge.take([
      seen(failedPod({ ...bare, resourceVersion: '101' })),
      seen(failedPod({ ...bare, resourceVersion: '102' }), true),
    ]);
    expect(bridge.run(uid)).toMatchObject({ status: 'failed', endedAt: T0 + 8_000, deleted: true });
    expect(bridge.transitions(uid).filter(({ kind }) => kind.startsWith('run.'))).toHaveLength(2);
    expect(bridge.pings()).toEqual([]);
    expect(bridge.decisions(uid)).toEqual(['dropped no_cronjob']);
  });
});

describe('what a pod did before its Job was known', () => {
  /** Asks for everything that happens, as Sentry does for the ends of containers. */
  const curious: Planner = {
    destination: 'test/all',
    hears: new Set(['attempt.started', 'attempt.ended', 'container.terminated', 'run.started', 'run.ended']),
    reads: { kinds: new Set(), annotations: [] },
    plan: ({ id, kind }) => ({ intents: [{ key: id, lane: 'all', payload: kind, limits: [] }] }),
    planDesired: () => [],
    retire: () => null,
  };
  const EVERYTHING = ['attempt.started', 'run.started', 'container.terminated', 'attempt.ended'];

  const planned = (): unknown[] => bridge.reader.deliveries({ limit: 100 }).items.map(({ payload }) => payload);

  beforeEach(() => {
    bridge.close();
    bridge = new TestEngine({ planners: [curious] });
    bridge.take([seen(failedPod())]);
  });

  it('is planned once with the Job, in the order of its times, also after a restart', () => {
    expect(planned()).toEqual([]);
    bridge.restart();
    bridge.take([seen(CRON), seen(scheduled())]);
    expect(planned().toReversed()).toEqual(EVERYTHING);
    expect(bridge.decisions()).toEqual(EVERYTHING.map(() => 'planned'));
    bridge.take([seen(failedPod()), seen(scheduled()), seen(scheduled({ resourceVersion: '111' }))]);
    expect(planned()).toHaveLength(4);
  });

  it('waits on with the Job for the CronJob', () => {
    bridge.take([seen(scheduled())]);
    expect(planned()).toEqual([]);
    bridge.restart();
    bridge.take([seen(CRON)]);
    expect(planned().toReversed()).toEqual(EVERYTHING);
  });

  it('and before the cut-off is recorded, not announced', () => {
    bridge.close();
    bridge = new TestEngine({ planners: [curious], cutoff: T0 + 5_000 });
    bridge.take([seen(failedPod())]);
    bridge.take([seen(CRON), seen(scheduled())]);
    expect(planned().toReversed()).toEqual(['run.started', 'container.terminated', 'attempt.ended']);
    expect(bridge.decisions()).toContain('dropped before_cutoff');
  });
});
