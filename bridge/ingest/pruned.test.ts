import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ABOUT, container, jobFacts, podFacts, seen, T0, terminated } from '../../test/fixtures/facts.ts';
import type { Facts } from '../kubernetes/observation.ts';
import { daemonSet, replicaSet, statefulSet } from '../lifecycle/testing/rollouts.ts';
import type { Transition } from '../lifecycle/transition.ts';
import { AuditBench, complete, CRON, scheduled } from './audit/audit-fixture.ts';

const DAY = 86_400_000;
const DESTINATION = 'cronitor/default';
let bench: AuditBench;

/** Deletes the objects and lets the retention remove them, as far as it may. */
function prune(...objects: readonly Facts[]): void {
  bench.take(...objects.map((facts) => seen({ ...facts, resourceVersion: '190' }, true)));
  for (let claimed = claim(); claimed.length > 0; claimed = claim()) {
    bench.store.settle(
      claimed.map(({ seq }) => ({ seq, delivery: { outcome: 'delivered' } })),
      bench.now,
    );
  }
  bench.now += 20 * DAY;
  for (let step = 0; step < 100; step++) bench.store.retain(bench.now, { age: 10 * DAY, maxBytes: 2 ** 30 });
  bench.now += DAY;
  for (let step = 0; step < 100; step++) bench.store.retain(bench.now, { age: 10 * DAY, maxBytes: 2 ** 30 });
}

const objects = (): string[] => bench.rows<{ uid: string }>('SELECT uid FROM objects').map(({ uid }) => uid);

const claim = () => bench.store.claim(DESTINATION, 100, bench.now, [], true);

beforeEach(() => {
  bench = new AuditBench();
  bench.take(seen(CRON), seen(scheduled()), seen(complete()));
});

afterEach(() => bench.remove());

describe('what was pruned and lives in the cluster again (restored etcd)', () => {
  it('is a Job: no LIST asks for it, and it is not reported again', () => {
    prune(complete());
    expect(bench.reader.pruned(complete().uid)).toBeDefined();
    const known = jobFacts({ uid: 'known' });
    bench.take(seen(known));
    for (const version of ['200', '201', '202']) {
      expect(bench.list('Job', version, [complete(), known])).toMatchObject({ missed: 0, stale: 0 });
    }
    expect(bench.pings()).toEqual([]);
    expect(bench.reader.run(complete().uid)).toBeUndefined();
  });

  it('is a pod of such a Job: one LIST asks for it, and none again', () => {
    prune(complete());
    const { uid, name } = complete();
    const pod = podFacts({ owner: { group: 'batch', kind: 'Job', name, uid } });
    const known = podFacts({ uid: 'known', owner: undefined });
    bench.take(seen(known));
    expect(bench.list('Pod', '200', [known, pod])).toMatchObject({ missed: 1 });
    expect(bench.list('Pod', '201', [known, { ...pod, resourceVersion: '199' }])).toMatchObject({
      missed: 0,
      stale: 0,
    });
    expect(bench.reader.runs({ limit: 10 }).items.map((run) => run.uid)).toEqual(['known']);
  });

  it('is a CronJob: it is followed again and its monitor is no longer paused', () => {
    prune(complete(), CRON);
    expect(bench.reader.pruned(CRON.uid)).toBeDefined();
    expect(bench.paused()).toEqual([true]);
    bench.list('CronJob', '200', [CRON]);
    expect(bench.paused()).toEqual([false]);
    expect(bench.list('CronJob', '201', [CRON])).toMatchObject({ missed: 0, stale: 0 });
  });
});

describe('a pod that outlives its pruned Job', () => {
  const { uid, name } = complete();
  const pod = podFacts({ owner: { group: 'batch', kind: 'Job', name, uid } });
  const attempts = () => bench.rows('SELECT pod_uid FROM attempts');

  it.each([
    ['changes', () => bench.take(seen({ ...pod, phase: 'Failed', resourceVersion: '200' }))],
    ['is gone', () => ['300', '301'].forEach((version) => bench.list('Pod', version, []))],
  ] as const)('leaves no attempt when it %s', (_, act) => {
    bench.take(seen(pod));
    expect(attempts()).toHaveLength(1);
    prune(complete());
    act();
    expect(attempts()).toEqual([]);
  });
});

describe('a late record of a pod that was pruned after its owner', () => {
  it.each([statefulSet(), daemonSet(), replicaSet('a')])('does not bring it back: a $kind', (maker) => {
    const { kind, name, uid } = maker;
    const owner = { group: 'apps', kind, name, uid };
    const pod = podFacts({ uid: 'late', owner, phase: 'Running', createdAt: T0 });
    const crashed = container({ terminated: terminated(1, T0 + 2_000) });
    const records = [seen(pod), seen({ ...pod, containers: [crashed], resourceVersion: '150' })];
    bench.take(seen(maker), ...records);
    prune(complete(), maker, pod);
    bench.take(...records);
    expect(objects()).toEqual([CRON.uid]);
    expect(bench.rows('SELECT id FROM transitions')).toEqual([]);
  });
});

describe('a late record of a pod that went with its Job', () => {
  const { uid, name } = complete();
  const owned = podFacts({ uid: 'late', owner: { group: 'batch', kind: 'Job', name, uid }, phase: 'Running' });
  const bare = { ...owned, owner: undefined };

  it.each([
    ['was cut off from it (cascade=orphan)', [owned, bare]],
    ['was taken in by it', [bare, owned]],
  ])('does not become a run of its own: one that %s', (_, [first, second]) => {
    bench.take(seen({ ...first!, resourceVersion: '150' }), seen({ ...second!, resourceVersion: '151' }));
    prune(complete(), owned);
    expect(objects()).toEqual([CRON.uid]);
    bench.take(seen({ ...bare, resourceVersion: '152' }));
    expect([objects(), bench.reader.run('late')]).toEqual([[CRON.uid], undefined]);
  });
});

describe('a finished Job that still lives in the cluster', () => {
  it('is never pruned, so no LIST asks for it', () => {
    prune();
    expect(bench.reader.run(complete().uid)?.run.status).toBe('succeeded');
    expect(bench.list('Job', '200', [complete()])).toMatchObject({ missed: 0, stale: 0 });
  });
});

describe('what two LISTs lacked', () => {
  it('is a pod without a run: it goes by age too', () => {
    const web = { group: 'apps', kind: 'ReplicaSet', name: 'web', uid: 'web' };
    const pod = podFacts({ uid: 'web-1', owner: web, phase: 'Running' });
    const other = podFacts({ uid: 'web-2', owner: web, phase: 'Running' });
    bench.take(seen(pod), seen(other));
    for (const version of ['200', '201', '202']) bench.list('Pod', version, [other]);
    expect(objects()).toContain('web-1');
    prune();
    expect(objects()).not.toContain('web-1');
    expect(objects()).toContain('web-2');
  });

  it('is an object whose state cannot be read: it goes by age too', () => {
    prune(complete());
    const job = complete({ uid: 'broken', name: 'broken', scheduledAt: T0 + 60_000 });
    bench.take(seen(job), seen({ ...job, resourceVersion: '190' }, true));
    bench.edit("UPDATE objects SET state = '{' WHERE uid = 'broken'; UPDATE runs SET run = '{' WHERE uid = 'broken'");
    prune();
    expect(objects()).not.toContain('broken');
  });
});

describe('a CronJob that was pruned', () => {
  it('takes nothing of runs that remain', () => {
    const missed: Transition = {
      id: `${CRON.uid}/${T0 + 60_000}/started`,
      kind: 'run.started',
      at: T0 + 60_000,
      about: ABOUT,
      runUid: 'missed',
      text: 'no Job was made',
    };
    prune(complete());
    bench.store.transaction((tx) => tx.timeline.add(missed, bench.now));
    prune(CRON);
    expect(objects()).toEqual([]);
    expect(bench.store.transaction((tx) => tx.timeline.ofRun('missed'))).toEqual([missed]);
  });
});
