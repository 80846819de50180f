import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { condition, container, podFacts, seen, T0, terminated } from '../../test/fixtures/facts.ts';
import type { JobFacts, Observation, PodFacts } from '../kubernetes/observation.ts';
import { planConfig } from '../sinks/cronitor/fixtures.ts';
import { createCronitorPlanner } from '../sinks/cronitor/plan.ts';
import { annotated, JOB_UID, scheduled, TestEngine } from './test-engine.ts';

const at = (seconds: number): number => T0 + seconds * 1_000;
const FATES = ['succeeded', 'failed', 'cancelled'] as const;
type Fate = (typeof FATES)[number];
type Step = Observation | 'restart';

const CRON = annotated({ 'send-pod-start-event': 'true' });

/** Every version of a Job, from its creation to its deletion. */
function job(fate: Fate): Observation[] {
  const end: Partial<JobFacts> = {
    succeeded: { conditions: [condition('Complete', at(20))], completionAt: at(20) },
    failed: { conditions: [condition('Failed', at(20), { reason: 'BackoffLimitExceeded' })] },
    cancelled: { deletionAt: at(20) },
  }[fate];
  const version = (resourceVersion: string, changes: Partial<JobFacts>): JobFacts =>
    scheduled({ resourceVersion, ...changes });
  return [
    seen(version('101', { startAt: undefined })),
    seen(version('110', {})),
    ...(fate === 'cancelled' ? [] : [seen(version('120', end))]),
    seen(version('130', end), true),
  ];
}

/** Every version of two pods: one waits for its image, then fails; the other ends with the Job. */
function pods(fate: Fate): Observation[] {
  const of = (number: number, version: number, changes: Partial<PodFacts>): PodFacts =>
    podFacts({
      uid: `22222222-0000-4000-8000-00000000000${number}`,
      name: `report-1-${number}`,
      resourceVersion: String(version),
      ...changes,
    });
  const placed = { nodeName: 'node-1', startAt: at(2) };
  const waiting = [container({ waiting: { reason: 'ErrImagePull', message: undefined } })];
  const ended = (exitCode: number, time: number): Partial<PodFacts> => ({
    phase: exitCode === 0 ? 'Succeeded' : 'Failed',
    containers: [container({ terminated: terminated(exitCode, at(time)) })],
  });
  const running = { phase: 'Running', containers: [container({ runningSince: at(5) })] };
  return [
    seen(of(1, 201, {})),
    seen(of(1, 202, { ...placed, containers: waiting })),
    seen(of(1, 203, { ...placed, ...running })),
    seen(of(1, 204, { ...placed, ...ended(1, 9) })),
    seen(of(2, 211, { ...placed, ...running })),
    seen(of(2, 212, { ...placed, ...ended(fate === 'succeeded' ? 0 : 1, 19) })),
    seen(of(2, 213, { ...placed, ...ended(fate === 'succeeded' ? 0 : 1, 19) }), true),
  ];
}

const histories = fc.tuple(fc.constantFrom(...FATES), fc.boolean(), fc.boolean()).chain(([fate, podStarts, stuck]) => {
  const cron = podStarts ? CRON : { ...CRON, annotations: {} };
  const records = [...job(fate), ...pods(fate)];
  const all: Step[] = [seen(cron), ...records, ...records, 'restart', 'restart'];
  return fc.record({
    fate: fc.constant(fate),
    podStarts: fc.constant(podStarts),
    stuck: fc.constant(stuck),
    steps: fc.shuffledSubarray(all, { minLength: all.length }),
  });
});

/** The states that Cronitor hears, in the order of the lane. */
function reportOf(steps: readonly Step[], stuck: boolean): string {
  const account = { stuck: stuck ? 'fail' : 'none' };
  const engine = new TestEngine({ planners: [createCronitorPlanner('default', planConfig(account))] });
  for (const step of steps) {
    if (step === 'restart') engine.restart();
    else engine.take([step]);
  }
  engine.tick(T0 + 3_600_000);
  const reported = engine.reported(JOB_UID).map((ping) => ping.split('@')[0]!);
  engine.close();
  return reported.join();
}

/** What may be reported: what each option adds is optional, the end is one, and nothing opens the run again. */
function allowed(fate: Fate, podStarts: boolean, stuck: boolean): RegExp {
  const runs = podStarts ? '(run,)*' : '(run,)?';
  if (!stuck) return new RegExp(`^run,${podStarts ? runs : ''}${fate === 'succeeded' ? 'complete' : 'fail'}$`);
  return new RegExp(`^${runs}${fate === 'succeeded' ? '(fail,)?complete' : 'fail'}$`);
}

describe('a run, in any order of what is seen of it and with any repetition', () => {
  it('is one run and one end at Cronitor; pod starts and a stuck report add only what they may', () => {
    fc.assert(
      fc.property(histories, ({ fate, podStarts, stuck, steps }) => {
        expect(reportOf(steps, stuck)).toMatch(allowed(fate, podStarts, stuck));
      }),
      { numRuns: 60 },
    );
  });
});
