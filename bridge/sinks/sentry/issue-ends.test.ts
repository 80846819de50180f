import { afterEach, describe, expect, it } from 'vitest';
import { container, podFacts, terminated } from '../../../test/fixtures/facts.ts';
import { SentryStage } from '../../../test/fixtures/sentry-stage.ts';
import { deployment, progress, replicaSet } from '../../lifecycle/testing/rollouts.ts';
import { at } from './issue-fixtures.ts';

const DAY = 86_400_000;

let stage: SentryStage;
function open(issues: object = {}, others: object = {}): SentryStage {
  return (stage = new SentryStage(issues, others));
}
afterEach(() => {
  stage.close();
});

describe('what is not an error', () => {
  const OLD = [
    deployment({ createdAt: at(-DAY), conditions: [progress('NewReplicaSetAvailable', 'web-a', -DAY / 1_000)] }),
    replicaSet('a', { createdAt: at(-DAY) }),
  ];
  const running = podFacts({
    owner: { group: 'apps', kind: 'ReplicaSet', name: 'web-a', uid: 'rs-a' },
    phase: 'Running',
    startAt: at(1),
    containers: [container({ runningSince: at(2) })],
  });
  const ended = (code: number, reason = 'Error') => [container({ terminated: terminated(code, at(31), reason) })];

  it.each([
    ['scaled down and stopped by SIGTERM', { deletionAt: at(30) }, 143],
    ['scaled down and killed after its grace', { deletionAt: at(30) }, 137],
    ['scaled down and ended with a code of its own', { deletionAt: at(30) }, 1],
    ['drained', { deletionAt: at(30), disruption: { reason: 'EvictionByEvictionAPI', message: undefined } }, 143],
    ['done', {}, 0],
  ])('a pod that is %s', (_what, changes, code) => {
    open();
    const last = { ...running, ...changes, containers: ended(code, code === 0 ? 'Completed' : 'Error') };
    stage.see(...OLD, running, last).remove(last);
    expect(stage.messages()).toEqual([]);
  });

  it.each([
    [
      'evicted',
      { phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory.' },
      'Evicted',
      'pod',
    ],
    ['out of time', { phase: 'Failed', reason: 'DeadlineExceeded' }, 'DeadlineExceeded', 'pod'],
    [
      'lost with its node',
      { deletionAt: at(30), disruption: { reason: 'DeletionByTaintManager', message: undefined } },
      'DeletionByTaintManager',
      'node',
    ],
  ])('but a pod that is %s is one event, not also one for its containers', (_what, changes, reason, kind) => {
    open();
    const last = { ...running, ...changes, containers: ended(137) };
    stage.see(...OLD, running, last).remove(last);
    expect(stage.messages()).toEqual([`${reason}: pod of Deployment web`]);
    expect(stage.events()[0]?.fingerprint).toEqual(['cluster-1', 'shop', 'Deployment', 'web', kind, '', reason]);
  });

  it('a pod of a DaemonSet whose node is removed', () => {
    open();
    const owner = { group: 'apps', kind: 'DaemonSet', name: 'agent', uid: 'd' };
    const gone = { ...running, owner, phase: 'Failed', disruption: { reason: 'DeletionByPodGC', message: undefined } };
    stage.see({ ...running, owner }, { ...gone, containers: ended(137) });
    expect(stage.messages()).toEqual([]);
    expect(stage.drops()).toEqual(['reported_otherwise', 'not_a_failure']);
  });
});
