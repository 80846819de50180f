import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cronJobFacts, seen } from '../../test/fixtures/facts.ts';
import { AuditBench, MINUTE } from './audit/audit-fixture.ts';

let bench: AuditBench;
beforeEach(() => (bench = new AuditBench()));
afterEach(() => bench.remove());

const cron = (resourceVersion: string) => cronJobFacts({ schedule: '*/10 * * * *', resourceVersion });

/** Records flow, of what is not followed, and timers fire. */
function live(minutes: number): void {
  for (let n = 0; n < minutes; n++) {
    bench.engine.commit([{ observations: [], quarantine: [], records: [], newestAt: bench.now }], bench.now);
    bench.wait(MINUTE);
  }
}

function loseCronJob(): void {
  bench.take({ ...seen(cron('150')), observedAt: bench.now });
  bench.list('CronJob', '200', []);
  expect(bench.list('CronJob', '201', [])).toMatchObject({ gone: 1 });
}

const missed = (): number[] =>
  bench.reader
    .runs({ limit: 100 })
    .items.map(({ scheduledAt }) => scheduledAt!)
    .toReversed();

describe('a CronJob that is gone', () => {
  it('misses nothing', () => {
    loseCronJob();
    live(45);
    expect(missed()).toEqual([]);
  });

  it.each([
    ['a LIST shows it again', '150'],
    ['a newer version comes', '300'],
  ])('is watched again from then on when %s, and after a restart', (_name, version) => {
    loseCronJob();
    live(15);
    const back = bench.now;
    bench.take({ ...seen(cron(version)), observedAt: back, listed: true });
    bench.restart();
    live(25);
    const next = Math.ceil(back / (10 * MINUTE)) * 10 * MINUTE;
    expect(missed()).toEqual([next, next + 10 * MINUTE]);
  });
});
