import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { jobFacts, podFacts, seen } from '../../test/fixtures/facts.ts';
import type { Facts } from '../kubernetes/observation.ts';
import { AuditBench, complete, CRON, scheduled } from './audit-fixture.ts';

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

const claim = () => bench.store.claim(DESTINATION, 100, bench.now, [], true);

beforeEach(() => {
  bench = new AuditBench();
  bench.take(seen(CRON), seen(scheduled()), seen(complete()));
});

afterEach(() => bench.remove());

describe('what was pruned and lives in the cluster again (restored etcd)', () => {
  it('is a Job: no LIST asks for it, and it is told no second time', () => {
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

describe('a finished Job that still lives in the cluster', () => {
  it('is never pruned, so no LIST asks for it', () => {
    prune();
    expect(bench.reader.run(complete().uid)?.run.status).toBe('succeeded');
    expect(bench.list('Job', '200', [complete()])).toMatchObject({ missed: 0, stale: 0 });
  });
});
