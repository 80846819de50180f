import { afterEach, describe, expect, it } from 'vitest';
import { cronJobFacts, jobFacts, ownedBy } from '../../../test/fixtures/facts.ts';
import { SentryStage } from '../../../test/fixtures/sentry-stage.ts';
import type { EventFacts } from '../../kubernetes/kinds/event.ts';
import type { Facts } from '../../kubernetes/observation.ts';
import { replicaSet, statefulSet } from '../../lifecycle/testing/rollouts.ts';
import { about, failed, OF_POD, pod, web, WEB } from './agent-fixtures.ts';
import { at } from './issue-fixtures.ts';

/** The owners of sentry-kubernetes (research/sentry.md §3.5, §8b), in compatible mode; ⚠ marks what it got wrong. */

let stage: SentryStage;
function open(issues: object = {}): SentryStage {
  return (stage = new SentryStage({ fingerprints: 'compatible', ...issues }));
}
afterEach(() => {
  stage.close();
});

describe('owners', () => {
  const job = jobFacts({ name: 'j', startAt: at(1), active: 1 });
  const ofJob = { group: 'batch', kind: 'Job', name: 'j', uid: job.uid };
  const cron = cronJobFacts({ name: 'cj' });
  const message = 'm';

  it.each<[string, readonly Facts[], Partial<EventFacts['regarding']>, string, string[]]>([
    ['a pod without owner', [pod()], OF_POD, 'p: m', ['m', 'Pod', 'p']],
    [
      'Pod→ReplicaSet',
      [replicaSet('a', { owner: undefined }), pod({ owner: web })],
      OF_POD,
      'p: m',
      ['m', 'ReplicaSet', 'web-a'],
    ],
    ['Pod→ReplicaSet→Deployment', [...WEB, pod({ owner: web })], OF_POD, 'p: m', ['m', 'Deployment', 'd']],
    ['Pod→Job', [job, pod({ owner: ofJob })], OF_POD, 'p: m', ['m', 'Job', 'j']],
    [
      'Pod→Job→CronJob',
      [cron, { ...job, owner: ownedBy(cron) }, pod({ owner: ofJob })],
      OF_POD,
      'p: m',
      ['m', 'CronJob', 'cj'],
    ],
    [
      'Job→CronJob',
      [cron, { ...job, owner: ownedBy(cron) }],
      about('Job', 'j', job.uid, 'shop', 'batch'),
      'j: m',
      ['m', 'CronJob', 'cj'],
    ],
    [
      'ReplicaSet→Deployment',
      WEB,
      about('ReplicaSet', 'web-a', 'rs-a', 'shop', 'apps'),
      'web-a: m',
      ['m', 'Deployment', 'd'],
    ],
    ['a CronJob', [cron], about('CronJob', 'cj', cron.uid, 'shop', 'batch'), 'cj: m', ['m', 'CronJob', 'cj']],
    [
      'V21 Pod→StatefulSet',
      [statefulSet(), pod({ owner: { group: 'apps', kind: 'StatefulSet', name: 'ledger', uid: statefulSet().uid } })],
      OF_POD,
      'p: m',
      ['m'],
    ],
    ['Pod→CRD', [pod({ owner: { group: 'x.io', kind: 'Spark', name: 's', uid: 's' } })], OF_POD, 'p: m', ['m']],
  ])('%s', (_what, facts, regarding, text, fingerprint) => {
    open()
      .see(...facts)
      .warn({ message, regarding: { ...OF_POD, ...regarding } });
    expect(stage.events().at(-1)).toMatchObject({ message: text, fingerprint });
  });

  it('are all of them, in the order of the references, each as often as a way leads to it', () => {
    const other = { ...job, uid: 'j2', name: 'j2' };
    const owners = [ofJob, { ...ofJob, name: 'j2', uid: 'j2' }];
    open()
      .see(job, other, pod({ owner: ofJob, owners }))
      .warn({ uid: 'a', message, regarding: OF_POD });
    stage.see(
      pod({ uid: 'q', owner: undefined, owners: [...owners, { group: 'x.io', kind: 'X', name: 'x', uid: 'x' }] }),
    );
    stage.warn({ uid: 'b', message, regarding: about('Pod', 'q', 'q') });
    expect(stage.events().map(({ fingerprint }) => fingerprint)).toEqual([['m', 'Job', 'j', 'Job', 'j2'], ['m']]);
  });

  it('V21 ⚠ of a pod that StatefulSets own do not cost it its context, its node and its breadcrumbs', () => {
    const owner = { group: 'apps', kind: 'StatefulSet', name: 'ledger', uid: statefulSet().uid };
    open().see(statefulSet(), pod({ owner }));
    stage.warn({ uid: 'n', type: 'Normal', reason: 'Pulled', regarding: OF_POD }).warn({ message, regarding: OF_POD });
    expect(stage.events()[0]).toMatchObject({
      contexts: { pod: { name: 'p' }, statefulset: { name: 'ledger' } },
      tags: { node_name: 'node-1', workload_kind: 'StatefulSet', workload_name: 'ledger' },
      breadcrumbs: { values: [{ category: 'Pulled' }] },
    });
  });

  it('V22 ⚠ that are deleted, or were never seen, group as before', () => {
    const labels = { 'pod-template-hash': 'a' };
    const owner = { ...web, name: 'd-a' };
    open()
      .see(...WEB, pod({ owner: web }))
      .remove(replicaSet('a'))
      .warn({ uid: 'a', message, regarding: OF_POD });
    stage.see(pod({ uid: 'q', name: 'q', owner: { ...owner, uid: 'never' }, labels }));
    stage.warn({ uid: 'b', message, regarding: about('Pod', 'q', 'q') });
    expect(stage.events().map(({ fingerprint }) => fingerprint)).toEqual([
      ['m', 'Deployment', 'd'],
      ['m', 'Deployment', 'd'],
    ]);
  });

  it('V40 ⚠ of a Job that only names its CronJob are found, and so is the monitor', () => {
    const terminatedPod = pod({ owner: ofJob, phase: 'Failed', containers: [failed('c', 1)] });
    const conditions = [
      { type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded', message: undefined, at: at(20) },
    ];
    open().see(cron, { ...job, owner: ownedBy(cron), manual: true }, terminatedPod);
    stage.see({ ...job, owner: ownedBy(cron), manual: true, failed: 1, conditions }).pass(60_000);
    expect(stage.events()).toMatchObject([
      { fingerprint: ['Error: container "c"', 'CronJob', 'cj'], contexts: { Monitor: { Slug: 'cj' } } },
    ]);
  });
});
