import { afterEach, beforeEach, expect, it } from 'vitest';
import { seen, T0 } from '../../test/fixtures/facts.ts';
import { AuditBench, MINUTE } from './audit/audit-fixture.ts';
import { StreamProgress } from './stream-progress.ts';
import { scheduled } from './test-engine.ts';

const HOUR = 60 * MINUTE;
let bench: AuditBench;
beforeEach(() => {
  bench = new AuditBench();
});
afterEach(() => bench.remove());

function setClock(ms: number): void {
  bench.now += ms;
  bench.store.clockSet(ms);
  bench.engine.clockSet(ms);
}

it('a run that is gone has its whole grace, whatever the clock is set to', () => {
  const job = scheduled();
  bench.take(seen(job));
  bench.list('Job', '200', []);
  bench.list('Job', '201', []);
  const status = () => bench.reader.run(job.uid)?.run.status;
  setClock(2 * HOUR);
  bench.wait(14 * MINUTE);
  expect(status()).not.toBe('unknown');
  setClock(-4 * HOUR);
  bench.wait(MINUTE);
  expect(status()).toBe('unknown');
});

it('a watch is not dead because the clock was set forward', () => {
  const { audit } = bench.engine;
  audit.auditConnected(bench.now);
  bench.list('Job', '100', [scheduled()]);
  bench.list('Job', '200', [scheduled()]);
  bench.list('Job', '300', [scheduled({ resourceVersion: '250' })]);
  setClock(2 * HOUR);
  expect(audit.auditWatches(bench.now).dead).toEqual([]);
  expect(audit.auditWatches(bench.now + 2 * MINUTE).dead).toEqual(['Job']);
});

it('records are complete a minute later, also when the clock was set back meanwhile', () => {
  const progress = new StreamProgress();
  progress.seen(T0, T0);
  progress.completeUntil(T0);
  progress.clockSet(-2 * HOUR);
  expect(progress.completeUntil(T0 - 2 * HOUR + MINUTE - 1)).toBe(0);
  expect(progress.completeUntil(T0 - 2 * HOUR + MINUTE)).toBe(T0);
});
