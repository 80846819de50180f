import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cronJobFacts, jobFacts, podFacts, seen, T0 } from '../../../test/fixtures/facts.ts';
import type { JobFacts } from '../../kubernetes/observation.ts';
import { AuditBench, complete, CRON, failed, MINUTE, scheduled } from './audit-fixture.ts';

let bench: AuditBench;

beforeEach(() => {
  bench = new AuditBench();
});

afterEach(() => bench.remove());

const jobs = (count: number): JobFacts[] =>
  Array.from({ length: count }, (_, n) => jobFacts({ uid: `job-${n}`, name: `job-${n}` }));

describe('a LIST', () => {
  it('of a kind of which nothing is known is the first, and no gap', () => {
    expect(bench.engine.audit.auditBegin({ kind: 'Job' }, bench.now)).toEqual({ known: false });
    expect(bench.list('Job', '200', [scheduled()])).toMatchObject({ first: true, missed: 0, again: false });
    expect(bench.engine.audit.auditBegin({ kind: 'Job' }, bench.now)).toEqual({ known: true });
  });

  it('of each namespace is the first of its own, and no gap', () => {
    const inDesk = (uid: string): JobFacts => jobFacts({ uid, name: uid, namespace: 'desk' });
    expect(bench.list('Job', '200', [scheduled()], 'shop')).toMatchObject({ first: true, missed: 0 });
    expect(bench.list('Job', '201', [inDesk('a')], 'desk')).toMatchObject({ first: true, missed: 0 });
    expect(bench.list('Job', '202', [], 'empty')).toMatchObject({ first: true });
    bench.restart();
    expect(bench.list('Job', '203', [inDesk('a'), inDesk('b')], 'desk')).toMatchObject({ first: false, missed: 1 });
    const late = jobFacts({ uid: 'late', namespace: 'empty' });
    expect(bench.list('Job', '204', [late], 'empty')).toMatchObject({ first: false, missed: 1 });
    bench.take(seen(jobFacts({ uid: 'streamed', namespace: 'lab' })));
    expect(bench.list('Job', '205', [jobFacts({ uid: 'c', namespace: 'lab' })], 'lab')).toMatchObject({ missed: 1 });
  });

  it('reports what was missed and what is stale, and nothing when it is run again', () => {
    bench.take(seen(CRON), seen(scheduled()));
    const other = scheduled({ uid: 'other', name: 'other', scheduledAt: T0 + MINUTE });
    expect(bench.list('Job', '200', [complete(), other])).toMatchObject({ missed: 1, stale: 1, first: false });
    expect(bench.status()).toBe('succeeded');
    expect(bench.list('Job', '201', [complete(), other])).toMatchObject({ missed: 0, stale: 0, gone: 0, again: false });
  });

  it('knows versions that changed nothing and are not written yet', () => {
    bench.take(seen(CRON), seen(scheduled()), seen(scheduled({ resourceVersion: '115' })));
    expect(bench.list('Job', '200', [scheduled({ resourceVersion: '115' })])).toMatchObject({ stale: 0 });
  });

  it('does not ask again for an object in quarantine until it has a newer version', () => {
    bench.take(seen(CRON));
    const poison = scheduled({ uid: 'poison' });
    const bytes = new Uint8Array();
    const row = { subject: 'poison', reason: 'core_error' as const, version: '110', error: 'x', bytes, at: bench.now };
    bench.store.transaction((tx) => tx.quarantine.put(row));
    bench.take(seen(jobFacts({ uid: 'known' })));
    expect(bench.list('Job', '200', [poison])).toMatchObject({ missed: 0, stale: 0 });
    expect(bench.list('Job', '201', [{ ...poison, resourceVersion: '130' }])).toMatchObject({ stale: 1 });
  });
});

describe('gone', () => {
  it('is missing from two LISTs in a row: the monitor is retired, and back when the CronJob is', () => {
    bench.take(seen(CRON));
    expect(bench.list('CronJob', '200', [])).toMatchObject({ gone: 0, again: true });
    expect(bench.paused()).toEqual([undefined]);
    expect(bench.list('CronJob', '201', [])).toMatchObject({ gone: 1 });
    expect(bench.paused()).toEqual([true]);
    expect(bench.reader.cronJobCount()).toBe(0);
    bench.list('CronJob', '202', [CRON]);
    expect(bench.paused()).toEqual([false]);
    expect(bench.reader.cronJobCount()).toBe(1);
  });

  it('is nothing that a LIST between had', () => {
    bench.take(seen(CRON));
    bench.list('CronJob', '200', []);
    bench.list('CronJob', '201', [CRON]);
    expect(bench.list('CronJob', '202', [])).toMatchObject({ gone: 0 });
  });

  it('is nothing out of the namespaces that are LISTed', () => {
    bench.take(seen(CRON), seen(scheduled({ namespace: 'other' })));
    for (const version of ['200', '201', '202'])
      expect(bench.list('Job', version, [], 'shop')).toMatchObject({ gone: 0 });
    expect(bench.reader.run(scheduled().uid)?.run.deleted).toBe(false);
  });

  it('does not count a LIST that is older than the object', () => {
    bench.take(seen(scheduled()));
    const { audit } = bench.engine;
    audit.auditBegin({ kind: 'Job' }, bench.now);
    audit.auditPage('200', [{ uid: scheduled().uid, version: '110' }], bench.now);
    bench.take(seen(jobFacts({ uid: 'young', resourceVersion: '210' })));
    audit.auditScan(0);
    audit.auditEnd(bench.now);
    expect(bench.list('Job', '220', [scheduled()])).toMatchObject({ gone: 0, again: true });
    expect(bench.list('Job', '221', [scheduled()])).toMatchObject({ gone: 1 });
  });

  it('is not an outcome: after 15 minutes it is unknown, which is announced nowhere', () => {
    bench.take(seen(CRON), seen(scheduled()));
    bench.list('Job', '200', []);
    expect(bench.list('Job', '201', [])).toMatchObject({ gone: 1 });
    bench.wait(15 * MINUTE - 1);
    expect(bench.status()).toBe('running');
    bench.wait(1);
    bench.wait(MINUTE);
    expect(bench.status()).toBe('unknown');
    expect(bench.pings()).toEqual(['run']);
    const reasons = bench.reader
      .run(scheduled().uid)!
      .decisions.map(({ verdict, reason }) => `${verdict} ${reason ?? ''}`);
    expect(reasons).toContain('dropped outcome_unknown');
  });

  it('is announced as failed where that is configured', () => {
    bench.restart('fail');
    bench.take(seen(CRON), seen(scheduled()));
    bench.list('Job', '200', []);
    bench.list('Job', '201', []);
    bench.wait(15 * MINUTE);
    expect(bench.pings()).toEqual(['run', 'fail']);
    expect(bench.status()).toBe('unknown');
  });

  it('is decided by timers that a restart does not forget', () => {
    bench.take(seen(CRON), seen(scheduled()));
    bench.list('Job', '200', []);
    bench.list('Job', '201', []);
    bench.restart();
    bench.wait(15 * MINUTE);
    expect(bench.status()).toBe('unknown');
  });

  it.each([
    ['within the grace time', 0, ['run', 'complete']],
    ['after it', 20 * MINUTE, ['run', 'complete']],
  ])('is overtaken by a real ending that comes %s', (_name, later, expected) => {
    bench.take(seen(CRON), seen(scheduled()));
    bench.list('Job', '200', []);
    bench.list('Job', '201', []);
    bench.wait(later);
    bench.take(seen(complete()), seen(complete(), true));
    bench.wait(20 * MINUTE);
    expect(bench.status()).toBe('succeeded');
    expect(bench.pings()).toEqual(expected);
  });

  it('is cancelled only by a DELETED record', () => {
    bench.take(seen(CRON), seen(scheduled()));
    bench.list('Job', '200', []);
    bench.list('Job', '201', []);
    bench.wait(20 * MINUTE);
    bench.take(seen(scheduled({ resourceVersion: '115', deletionAt: T0 + 5_000 }), true));
    expect(bench.status()).toBe('cancelled');
    expect(bench.pings()).toEqual(['run', 'fail']);
  });

  describe('and proven by the status of its CronJob', () => {
    beforeEach(() => {
      bench.take(seen(CRON), seen(scheduled()));
      bench.list('CronJob', '190', [
        cronJobFacts({ resourceVersion: '150', lastScheduleAt: T0, lastSuccessfulAt: T0 + 9_000 }),
      ]);
      bench.list('Job', '200', []);
      bench.list('Job', '201', []);
      bench.wait(15 * MINUTE);
    });

    it('is complete, inferred, at the time of that success', () => {
      expect(bench.pings()).toEqual(['run', 'complete']);
      expect(bench.reader.run(scheduled().uid)?.run).toMatchObject({ status: 'succeeded', endedAt: T0 + 9_000 });
    });

    it('stays so silently when the real ending agrees', () => {
      bench.take(seen(complete()), seen(complete(), true));
      expect(bench.pings()).toEqual(['run', 'complete']);
    });

    it('is corrected once when the real ending differs', () => {
      bench.take(seen(failed()), seen(failed(), true), seen(failed()));
      expect(bench.pings()).toEqual(['run', 'complete', 'fail']);
      expect(bench.status()).toBe('failed');
      const { decisions } = bench.reader.run(scheduled().uid)!;
      expect(decisions.map(({ reason }) => reason)).toContain('corrects_inferred');
    });
  });

  it('lets a bare pod end as unknown too, and really when its record comes', () => {
    const pod = podFacts({ owner: undefined, phase: 'Running', startAt: T0 + 1_000 });
    bench.take(seen(pod));
    bench.list('Pod', '200', []);
    bench.list('Pod', '201', []);
    bench.wait(15 * MINUTE);
    expect(bench.status(pod.uid)).toBe('unknown');
    bench.take(seen({ ...pod, resourceVersion: '150', phase: 'Failed' }, true));
    expect(bench.status(pod.uid)).toBe('failed');
  });

  it('waits for a third LIST when more than 20 objects and 20 % are missing at once', () => {
    bench.take(...jobs(30).map((job) => seen(job)));
    bench.list('Job', '200', []);
    expect(bench.list('Job', '201', [])).toMatchObject({ gone: 0, held: 30, again: true });
    expect(bench.list('Job', '202', [])).toMatchObject({ gone: 30, held: 0 });
  });
});

describe('the records of a run and audits that find it gone', () => {
  it('in any order end in one run and one real ending, and never in cancelled', () => {
    const records = [seen(scheduled()), seen(complete()), seen(complete(), true)];
    const audits = ['300', '301', '302'];
    const steps = fc.shuffledSubarray([...records, ...audits, 'wait'] as const, { minLength: 7 });
    fc.assert(
      fc.property(steps, (order) => {
        bench.remove();
        bench = new AuditBench();
        bench.take(seen(CRON), seen(scheduled()));
        for (const step of order) {
          if (step === 'wait') bench.wait(20 * MINUTE);
          else if (typeof step === 'string') bench.list('Job', step, []);
          else bench.take(step);
        }
        bench.wait(20 * MINUTE);
        expect(bench.pings()).toEqual(['run', 'complete']);
        expect(bench.status()).toBe('succeeded');
      }),
      { numRuns: 40 },
    );
  });
});
