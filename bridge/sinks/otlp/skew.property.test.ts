import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { condition, container, podFacts, T0 } from '../../../test/fixtures/facts.ts';
import { recordedObjects } from '../../../test/fixtures/recorded.ts';
import { at as seenAt, CRON, scheduled, TestEngine } from '../../ingest/test-engine.ts';
import { withNeeded } from '../../kubernetes/followed.ts';
import { readerOf } from '../../kubernetes/kinds.ts';
import type { ContainerFacts, Facts, FollowedKind, Observation, PodFacts } from '../../kubernetes/observation.ts';
import type { ClaimedIntent } from '../sink.ts';
import type { RunStory } from '../story.ts';
import { otlpSchema } from './config.ts';
import { arrived, wrongWith } from './fixtures.ts';
import { createOtlpPlanner } from './plan.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const planner = createOtlpPlanner('default', otlpSchema.parse({ endpoint: 'http://127.0.0.1:4317' }));
const KINDS = withNeeded(planner.reads.kinds);

/** How far the clock of each is from that of the bridge: whole seconds, five minutes at most. */
const clock = fc.integer({ min: -300, max: 300 }).map((seconds) => seconds * 1_000);
const clocks = fc.record({ api: clock, manager: clock, kubelet: clock });
type Clocks = { readonly api: number; readonly manager: number; readonly kubelet: number };

const lives = fc.record({
  clocks,
  pods: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 0, max: 4 }) }, { weight: 1, arbitrary: fc.constant(40) }),
  indexed: fc.boolean(),
  fate: fc.constantFrom('Complete', 'Failed', 'deleted'),
  suspended: fc.boolean(),
  initRestarts: fc.integer({ min: 0, max: 3 }),
  sidecar: fc.boolean(),
  ephemeral: fc.boolean(),
  /** Seconds by which the last container ends after the Job does. */
  outlives: fc.integer({ min: -20, max: 40 }),
  /** Pods of which the end was not seen: deleted while they ran. */
  cutShort: fc.boolean(),
});
type Life = typeof lives extends fc.Arbitrary<infer L> ? L : never;

const time = (seconds: number, skew: number): number => T0 + seconds * 1_000 + skew;

function ran(from: number, to: number, exitCode: number, { kubelet }: Clocks): ContainerFacts['terminated'] {
  const [startedAt, finishedAt] = [time(from, kubelet), time(to, kubelet)];
  return {
    exitCode,
    signal: undefined,
    reason: exitCode === 0 ? 'Completed' : 'Error',
    message: undefined,
    startedAt,
    finishedAt,
  };
}

/** The versions of one pod: it has a node, runs, and ends or is cut short. */
function podOf(life: Life, number: number): PodFacts[] {
  const { api, manager, kubelet } = life.clocks;
  const uid = `22222222-0000-4000-8000-${String(number).padStart(12, '0')}`;
  const end = 60 + life.outlives;
  const setup = container({
    name: 'setup',
    type: 'init',
    restartCount: life.initRestarts,
    terminated: ran(6, 8, 0, life.clocks),
    lastTerminated: life.initRestarts > 0 ? ran(4, 5, 1, life.clocks) : undefined,
  });
  const mesh = (isOver: boolean) =>
    container({
      name: 'mesh',
      type: 'sidecar',
      ...(isOver ? { terminated: ran(9, end, 143, life.clocks) } : { runningSince: time(9, kubelet) }),
    });
  const debug = container({ name: 'debugger-x', type: 'ephemeral', terminated: ran(15, 18, 0, life.clocks) });
  const main = (isOver: boolean) =>
    container(
      isOver
        ? { terminated: ran(10, Math.min(50, end), life.fate === 'Failed' ? 1 : 0, life.clocks) }
        : { runningSince: time(10, kubelet) },
    );
  const all = (isOver: boolean) => [
    setup,
    ...(life.sidecar ? [mesh(isOver)] : []),
    main(isOver),
    ...(life.ephemeral ? [debug] : []),
  ];
  const version = (resourceVersion: number, changes: Partial<PodFacts>): PodFacts =>
    podFacts({
      uid,
      name: `report-1-${number}`,
      resourceVersion: String(resourceVersion),
      createdAt: time(2, api),
      completionIndex: life.indexed ? number : undefined,
      ...changes,
    });
  const placed = { nodeName: 'node-1', podScheduledAt: time(3, manager), startAt: time(3, kubelet) };
  const phase = life.fate === 'Failed' ? 'Failed' : 'Succeeded';
  return [
    version(200, {}),
    version(210, { ...placed, phase: 'Running', containers: all(false) }),
    ...(life.cutShort ? [] : [version(220, { ...placed, phase, containers: all(true) })]),
  ];
}

function recordsOf(life: Life): Observation[] {
  const { api, manager } = life.clocks;
  const job = { createdAt: time(0, api), indexed: life.indexed, startAt: time(1, manager) };
  const ends = { conditions: [condition(life.fate, time(60, manager))], completionAt: time(60, manager) };
  const last = life.fate === 'deleted' ? { deletionAt: time(60, api) } : ends;
  const resumed = life.suspended ? { startAt: time(30, manager) } : {};
  const jobs: Facts[] = [
    scheduled({ ...job, resourceVersion: '110' }),
    ...(life.suspended ? [scheduled({ ...job, resourceVersion: '112', suspend: true, startAt: undefined })] : []),
    scheduled({ ...job, resourceVersion: '114', ...resumed }),
    scheduled({ ...job, resourceVersion: '120', ...resumed, ...last }),
  ];
  const pods = Array.from({ length: life.pods }, (_, number) => podOf(life, number));
  const now = T0 + 2 * MINUTE;
  return [
    ...[...jobs, ...pods.flat()].map((facts) => seenAt(facts, now)),
    ...pods.map((versions) => seenAt(versions.at(-1)!, now, life.cutShort)),
    seenAt(jobs.at(-1)!, now, life.fate === 'deleted'),
  ];
}

function next({ store }: TestEngine, now: number): ClaimedIntent[] {
  const claimed = store.claim(planner.destination, 500, now, [], false);
  store.settle(
    claimed.map(({ seq }) => ({ seq, delivery: { outcome: 'delivered' } as const })),
    now,
  );
  return claimed;
}

/** What is wrong with the traces of all runs that settled, and how many those are. */
function traced(
  records: readonly Observation[],
  from: number,
): { readonly wrong: readonly string[]; readonly traces: number } {
  const engine = new TestEngine({ planners: [planner], cutoff: from - 24 * HOUR, engine: { kinds: KINDS } });
  try {
    let now = from;
    for (let start = 0; start < records.length; start += 10) engine.take(records.slice(start, start + 10), now);
    for (let minute = 0; minute < 40; minute++) engine.tick((now += MINUTE));
    const stories: RunStory[] = [];
    // The milestones of a rollout are before its end.
    for (let claimed = next(engine, now); claimed.length > 0; claimed = next(engine, now))
      stories.push(
        ...claimed.filter(({ transitionId }) => transitionId.endsWith('/settled')).map(({ story }) => story!),
      );
    return { wrong: stories.flatMap((story) => wrongWith(arrived(story))), traces: stories.length };
  } finally {
    engine.close();
  }
}

it('a Job in any of its lives has one trace that fits, with clocks five minutes apart and records in any order', () => {
  const histories = lives.chain((life) => {
    const records = recordsOf(life);
    return fc.shuffledSubarray(records, { minLength: records.length });
  });
  fc.assert(
    fc.property(histories, (records) => {
      const known = traced([seenAt(CRON, T0), ...records], T0 + 2 * MINUTE);
      expect(known).toEqual({ wrong: [], traces: 1 });
    }),
    { numRuns: 40 },
  );
});

/** Whoever wrote them: each kind by another clock. */
function skewed({ facts, ...rest }: Observation, { api, manager, kubelet }: Clocks): Observation {
  const shift = (value: unknown, ms: number): unknown => {
    if (typeof value === 'number') return value > 1e12 ? value + ms : value;
    if (Array.isArray(value)) return value.map((one) => shift(one, ms));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => [key, key === 'createdAt' ? shift(one, api) : shift(one, ms)]),
    );
  };
  return { ...rest, facts: shift(facts, facts.kind === 'Pod' ? kubelet : manager) as Facts };
}

it('the rollouts of a real node have traces that fit, with clocks five minutes apart', async () => {
  const read = readerOf(KINDS.filter((kind): kind is FollowedKind => kind !== 'Event'));
  const records = (await recordedObjects('rollouts')).flatMap(({ object, ...rest }): Observation[] => {
    const facts = read(object);
    return facts === undefined ? [] : [{ ...rest, facts }];
  });
  const from = Math.max(...records.map(({ observedAt }) => observedAt));
  fc.assert(
    fc.property(clocks, (of) => {
      const known = traced(
        records.map((one) => skewed(one, of)),
        from,
      );
      expect(known.wrong).toEqual([]);
      expect(known.traces).toBeGreaterThan(5);
    }),
    { numRuns: 2 },
  );
});
