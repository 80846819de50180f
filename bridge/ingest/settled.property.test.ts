import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { condition, container, podFacts, seen, T0, terminated } from '../../test/fixtures/facts.ts';
import type { JobFacts, Observation, PodFacts } from '../kubernetes/observation.ts';
import type { Planner } from '../sinks/sink.ts';
import type { RunStory } from '../sinks/story.ts';
import { CRON, JOB_UID, scheduled, TestEngine } from './test-engine.ts';

const at = (seconds: number): number => T0 + seconds * 1_000;
const FATES = ['succeeded', 'failed', 'cancelled'] as const;
type Fate = (typeof FATES)[number];
type Step = Observation | 'restart' | 'tick';

const tracer: Planner = {
  destination: 'test/traces',
  hears: new Set(['run.settled']),
  reads: { kinds: new Set(), annotations: [] },
  plan: ({ id, runUid = '' }) => ({ intents: [{ key: id, lane: runUid, payload: null, limits: [], story: runUid }] }),
  planDesired: () => [],
  retire: () => null,
};

/** Every version of a Job that counts its pods, from its creation to its deletion. */
function job(fate: Fate): Observation[] {
  const end: Partial<JobFacts> = {
    succeeded: { succeeded: 1, failed: 1, conditions: [condition('Complete', at(20))], completionAt: at(20) },
    failed: { failed: 2, conditions: [condition('Failed', at(20), { reason: 'BackoffLimitExceeded' })] },
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

/** Every version of two pods: in the first a container is started again and fails at last; the other ends after the Job. */
function pods(fate: Fate): Observation[] {
  const of = (number: number, version: number, changes: Partial<PodFacts>): PodFacts => {
    const uid = `22222222-0000-4000-8000-00000000000${number}`;
    const placed = { nodeName: 'node-1', startAt: at(number) };
    return podFacts({ uid, name: `report-1-${number}`, resourceVersion: String(version), ...placed, ...changes });
  };
  const setup = container({ name: 'setup', type: 'init', terminated: terminated(0, at(3)) });
  const first = terminated(1, at(6));
  const again = container({ restartCount: 1, runningSince: at(7), lastTerminated: first });
  const failed = container({ restartCount: 1, terminated: terminated(2, at(9)), lastTerminated: first });
  const last = container({ terminated: terminated(fate === 'succeeded' ? 0 : 1, at(22)) });
  const end = { phase: fate === 'succeeded' ? 'Succeeded' : 'Failed', containers: [last] };
  return [
    seen(of(1, 201, { nodeName: undefined, startAt: undefined })),
    seen(of(1, 202, { phase: 'Running', containers: [setup, again] })),
    seen(of(1, 203, { phase: 'Failed', containers: [setup, failed] })),
    seen(of(2, 211, { phase: 'Running', containers: [container({ runningSince: at(5) })] })),
    seen(of(2, 212, end)),
    seen(of(2, 213, end), true),
  ];
}

/** A run as it settled: the ids, and the stories as they are sent. */
function settledOf(steps: readonly Step[]): { readonly ids: readonly string[]; readonly stories: readonly object[] } {
  const engine = new TestEngine({ planners: [tracer] });
  let now = T0 + 60_000;
  for (const step of steps) {
    if (step === 'restart') engine.restart();
    else if (step === 'tick') engine.tick((now += 20_000));
    else engine.take([step], now);
  }
  for (let minute = 0; minute < 8; minute++) engine.tick((now += 60_000));
  const claimed = engine.store.claim('test/traces', 10, now, [], false);
  engine.close();
  return { ids: claimed.map(({ key }) => key), stories: claimed.map(({ story }) => known(story!)) };
}

/**
 * Of a story what does not depend on the order. Texts say what was known at that time, as do time and place of what says
 * that a run settled: of a cancelled Job nobody counts the pods, and one may be seen to end after that.
 */
function known({ transitions, ...story }: RunStory): object {
  const edges = transitions
    .filter(({ kind }) => kind !== 'run.settled')
    .map(({ id, at, outcome }) => ({ id, at, outcome }));
  const settled = transitions.filter(({ kind }) => kind === 'run.settled').map(({ id, outcome }) => ({ id, outcome }));
  return { ...story, transitions: edges, settled };
}

const histories = fc
  .tuple(fc.constantFrom(...FATES), fc.boolean())
  .chain(([fate, whole]) => {
    const records = [...job(fate), ...pods(fate)];
    return whole ? fc.constant(records) : fc.subarray(records);
  })
  .chain((kept) => {
    const all: Step[] = [seen(CRON), ...kept, ...kept, 'restart', 'restart', 'tick', 'tick'];
    const steps = fc.shuffledSubarray(all, { minLength: all.length });
    return fc.record({ kept: fc.constant(kept), steps });
  });

it.each(FATES)('the story of a run that %s has every end of a container', (fate) => {
  expect(settledOf([seen(CRON), ...job(fate), ...pods(fate)]).stories).toMatchObject([
    {
      run: { uid: JOB_UID, status: fate },
      containers: [{ name: 'setup', type: 'init' }, { instance: 0 }, { instance: 1, exitCode: 2 }, { endedAt: at(22) }],
    },
  ]);
});

it('a run settles once, with the same id and the same story, in any order of what is seen of it and with any repetition', () => {
  fc.assert(
    fc.property(histories, ({ kept, steps }) => {
      const inOrder = settledOf([seen(CRON), ...kept]);
      const ended = kept.some(
        ({ facts, deleted }) => facts.kind === 'Job' && (deleted || facts.resourceVersion === '120'),
      );
      expect(inOrder.ids).toEqual(ended ? [`${CRON.uid}/${T0}/settled`] : []);
      expect(settledOf(steps)).toEqual(inOrder);
    }),
    { numRuns: 30 },
  );
});
