import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { condition, cronJobFacts, T0 } from '../../test/fixtures/facts.ts';
import type { JobFacts, Observation } from '../kubernetes/observation.ts';
import type { Instant } from '../lib/clock.ts';
import { complete, scheduled, TestEngine, uidOf } from './test-engine.ts';

const MINUTE = 60_000;
const INSTANTS = [5, 10, 15].map((minutes) => T0 + minutes * MINUTE);

/** How much is seen of the Job of an instant: nothing, or all of it, as it succeeded or failed. */
const FATES = ['unseen', 'succeeded', 'failed'] as const;
type Fate = (typeof FATES)[number];
type Step = Observation | 'wait' | 'restart';

/** Versions of the CronJob's status: before the first run, and at the start and after the success of each. */
function statuses(): Observation[] {
  const cron = (version: number, changes: Parameters<typeof cronJobFacts>[0] = {}): Observation => ({
    facts: cronJobFacts({ schedule: '*/5 * * * *', resourceVersion: String(version), ...changes }),
    deleted: false,
    observedAt: T0 + 15 * MINUTE,
  });
  const versions = INSTANTS.flatMap((at, n) => {
    // Of the second run a version with its Job's UID was seen.
    const active = n === 1 ? { activeUids: [uidOf(n)], lastJobUid: uidOf(n) } : {};
    const success = { lastScheduleAt: at, lastSuccessfulAt: at + 9_000 };
    return [cron(901 + n * 2, { lastScheduleAt: at, ...active }), cron(902 + n * 2, success)];
  });
  return [cron(900), ...versions];
}

function records(n: number, at: Instant, fate: Fate): Observation[] {
  if (fate === 'unseen') return [];
  const times = { uid: uidOf(n), scheduledAt: at, createdAt: at, startAt: at + 1_000 };
  const end: Partial<JobFacts> =
    fate === 'succeeded'
      ? { ...times, completionAt: at + 9_000, conditions: [condition('Complete', at + 9_000)] }
      : { ...times, completionAt: undefined, conditions: [condition('Failed', at + 20_000)] };
  const last = { facts: complete({ ...end, resourceVersion: '140' }), deleted: true };
  const steps = [{ facts: scheduled(times), deleted: false }, { facts: complete(end), deleted: false }, last];
  return steps.map((step) => ({ ...step, observedAt: at }));
}

const histories = fc
  .tuple(fc.constantFrom(...FATES), fc.constantFrom(...FATES), fc.constantFrom(...FATES), fc.boolean())
  .chain(([first, second, third, isDeleted]) => {
    const fates = [first, second, third];
    const versions = statuses();
    const deletion = isDeleted ? [{ ...versions.at(-1)!, deleted: true }] : [];
    const jobs = INSTANTS.flatMap((at, n) => records(n, at, fates[n]!));
    const all: Step[] = [...versions, ...versions, ...deletion, ...jobs, 'wait', 'wait', 'restart', 'restart'];
    return fc.tuple(fc.constant(fates), fc.shuffledSubarray(all, { minLength: all.length }));
  });

/** What was reported of each instant's runs: `started,ended,corrected`, by instant. */
function reportOf(steps: readonly Step[]): string[][] {
  const engine = new TestEngine();
  let now = T0 + 16 * MINUTE;
  const wait = (): void => {
    const end = now + 20 * MINUTE;
    for (; now <= end; now += MINUTE) {
      engine.take([], now);
      engine.tick(now);
    }
  };
  for (const step of [...steps, 'wait' as const]) {
    if (step === 'wait') wait();
    else if (step === 'restart') engine.restart();
    else engine.take([step], now);
  }
  const runs = engine.reader.runs({ limit: 100 }).items.filter(({ status }) => status !== 'missed');
  const reported = INSTANTS.map((at) =>
    runs.filter(({ scheduledAt }) => scheduledAt === at).map(({ uid }) => engine.reported(uid).map(stateOf).join()),
  );
  expect(engine.pings()).toHaveLength(reported.flat(2).flatMap((text) => text.split(',')).length);
  engine.close();
  return reported;
}

const stateOf = (ping: string): string => ping.split('@')[0]!;

/** What may be reported of an instant: where the Job was seen the last word is its own. */
const MAY: Record<Fate, readonly string[]> = {
  unseen: ['run', 'run,complete'],
  succeeded: ['run,complete'],
  failed: ['run,fail', 'run,complete,fail'],
};

describe('scheduled instants', () => {
  it('have one run each, one end and at most one correction, whatever is seen of them and in whatever order', () => {
    fc.assert(
      fc.property(histories, ([fates, steps]) => {
        for (const [n, reported] of reportOf(steps).entries()) {
          expect(reported).toHaveLength(1);
          expect(MAY[fates[n]!]).toContain(reported[0]);
        }
      }),
      { numRuns: 60 },
    );
  });
});
