import { afterEach, describe, expect, it } from 'vitest';
import type { Observation } from '../kubernetes/observation.ts';
import { eventFacts, T0 } from '../../test/fixtures/facts.ts';
import type { Planner } from '../sinks/sink.ts';
import type { StormReport } from '../sinks/storm.ts';
import { Db } from '../store/sqlite/db/db.ts';
import { TestEngine } from './test-engine.ts';

const WINDOW_MS = 60_000;
const HOUR = 3_600_000;
const NOW = T0 + 60_000;

let bridge: TestEngine;
let reports: StormReport[] = [];
afterEach(() => {
  bridge.close();
  reports = [];
});

/** Reports Warnings within a budget of ten a minute, five of one reason, and one report beside each that is in none. */
const planner: Planner = {
  destination: 'demo/storms',
  hears: new Set(['event.warned']),
  reads: { kinds: new Set(['Event']), annotations: [] },
  plan({ id, reason = '', about }) {
    const intent = { lane: id, payload: { id }, limits: [] };
    const storm = { scope: { project: 1 }, group: reason, what: `${reason} of ${about.kind}` };
    return { intents: [{ ...intent, key: id, storm }] };
  },
  storm: {
    budget: { most: 10, mostOfOne: 5, windowMs: WINDOW_MS },
    digest(report) {
      reports.push(report);
      return [{ key: `digest/${report.since}`, lane: 'digest', payload: { left: report.left.count }, limits: [] }];
    },
  },
  planDesired: () => [],
  retire: () => null,
};

let number = 0;
function warnings(count: number, reason: string, now = NOW): void {
  const observations = Array.from({ length: count }, () => {
    const regarding = { ...eventFacts().regarding, uid: `pod-${number}` };
    const facts = eventFacts({ uid: `event-${number++}`, reason, lastAt: now, regarding });
    return { facts, deleted: false, observedAt: now } as unknown as Observation;
  });
  expect(bridge.take(observations, now).poisoned).toBe(0);
}

const keys = () => bridge.reader.deliveries({ limit: 1_000 }).items.map(({ payload }) => payload);
/** What the store keeps of windows. */
function windows(): unknown[] {
  const db = new Db(bridge.path, true);
  const rows = db.all("SELECT key FROM meta WHERE key LIKE 'storm/%'");
  db.close();
  return rows;
}
const digests = () => keys().filter((payload) => 'left' in (payload as object));

describe('a storm', () => {
  it('is as many reports as the budget has, and one digest of all others', () => {
    bridge = new TestEngine({ planners: [planner] });
    for (let batch = 0; batch < 10; batch++) warnings(1_000, batch % 2 === 0 ? 'OOMKilling' : 'BackOff');
    bridge.tick(NOW + WINDOW_MS - 1);
    expect(keys()).toHaveLength(10);
    bridge.tick(NOW + WINDOW_MS);
    expect(digests()).toEqual([{ left: 9_990 }]);
    expect(reports).toMatchObject([
      {
        scope: { project: 1 },
        since: NOW,
        until: NOW + WINDOW_MS,
        passed: 10,
        left: { count: 9_990, kinds: { 'OOMKilling of Pod': 4_995, 'BackOff of Pod': 4_995 }, others: 0 },
      },
    ]);
    bridge.tick(NOW + 2 * WINDOW_MS);
    expect(digests()).toHaveLength(1);
  });

  it('that goes on has a window and a digest after the other, also when the bridge is restarted in between', () => {
    bridge = new TestEngine({ planners: [planner] });
    warnings(7, 'BackOff');
    bridge.restart();
    warnings(2, 'BackOff', NOW + 1_000);
    bridge.tick(NOW + WINDOW_MS);
    warnings(7, 'BackOff', NOW + WINDOW_MS + 1_000);
    bridge.restart();
    bridge.tick(NOW + 2 * WINDOW_MS + 1_000);
    expect(digests()).toEqual([{ left: 2 }, { left: 4 }]);
    expect(keys()).toHaveLength(12);
  });

  it('leaves a decision with its reason on everything that is left out', () => {
    bridge = new TestEngine({ planners: [planner] });
    warnings(7, 'BackOff');
    const { items } = bridge.reader.drops({ limit: 100 });
    expect(items.map(({ reason }) => reason)).toEqual(['storm', 'storm']);
  });

  it('of a digest that cannot be planned costs that digest only', () => {
    const broken: Planner = {
      ...planner,
      storm: {
        ...planner.storm!,
        digest() {
          throw new Error('no digest');
        },
      },
    };
    bridge = new TestEngine({ planners: [broken] });
    warnings(7, 'BackOff');
    bridge.tick(NOW + WINDOW_MS);
    warnings(1, 'BackOff', NOW + WINDOW_MS + 1_000);
    expect(keys()).toHaveLength(6);
    expect(bridge.takePlannerFailures()).toMatchObject([
      { call: 'digest', error: expect.stringContaining('no digest') },
    ]);
  });

  it('of a destination that leaves the configuration has its digest when it is back within a week', () => {
    bridge = new TestEngine({ planners: [planner] });
    warnings(7, 'BackOff');
    bridge.restart([], NOW + 1_000);
    bridge.tick(NOW + WINDOW_MS);
    bridge.tick(NOW + 5 * HOUR);
    bridge.restart([planner], NOW + 5 * HOUR);
    bridge.tick(NOW + 6 * HOUR);
    expect(digests()).toEqual([{ left: 2 }]);
    expect(windows()).toEqual([]);
  });

  it('leaves no window in the store, whether it had a digest, needed none, or its destination is gone for good', () => {
    bridge = new TestEngine({ planners: [planner] });
    warnings(1, 'BackOff');
    expect(windows()).toHaveLength(1);
    bridge.tick(NOW + WINDOW_MS);
    expect(windows()).toEqual([]);
    warnings(7, 'BackOff', NOW + WINDOW_MS);
    bridge.tick(NOW + 2 * WINDOW_MS);
    expect(windows()).toEqual([]);
    warnings(7, 'BackOff', NOW + HOUR);
    bridge.restart([], NOW + HOUR);
    for (let day = 1; day <= 8; day++) bridge.tick(NOW + day * 24 * HOUR);
    expect(windows()).toEqual([]);
    expect(bridge.store.transaction((tx) => tx.timers.below('storm'))).toEqual([]);
  });
});
