import { afterEach, beforeEach, expect, it } from 'vitest';
import type { JobFacts } from '../../kubernetes/observation.ts';
import { AuditBench, complete, MINUTE, scheduled } from './audit-fixture.ts';
import { seen } from '../../../test/fixtures/facts.ts';

const UNIT = { kind: 'Job' } as const;
let bench: AuditBench;
beforeEach(() => (bench = new AuditBench()));
afterEach(() => bench.remove());

/** One LIST with pages of these digests, compared. */
function list(version: string, objects: readonly JobFacts[], digests: readonly (string | undefined)[] = ['a']): void {
  const { audit } = bench.engine;
  bench.now += 5 * MINUTE;
  audit.auditBegin(UNIT, bench.now);
  const listed = objects.map(({ uid, resourceVersion }) => ({ uid, version: resourceVersion }));
  const { differing } = audit.auditPage(version, listed, bench.now);
  for (const facts of objects.filter(({ uid }) => differing.includes(uid)))
    bench.take({ ...seen(facts), listed: true });
  audit.auditScan(0);
  audit.auditEnd(bench.now, digests);
}

const begin = (): readonly string[] | undefined => bench.engine.audit.auditBegin(UNIT, bench.now).same?.digests;
const same = (version: string) => bench.engine.audit.auditSame(version, true, bench.now);

beforeEach(() => {
  bench.take(seen(scheduled()));
  list('200', [scheduled()]);
});

it('a LIST after which the store has just what it had need not be compared when it comes again', () => {
  expect(begin()).toEqual(['a']);
  expect(same('300')).toMatchObject({ objects: 1, result: { first: false, missed: 0, gone: 0, again: false } });
  expect(begin()).toEqual(['a']);
});

it('a LIST that was the same is to be compared when the store has changed, before it or meanwhile', () => {
  begin();
  bench.take(seen(complete()));
  expect(same('300')).toBeUndefined();
  expect(begin()).toBeUndefined();
});

it('a LIST that was the same is to be compared when a row was changed by a fault, or is to be read again', () => {
  bench.edit("UPDATE objects SET facts_schema = 0 WHERE kind = 'Job'");
  expect(begin()).toBeUndefined();
  list('250', [scheduled()]);
  list('260', [scheduled()]);
  expect(begin()).toEqual(['a']);
  bench.edit("UPDATE objects SET version = '0' WHERE kind = 'Job'");
  expect(begin()).toBeUndefined();
});

it('a LIST that was the same is to be compared when its version is older than what is stored: an etcd was restored', () => {
  begin();
  expect(same('100')).toBeUndefined();
});

it.each([
  ['had what the store lacked', () => list('300', [scheduled(), complete({ uid: 'other', name: 'other' })])],
  ['lacked what the store has', () => list('300', [])],
  ['had a page whose digest nobody knows', () => list('300', [scheduled()], ['a', undefined])],
])('a LIST that %s is none that may be the same', (_what, listed) => {
  listed();
  expect(begin()).toBeUndefined();
});

it('what is known of an object by its quarantine may be forgotten: such a LIST is compared each time', () => {
  const row = {
    subject: scheduled().uid,
    reason: 'core_error',
    version: '150',
    error: 'broken',
    at: bench.now,
  } as const;
  bench.store.transaction((tx) => tx.quarantine.put({ ...row, bytes: Buffer.from('{}') }));
  list('300', [scheduled({ resourceVersion: '150' })]);
  expect(begin()).toBeUndefined();
});

it('what nothing changed since is known at a newer version, and for half an hour without a LIST', () => {
  const known = () => bench.engine.audit.auditBegin(UNIT, bench.now).same;
  const quiet = (version: string) => bench.engine.audit.auditSame(version, false, bench.now);
  expect(known()).toMatchObject({ version: '200', isFresh: true });
  bench.now += 29 * MINUTE;
  known();
  expect(quiet('300')).toMatchObject({ objects: 1 });
  expect(known()).toMatchObject({ version: '300', isFresh: true });
  bench.now += MINUTE;
  expect(known()).toMatchObject({ isFresh: false });
  expect(same('400')).toMatchObject({ objects: 1 });
  expect(known()).toMatchObject({ version: '400', isFresh: true });
});

it('an audit without a LIST, of which nothing has changed, writes nothing', () => {
  const meta = () => bench.rows("SELECT * FROM meta WHERE key LIKE 'audit/%'");
  const before = meta();
  begin();
  expect(bench.engine.audit.auditSame('300', false, bench.now)).toMatchObject({ objects: 1 });
  expect(meta()).toEqual(before);
  begin();
  expect(same('400')).toMatchObject({ objects: 1 });
  expect(meta()).not.toEqual(before);
});
