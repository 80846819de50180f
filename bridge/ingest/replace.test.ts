import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cronJobFacts, ownedBy, seen, T0 } from '../../test/fixtures/facts.ts';
import type { JobFacts, Observation } from '../kubernetes/observation.ts';
import { JOB_UID, scheduled, TestEngine, uidOf } from './test-engine.ts';

const CRON = cronJobFacts({ concurrencyPolicy: 'Replace' });
let bridge: TestEngine;
beforeEach(() => {
  bridge = new TestEngine();
});
afterEach(() => bridge.close());

/** The Job of the n-th minute after T0. */
function job(minute: number, changes: Partial<JobFacts> = {}): JobFacts {
  const at = T0 + minute * 60_000;
  const own = { uid: uidOf(minute + 1), name: `report-${minute}`, resourceVersion: String(200 + 10 * minute) };
  return scheduled({ ...own, scheduledAt: at, createdAt: at, startAt: at + 1_000, ...changes });
}

/** Its deletion, `after` ms after T0, as a record of that time without deletionTimestamp, which is what Replace leaves. */
function gone(minute: number, after: number): Observation {
  const { resourceVersion, ...facts } = job(minute);
  return { ...seen({ ...facts, resourceVersion: `${resourceVersion}9` }, true), observedAt: T0 + after };
}

const outcome = (minute: number): string | undefined => bridge.run(uidOf(minute + 1))?.status;

/** Checks a bridge that sees the first Job run, then both records, and one that sees them the other way round. */
function inBothOrders(one: Observation, other: Observation, check: () => void): void {
  for (const records of [
    [one, other],
    [other, one],
  ]) {
    bridge.close();
    bridge = new TestEngine();
    bridge.take([seen(CRON), seen(job(0)), ...records]);
    bridge.tick(T0 + 3_600_000);
    check();
  }
}

describe('concurrencyPolicy Replace', () => {
  it('makes of three Jobs in a row two that were replaced and one that runs, in any order', () => {
    const all = [seen(CRON), seen(job(0)), gone(0, 60_000), seen(job(1)), gone(1, 120_000), seen(job(2))];
    fc.assert(
      fc.property(fc.shuffledSubarray(all, { minLength: all.length }), fc.nat(all.length), (shuffled, cut) => {
        bridge.close();
        bridge = new TestEngine();
        bridge.take(shuffled.slice(0, cut));
        bridge.restart();
        bridge.take(shuffled.slice(cut));
        bridge.tick(T0 + 3_600_000);
        expect([outcome(0), outcome(1), outcome(2)]).toEqual(['replaced', 'replaced', 'running']);
        expect(bridge.reported(uidOf(1))).toEqual(['run@1', 'complete@60']);
        expect(bridge.reported(uidOf(2))).toEqual(['run@61', 'complete@120']);
        expect(bridge.reported(uidOf(3))).toEqual(['run@121']);
      }),
      { numRuns: 40 },
    );
  });

  it('leaves a Job that was deleted by hand cancelled, live as after an outage', () => {
    const byHand = gone(0, 30_000);
    bridge.take([seen(CRON), seen(job(0)), byHand]);
    bridge.tick(T0 + 90_000);
    expect(outcome(0)).toBe('cancelled');
    inBothOrders(byHand, seen(job(1)), () => expect(bridge.reported(uidOf(1))).toEqual(['run@1', 'fail@30']));
  });

  it('knows the successor also when a cut watch brings the deletion minutes late', () => {
    inBothOrders(gone(0, 200_000), seen(job(1)), () => expect(outcome(0)).toBe('replaced'));
  });

  it('does not take the Job before for the one that replaces', () => {
    bridge.take([seen(CRON), seen(job(0)), gone(0, 60_000), seen(job(1)), gone(1, 61_000)]);
    bridge.tick(T0 + 3_600_000);
    expect([outcome(0), outcome(1)]).toEqual(['replaced', 'cancelled']);
  });

  it.each([
    ['a second before', 59_000],
    ['some seconds after', 64_000],
    ['nearly a minute after', 119_000],
  ])('knows the replaced Job when its deletion was observed %s the next was created', (_name, observed) => {
    bridge.take([seen(CRON), seen(job(0)), gone(0, observed), seen(job(1))]);
    expect(outcome(0)).toBe('replaced');
  });

  it('knows the successor by its creation where the cluster shows no scheduled instant', () => {
    const old = { scheduledAt: undefined };
    const { facts, ...record } = gone(0, 60_500);
    bridge.take([seen(CRON), seen(job(0, old)), { ...record, facts: { ...facts, ...old } }, seen(job(1, old))]);
    expect(outcome(0)).toBe('replaced');
  });

  it('does not concern Jobs made by hand, neither as replaced nor as successor', () => {
    const manual = job(0, { manual: true, scheduledAt: undefined });
    bridge.take([seen(CRON), seen(manual), seen({ ...manual, resourceVersion: '205', deletionAt: T0 + 60_000 }, true)]);
    expect(outcome(0)).toBe('cancelled');
    bridge.take([seen(job(1)), gone(1, 120_000), seen(job(2, { manual: true, scheduledAt: undefined }))]);
    bridge.tick(T0 + 3_600_000);
    expect(outcome(1)).toBe('cancelled');
  });

  it.each([
    ['Replace', 'replaced', 'complete@60'],
    ['Allow', 'cancelled', 'fail@60'],
  ])('is asked of the CronJob even if that is seen last: %s is %s', (concurrencyPolicy, status, ping) => {
    bridge.take([seen(job(0)), gone(0, 60_000), seen(job(1))]);
    expect(bridge.decisions(JOB_UID)).toContain('waiting awaiting_replacement');
    bridge.take([seen(cronJobFacts({ concurrencyPolicy }))]);
    bridge.tick(T0 + 3_600_000);
    expect(outcome(0)).toBe(status);
    expect(bridge.reported(uidOf(1))).toEqual(['run@1', ping]);
  });

  it('of another CronJob’s Job is not a successor', () => {
    const other = cronJobFacts({ uid: '33333333-0000-4000-8000-000000000002', name: 'other' });
    bridge.take([seen(CRON), seen(job(0)), gone(0, 60_000), seen(job(1, { owner: ownedBy(other) }))]);
    bridge.tick(T0 + 3_600_000);
    expect(outcome(0)).toBe('cancelled');
  });
});
