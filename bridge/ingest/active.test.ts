import { afterEach, describe, expect, it } from 'vitest';
import { seen, T0 } from '../../test/fixtures/facts.ts';
import type { Planner } from '../sinks/sink.ts';
import { complete, CRON, scheduled, TestEngine } from './test-engine.ts';

const HOUR = 3_600_000;
const DESTINATION = 'test/listener';

let bridge: TestEngine;
afterEach(() => bridge.close());

/** Wants to hear of a run again after each hour, and sends a number each time. */
function listener(hears: readonly ('run.started' | 'run.active' | 'run.ended')[]): Planner {
  return {
    destination: DESTINATION,
    hears: new Set(hears),
    reads: { kinds: new Set(['CronJob']), annotations: [] },
    plan: ({ id, kind, at }, { memo }) => {
      const memoOrNone = typeof memo === 'number' ? memo : 0;
      const intents = [{ key: id, lane: 'run', payload: { kind, number: memoOrNone }, limits: [] }];
      return { intents, memo: memoOrNone + 1, ...(kind !== 'run.ended' && { again: at + HOUR }) };
    },
    planDesired: () => [],
    retire: () => null,
  };
}

const ALL = ['run.started', 'run.active', 'run.ended'] as const;

function sent(): unknown[] {
  const claimed = [];
  for (;;) {
    const next = bridge.store.claim(DESTINATION, 10, T0 + 100 * HOUR, [], false, 1);
    if (next.length === 0) return claimed.map(({ payload }) => payload);
    claimed.push(...next);
    bridge.store.settle(
      next.map(({ seq }) => ({ seq, delivery: { outcome: 'delivered' as const } })),
      T0,
    );
  }
}

describe('a run that goes on', () => {
  it('is planned again when the planner asked for it, until it ends, with what the planner remembered', () => {
    bridge = new TestEngine({ planners: [listener(ALL)] });
    bridge.take([seen(CRON), seen(scheduled())]);
    bridge.tick(T0 + HOUR / 2);
    bridge.tick(T0 + HOUR + 60_000);
    bridge.tick(T0 + 2 * HOUR + 120_000);
    bridge.take([seen(complete())]);
    bridge.tick(T0 + 5 * HOUR);
    expect(sent()).toEqual([
      { kind: 'run.started', number: 0 },
      { kind: 'run.active', number: 1 },
      { kind: 'run.active', number: 2 },
      { kind: 'run.ended', number: 3 },
    ]);
  });

  it('is planned once for the time that the bridge was away', () => {
    bridge = new TestEngine({ planners: [listener(ALL)] });
    bridge.take([seen(CRON), seen(scheduled())]);
    bridge.tick(T0 + 10 * HOUR);
    expect(sent()).toEqual([{ kind: 'run.started', number: 0 }, expect.objectContaining({ kind: 'run.active' })]);
  });

  it('leaves no line in the history of the run', () => {
    bridge = new TestEngine({ planners: [listener(ALL)] });
    bridge.take([seen(CRON), seen(scheduled())]);
    bridge.tick(T0 + 2 * HOUR);
    expect(bridge.decisions()).toHaveLength(1);
  });

  it('is not planned for a destination that does not hear of it any more', () => {
    bridge = new TestEngine({ planners: [listener(['run.started', 'run.ended'])] });
    bridge.take([seen(CRON), seen(scheduled())]);
    bridge.tick(T0 + 2 * HOUR);
    expect(sent()).toEqual([{ kind: 'run.started', number: 0 }]);
  });
});
