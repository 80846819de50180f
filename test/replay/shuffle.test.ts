import { DatabaseSync } from 'node:sqlite';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { TestEngine } from '../../bridge/ingest/test-engine.ts';
import type { Observation } from '../../bridge/kubernetes/observation.ts';
import { compareVersions } from '../../bridge/kubernetes/version.ts';
import type { Transition } from '../../bridge/lifecycle/transition.ts';
import { observationsOf, recordedObjects } from '../fixtures/recorded.ts';

/** A Job, its pods and its CronJob, in the recorded order, and what the engine makes of them in that order. */
interface RecordedRun {
  readonly name: string;
  readonly observations: readonly Observation[];
  /** Index of the newest observation of the Job. */
  readonly last: number;
  readonly report: Report;
}

interface Report {
  readonly runs: readonly string[];
  readonly containers: readonly string[];
  readonly pings: readonly string[];
  /** The facts of each object in the end, and which monitors are paused. */
  readonly objects: readonly string[];
  readonly paused: readonly string[];
}

/** Observations by their index, cut into commits; `restart`: the store is closed and opened again after it. */
type Plan = readonly { readonly indexes: readonly number[]; readonly restart: boolean }[];

/** Without versions: those that change nothing else are written later, and a restart may lose them. */
const FACTS = `SELECT concat_ws(' ', deleted, json_remove(state -> '$.facts', '$.resourceVersion')) AS text
  FROM objects ORDER BY uid`;

let everything: Observation[];
let runs: RecordedRun[];

beforeAll(async () => {
  everything = observationsOf(await recordedObjects());
  const jobs = new Set(everything.flatMap(({ facts }) => (facts.kind === 'Job' ? [facts.uid] : [])));
  runs = [...jobs].map(recordedRun);
});

function recordedRun(uid: string): RecordedRun {
  const job = everything.find(({ facts }) => facts.uid === uid)!.facts;
  const observations = everything.filter(
    ({ facts }) => facts.uid === uid || facts.owner?.uid === uid || facts.uid === job.owner?.uid,
  );
  const own = [...observations.entries()].filter(([, { facts }]) => facts.uid === uid);
  const [last] = own.toSorted(([, a], [, b]) => compareVersions(b.facts.resourceVersion, a.facts.resourceVersion))[0]!;
  const report = reportOf(observations, [{ indexes: [...observations.keys()], restart: false }]);
  return { name: job.name, observations, last, report };
}

/** What a fresh bridge reports of observations, in the order and the commits of a plan. */
function reportOf(observations: readonly Observation[], plan: Plan): Report {
  const times = everything.map(({ observedAt }) => observedAt);
  const [first, end] = [Math.min(...times), Math.max(...times)];
  const bridge = new TestEngine({ cutoff: first - 3_600_000 });
  try {
    for (const { indexes, restart } of plan) {
      bridge.take(
        indexes.map((index) => observations[index]!),
        end,
      );
      if (restart) bridge.restart();
    }
    bridge.tick(end + 3_600_000);
    const transitions = rowsOf(bridge.path, 'SELECT transition AS text FROM transitions').map(
      (text) => JSON.parse(text) as Transition,
    );
    expect(new Set(transitions.map(({ id }) => id)).size).toBe(transitions.length);
    return {
      runs: textsOf(transitions, (kind) => kind === 'run.started' || kind === 'run.ended'),
      containers: textsOf(transitions, (kind) => kind === 'container.terminated'),
      objects: rowsOf(bridge.path, FACTS),
      paused: [...bridge.pausedRows()].flatMap(([key, paused]) => (paused === true ? [key] : [])).toSorted(),
      pings: bridge
        .pings()
        .map((ping) => Object.values(ping).join(' '))
        .toSorted(),
    };
  } finally {
    bridge.close();
  }
}

function rowsOf(path: string, select: string): string[] {
  const database = new DatabaseSync(path, { readOnly: true });
  const rows = database.prepare(select).all();
  database.close();
  return rows.map(({ text }) => String(text));
}

function textsOf(transitions: readonly Transition[], wanted: (kind: Transition['kind']) => boolean): string[] {
  const found = transitions.filter(({ kind }) => wanted(kind));
  return found
    .map(({ id, kind, outcome, at, container }) => [id, kind, outcome, at, container?.exitCode].join(' '))
    .toSorted();
}

/** The given indexes in any order, in up to four commits. */
function plans(indexes: readonly number[]): fc.Arbitrary<Plan> {
  return fc
    .tuple(
      fc.shuffledSubarray([...indexes], { minLength: indexes.length }),
      fc.array(fc.tuple(fc.nat(indexes.length), fc.boolean()), { maxLength: 3 }),
    )
    .map(([shuffled, cuts]) => {
      const ends = [...cuts.toSorted(([a], [b]) => a - b), [indexes.length, false] as const];
      return ends.map(([end, restart], n) => ({ indexes: shuffled.slice(ends[n - 1]?.[0] ?? 0, end), restart }));
    });
}

const anyRun = fc.nat().map((number) => runs[number % runs.length]!);

function check(
  property: (run: RecordedRun) => fc.Arbitrary<Plan>,
  holds: (report: Report, run: RecordedRun) => void,
  numRuns: number,
): void {
  const cases = anyRun.chain((run) => property(run).map((plan) => ({ name: run.name, plan })));
  fc.assert(
    fc.property(cases, ({ name, plan }) => {
      const run = runs.find((candidate) => candidate.name === name)!;
      holds(reportOf(run.observations, plan), run);
    }),
    { numRuns },
  );
}

describe('the records of one run of a real node', () => {
  it('report a start, an end and the end of each container in the recorded order', () => {
    expect(runs.length).toBe(16);
    for (const { report } of runs) {
      expect(report.runs).toHaveLength(2);
      expect([0, 2]).toContain(report.pings.length);
    }
    expect(runs.filter(({ report }) => report.pings.length === 2)).toHaveLength(10);
    expect(runs.flatMap(({ report }) => report.containers).length).toBeGreaterThan(20);
  });

  it('report the same in any order, any of them several times, in any commits with restarts between', () => {
    const all = ({ observations }: RecordedRun): fc.Arbitrary<Plan> => {
      const indexes = [...observations.keys()];
      return fc.subarray(indexes).chain((again) => plans([...indexes, ...again]));
    };
    check(all, (report, run) => expect(report).toEqual(run.report), 80);
  });

  it('report the same of the run, and nothing unknown, when only some come but the last of the Job is among them', () => {
    const some = ({ observations, last }: RecordedRun): fc.Arbitrary<Plan> => {
      const others = [...observations.keys()].filter((index) => index !== last);
      return fc.subarray(others).chain((kept) => plans([...kept, last]));
    };
    const holds = (report: Report, run: RecordedRun): void => {
      expect(report.runs).toEqual(run.report.runs);
      expect(run.report.containers).toEqual(expect.arrayContaining([...report.containers]));
      expect([[], run.report.pings]).toContainEqual(report.pings);
    };
    check(some, holds, 80);
  });
});

describe('all records of a real node together', () => {
  it('report the same in any order', () => {
    const recorded = reportOf(everything, [{ indexes: [...everything.keys()], restart: false }]);
    expect(recorded.runs).toHaveLength(32);
    expect(recorded.pings).toEqual(runs.flatMap(({ report }) => report.pings).toSorted());
    fc.assert(
      fc.property(plans([...everything.keys()]), (plan) => {
        expect(reportOf(everything, plan)).toEqual(recorded);
      }),
      { numRuns: 8 },
    );
  });
});
