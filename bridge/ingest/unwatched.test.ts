import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { T0 } from '../../test/fixtures/facts.ts';
import { withNeeded } from '../kubernetes/followed.ts';
import type { Kind } from '../kubernetes/observation.ts';
import { deployment } from '../lifecycle/testing/rollouts.ts';
import type { Planner } from '../sinks/sink.ts';
import { createEngine } from './engine.ts';
import { TestEngine } from './test-engine.ts';

const DAY = 86_400_000;
const LIMITS = { age: 10 * DAY, maxBytes: 1 << 30 };
const DESTINATION = 'toy/one';
const WEB = deployment({ resourceVersion: '110' });

const planner: Planner = {
  destination: DESTINATION,
  hears: new Set(),
  reads: { kinds: new Set<Kind>(['Deployment']), annotations: [] },
  plan: () => null,
  planDesired: ({ uid, name }) => [{ key: uid, wanted: { row: name } }],
  retire: () => ({ row: 'gone' }),
};

let bench: TestEngine;
beforeEach(() => void (bench = new TestEngine({ planners: [planner] })));
afterEach(() => bench.close());

/** The bridge as it starts with these kinds and destinations. */
function start(kinds: readonly Kind[], now: number, planners: readonly Planner[] = [planner]) {
  const rule = { cutoff: T0, running: 'announce' } as const;
  const given = planners.map((planner) => ({ planner, rule }));
  const engine = createEngine(bench.store, given, { kinds: withNeeded(kinds) });
  engine.replan(now);
  const seen = (listed?: true) => ({ facts: WEB, deleted: false, observedAt: now, ...(listed && { listed }) });
  const take = (listed?: true) => engine.commit([{ observations: [seen(listed)], quarantine: [], records: [] }], now);
  return { engine, take };
}

const live = () => bench.store.transaction((tx) => tx.versions.live('Deployment', 0, 10)).length;
const rows = () => bench.reader.desired({ limit: 10 }).items.map(({ wanted }) => wanted);

/** The retention goes on until it has nothing to do. */
function retain(now: number): void {
  for (let step = 0; step < 100; step++) bench.store.retain(now, LIMITS);
}

describe('an object of a kind that is not followed any more', () => {
  it('is neither gone nor reported, and the retention removes it in time', () => {
    start(['Deployment'], T0).take();
    start([], T0 + DAY, []);
    expect(live()).toBe(1);
    retain(T0 + 10 * DAY);
    expect(live()).toBe(1);
    retain(T0 + 12 * DAY);
    expect(live()).toBe(0);
    expect(rows()).toEqual([{ row: 'web' }]);
  });

  it('lives on when its kind is followed again before that', () => {
    start(['Deployment'], T0).take();
    start([], T0 + DAY, []);
    start([], T0 + 2 * DAY, []);
    start(['Deployment'], T0 + 3 * DAY);
    retain(T0 + 30 * DAY);
    expect(live()).toBe(1);
    expect(rows()).toEqual([{ row: 'web' }]);
  });

  it('is taken as new when its kind is followed again after that', () => {
    start(['Deployment'], T0).take();
    start([], T0 + DAY, []);
    retain(T0 + 12 * DAY);
    start(['Deployment'], T0 + 13 * DAY).take(true);
    expect(live()).toBe(1);
  });
});
