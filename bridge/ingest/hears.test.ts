import { afterEach, expect, it } from 'vitest';
import { container, podFacts, seen, T0, terminated } from '../../test/fixtures/facts.ts';
import type { TransitionKind } from '../lifecycle/transition.ts';
import type { Planner } from '../sinks/sink.ts';
import { complete, CRON, scheduled, TestEngine } from './test-engine.ts';

const failedPod = () =>
  podFacts({ phase: 'Failed', containers: [container({ terminated: terminated(4, T0 + 8_000) })] });

let bridge: TestEngine;
afterEach(() => bridge.close());

/** Notes what it is asked about. */
function listener(hears: readonly TransitionKind[], kinds: Planner['reads']['kinds'] = new Set()) {
  const asked: string[] = [];
  const planner: Planner = {
    destination: 'test/listener',
    hears: new Set(hears),
    reads: { kinds, annotations: [] },
    plan: ({ kind }) => (asked.push(kind), null),
    wantsLogs: () => asked.push('wantsLogs') > 0,
    planDesired: ({ kind }) => (asked.push(kind), []),
    problems: () => (asked.push('problems'), []),
    retire: () => null,
  };
  return { planner, asked };
}

it('a planner is asked about the transitions and objects that it named, and nothing else', () => {
  const { planner, asked } = listener(['run.ended']);
  bridge = new TestEngine({ planners: [planner] });
  bridge.take([seen(CRON), seen(failedPod()), seen(scheduled()), seen(complete())]);
  expect(asked).toEqual(['run.ended']);
});

it('a planner that hears of logs says whose, and one that reads CronJobs hears of each', () => {
  const { planner, asked } = listener(['run.logs'], new Set(['CronJob']));
  bridge = new TestEngine({ planners: [planner] });
  bridge.take([seen(CRON), seen(failedPod()), seen(scheduled())]);
  expect(asked).toEqual(['CronJob', 'problems', 'wantsLogs']);
});

it('no decision stays open for a destination that never hears of it', () => {
  const { planner } = listener(['container.terminated']);
  bridge = new TestEngine({ planners: [planner] });
  bridge.take([seen(scheduled())]);
  bridge.tick(T0 + 3_600_000);
  expect(bridge.decisions()).toEqual([]);
});
