import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { jobFacts, seen, T0 } from '../../../test/fixtures/facts.ts';
import { AuditBench, complete, CRON, MINUTE, scheduled } from './audit-fixture.ts';
import { identify } from './identify.ts';

let bench: AuditBench;

beforeEach(() => {
  bench = new AuditBench();
});

afterEach(() => bench.remove());

describe('a restored etcd', () => {
  const now7 = jobFacts({ uid: 'job-7', name: 'job-7', resourceVersion: '90' });

  beforeEach(() => {
    bench.take(
      seen(CRON),
      seen(scheduled({ resourceVersion: '5000' })),
      seen(jobFacts({ uid: 'job-7', resourceVersion: '4000' })),
    );
    bench.list('Job', '6000', [
      scheduled({ resourceVersion: '5000' }),
      jobFacts({ uid: 'job-7', resourceVersion: '4000' }),
    ]);
  });

  it('begins a new epoch with the second LIST that is too old; nothing is gone by it', () => {
    expect(bench.list('Job', '100', [now7])).toMatchObject({ epoch: false, stale: 0, gone: 0, again: true });
    expect(bench.list('Job', '101', [now7])).toMatchObject({ epoch: true, stale: 1, gone: 0 });
    expect(bench.list('Job', '102', [now7])).toMatchObject({ epoch: false, stale: 0, gone: 0 });
    expect(bench.list('Job', '103', [now7])).toMatchObject({ gone: 1 });
  });

  it('takes lower versions from then on', () => {
    bench.list('Job', '100', [now7]);
    bench.list('Job', '101', [now7]);
    bench.take(seen(jobFacts({ uid: 'job-7', resourceVersion: '110', startAt: T0 + 30_000 })));
    expect(bench.status('job-7')).toBe('running');
  });

  it('is not assumed for one LIST from an API server that lags', () => {
    bench.list('Job', '100', [now7]);
    expect(bench.list('Job', '6001', [scheduled({ resourceVersion: '5000' })])).toMatchObject({
      epoch: false,
      stale: 0,
    });
    expect(bench.list('Job', '100', [now7])).toMatchObject({ epoch: false });
  });

  it('is noticed by one object that is too old, when the cluster has counted beyond what is stored', () => {
    expect(bench.list('Job', '7000', [now7])).toMatchObject({ epoch: false, stale: 0, gone: 0, again: true });
    expect(bench.list('Job', '7001', [now7])).toMatchObject({ epoch: true, stale: 1, gone: 0 });
    expect(bench.list('Job', '7002', [now7])).toMatchObject({ epoch: false, stale: 0, again: true });
  });

  it('is noticed after a restart too', () => {
    bench.restart();
    bench.list('Job', '100', [now7]);
    expect(bench.list('Job', '101', [now7])).toMatchObject({ epoch: true });
  });
});

describe('a dead watch', () => {
  const dead = () => bench.engine.audit.auditWatches(bench.now).dead;

  beforeEach(() => {
    bench.take(seen(CRON), seen(scheduled()));
    bench.engine.audit.auditConnected(bench.now);
    bench.list('Job', '200', [scheduled()]);
  });

  it('is one whose versions that the audit found do not come from the stream', () => {
    bench.list('Job', '300', [complete({ resourceVersion: '250' })]);
    expect(dead()).toEqual([]);
    bench.now += 2 * MINUTE;
    expect(dead()).toEqual(['Job']);
    bench.take(seen(complete({ resourceVersion: '250' })));
    expect(dead()).toEqual([]);
  });

  it('is none when the record arrives unchanged or in quarantine', () => {
    bench.list('Job', '300', [complete({ resourceVersion: '250' })]);
    bench.take(seen(complete({ resourceVersion: '250' })));
    bench.now += 10 * MINUTE;
    expect(dead()).toEqual([]);
  });

  it('is none for what changed before the watches of the Collector stood', () => {
    bench.engine.audit.auditConnected(bench.now + 5 * MINUTE);
    bench.list('Job', '300', [complete({ resourceVersion: '250' })]);
    bench.now += 10 * MINUTE;
    expect(dead()).toEqual([]);
  });
});

describe('the store', () => {
  it('belongs to the cluster that it saw first, also when two of three marks change', () => {
    expect(identify(bench.store, { kubeSystemUid: 'k', caHash: 'c' })).toBe('unclear');
    expect(identify(bench.store, { kubeSystemUid: 'k', caHash: 'c2' })).toBe('same');
    expect(identify(bench.store, { caHash: 'c2', namespaceUid: 'n' })).toBe('same');
    expect(identify(bench.store, { kubeSystemUid: 'k9', caHash: 'c9', namespaceUid: 'n9' })).toBe('other');
    expect(identify(bench.store, { kubeSystemUid: 'k' })).toBe('same');
  });
});
