import { describe, expect, it } from 'vitest';
import { cronJobFacts, jobFacts, seen, T0 } from '../../test/fixtures/facts.ts';
import { provenSuccess, stillGone } from './gone.ts';

describe('an object that is gone', () => {
  const gone = { at: T0, version: '200' };
  it.each([
    ['stays gone for what the queue still brings of before', { facts: jobFacts({ resourceVersion: '150' }) }, true],
    ['is back when a newer record than the LIST comes', { facts: jobFacts({ resourceVersion: '201' }) }, false],
    ['is back when a LIST has it', { facts: jobFacts({ resourceVersion: '150' }), listed: true as const }, false],
  ])('%s', (_name, changes, expected) => {
    expect(stillGone(gone, { ...seen(changes.facts), ...changes }) !== undefined).toBe(expected);
  });
});

describe('the status of a CronJob', () => {
  const start = T0 + 1_000;
  const job = jobFacts({ scheduledAt: T0 });
  const cron = (changes: Parameters<typeof cronJobFacts>[0]) => cronJobFacts({ lastScheduleAt: T0, ...changes });

  it.each([
    ['proves the success of its last run', job, cron({ lastSuccessfulAt: T0 + 9_000 }), [], T0 + 9_000],
    ['proves nothing by a success before the start', job, cron({ lastSuccessfulAt: T0 }), [], undefined],
    ['proves nothing without a success', job, cron({}), [], undefined],
    [
      'proves nothing by the success of another run',
      job,
      cron({ lastSuccessfulAt: T0 + 9_000 }),
      [T0 + 9_000],
      undefined,
    ],
    [
      'proves nothing when a later run was scheduled',
      job,
      cron({ lastScheduleAt: T0 + 60_000, lastSuccessfulAt: T0 + 69_000 }),
      [],
      undefined,
    ],
    [
      'proves the success of a run by hand after the last schedule',
      jobFacts(),
      cron({ lastScheduleAt: T0 - 60_000, lastSuccessfulAt: T0 + 9_000 }),
      [],
      T0 + 9_000,
    ],
    [
      'proves nothing of a run by hand while another is active',
      jobFacts(),
      cron({ lastScheduleAt: T0 - 60_000, lastSuccessfulAt: T0 + 9_000, activeUids: ['x'] }),
      [],
      undefined,
    ],
  ])('%s', (_name, facts, cronJob, otherEnds, expected) => {
    expect(provenSuccess(facts, start, cronJob, otherEnds)).toBe(expected);
  });

  it('proves nothing of a run without CronJob', () => {
    expect(provenSuccess(job, start, undefined, [])).toBeUndefined();
  });
});
