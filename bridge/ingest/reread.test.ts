import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { podFacts, seen } from '../../test/fixtures/facts.ts';
import type { JobFacts } from '../kubernetes/observation.ts';
import { readingWith } from './reading.ts';
import { AuditBench, complete, CRON, scheduled } from './audit/audit-fixture.ts';

let bench: AuditBench;

beforeEach(() => {
  bench = new AuditBench();
});

afterEach(() => bench.remove());

const quarantine = (): readonly unknown[] => bench.reader.drops({ limit: 10, kind: 'quarantine' }).items;

describe('an object in quarantine', () => {
  const uid = '11111111-0000-4000-8000-00000000000b';
  const sound = scheduled({ uid, name: 'bomb' });
  // No reducer can read this.
  const poison: JobFacts = { ...sound, conditions: undefined as unknown as [] };

  beforeEach(() => {
    bench.take(seen(CRON), seen(scheduled()));
    bench.list('Job', '200', [scheduled(), poison]);
  });

  it('is not read again by the release that could not process it', () => {
    expect(quarantine()).toMatchObject([{ subject: uid }]);
    expect(bench.list('Job', '201', [scheduled(), poison])).toMatchObject({ missed: 0, stale: 0 });
    bench.restart();
    expect(bench.list('Job', '202', [scheduled(), poison])).toMatchObject({ missed: 0, stale: 0 });
  });

  it('is read once more by another release, and leaves the quarantine when that can process it', () => {
    bench.edit("UPDATE quarantine SET release = '0.0.1'");
    expect(bench.list('Job', '201', [scheduled(), poison])).toMatchObject({ missed: 1 });
    expect(bench.list('Job', '202', [scheduled(), poison])).toMatchObject({ missed: 0 });
    expect(quarantine()).toMatchObject([{ subject: uid }]);
    bench.edit("UPDATE quarantine SET release = '0.0.2'");
    expect(bench.list('Job', '203', [scheduled(), sound])).toMatchObject({ missed: 1 });
    expect(bench.status(uid)).toBe('running');
    expect(quarantine()).toEqual([]);
    expect(bench.list('Job', '204', [scheduled(), sound])).toMatchObject({ missed: 0, stale: 0 });
  });
});

describe('facts that an older bridge read', () => {
  const older = (uid: string): void => bench.edit(`UPDATE objects SET facts_schema = 0 WHERE uid = '${uid}'`);
  /** What that bridge did not keep is there after it was read again. */
  const image = (uid: string): string => bench.store.transaction((tx) => JSON.stringify(tx.objects.get(uid)?.state));

  it('are read again at the same version, once, and nothing is reported twice', () => {
    bench.take(seen(CRON), seen(scheduled()), seen(complete()));
    bench.edit(`UPDATE objects SET facts_schema = 0, state = json_remove(state, '$.facts.backoffLimit')
      WHERE uid = '${complete().uid}'`);
    expect(image(complete().uid)).not.toContain('backoffLimit');
    expect(bench.list('Job', '200', [complete({ backoffLimit: 6 })])).toMatchObject({
      stale: 0,
      outdated: 1,
      again: false,
    });
    expect(image(complete().uid)).toContain('"backoffLimit":6');
    expect(bench.list('Job', '201', [complete({ backoffLimit: 6 })])).toMatchObject({ stale: 0, outdated: 0 });
    expect(bench.pings()).toEqual(['run', 'complete']);
    expect(bench.engine.audit.auditWatches(bench.now + 600_000).dead).toEqual([]);
  });

  it('are read again also when nothing in them differs, of every kind', () => {
    const pod = podFacts();
    bench.take(seen(CRON), seen(pod));
    bench.edit('UPDATE objects SET facts_schema = 0');
    for (const facts of [CRON, pod]) {
      expect(bench.list(facts.kind, '200', [facts])).toMatchObject({ outdated: 1 });
      expect(bench.list(facts.kind, '201', [facts])).toMatchObject({ outdated: 0 });
    }
  });

  it('are read again, once, when a sink came that reads other annotations', () => {
    bench.take(seen(CRON));
    bench.restart('none', readingWith(['new.example/']).schemaOf);
    const annotated = { ...CRON, annotations: { 'new.example/key': 'of-the-new-sink' } };
    expect(bench.list('CronJob', '200', [annotated])).toMatchObject({ outdated: 1 });
    expect(image(CRON.uid)).toContain('of-the-new-sink');
    expect(bench.list('CronJob', '201', [annotated])).toMatchObject({ outdated: 0 });
  });

  it('stay as they are for an older or the same record of the stream', () => {
    bench.take(seen(CRON), seen(scheduled()), seen(complete()));
    older(complete().uid);
    bench.take(seen(scheduled()), seen(complete()));
    expect(bench.status()).toBe('succeeded');
    expect(bench.list('Job', '200', [complete()])).toMatchObject({ outdated: 1 });
  });

  it('are newer facts with the next version of the stream', () => {
    bench.take(seen(CRON), seen(scheduled()));
    older(scheduled().uid);
    bench.take(seen(complete()));
    expect(bench.list('Job', '200', [complete()])).toMatchObject({ stale: 0, outdated: 0 });
  });

  it('are read again a bounded number at a time', () => {
    const jobs = Array.from({ length: 5_001 }, (_, n) =>
      scheduled({ uid: `job-${n}`, name: `job-${n}`, owner: undefined }),
    );
    bench.take(...jobs.map((job) => seen(job)));
    bench.edit('UPDATE objects SET facts_schema = 0');
    expect(bench.list('Job', '200', jobs)).toMatchObject({ outdated: 5_000, again: true });
    expect(bench.list('Job', '201', jobs)).toMatchObject({ outdated: 1, again: false });
  });
});
