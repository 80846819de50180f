import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { seen, T0 } from '../../test/fixtures/facts.ts';
import { planConfig } from '../sinks/cronitor/fixtures.ts';
import { createCronitorPlanner } from '../sinks/cronitor/plan.ts';
import { complete, CRON, scheduled, TestEngine } from './test-engine.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const planners = (name: string) => [createCronitorPlanner(name, planConfig())];
let bridge: TestEngine;
beforeEach(() => {
  bridge = new TestEngine({ planners: planners('default') });
  bridge.take([seen(CRON), seen(scheduled())]);
  bridge.restart(planners('defualt'), T0 + MINUTE);
});
afterEach(() => bridge.close());

/** States reported to the destination under its right name. */
const reported = (): string[] =>
  bridge
    .pings()
    .filter(({ destination }) => destination === 'cronitor/default')
    .map(({ state }) => state);

describe('a destination whose name was mistyped', () => {
  it('hears afterwards how the runs ended that it knows as started, once', () => {
    bridge.take([seen(complete())], T0 + 2 * MINUTE);
    expect(reported()).toEqual(['run']);
    bridge.restart(planners('default'), T0 + 10 * MINUTE);
    expect(reported()).toEqual(['run', 'complete']);
    bridge.restart(planners('default'), T0 + 11 * MINUTE);
    bridge.take([seen(complete())], T0 + 12 * MINUTE);
    expect(reported()).toEqual(['run', 'complete']);
    expect(new Set(bridge.decisions())).toEqual(new Set(['planned']));
  });

  it('hears of runs that came and went meanwhile', () => {
    const other = { uid: 'other', name: 'report-2', scheduledAt: T0 + MINUTE };
    bridge.take([seen(scheduled(other)), seen(complete(other))], T0 + 2 * MINUTE);
    bridge.restart(planners('default'), T0 + 10 * MINUTE);
    expect(reported()).toEqual(['run', 'run', 'complete']);
  });

  it('hears nothing of them when it is back after what waited was given up', () => {
    bridge.take([seen(complete())], T0 + 2 * MINUTE);
    bridge.restart(planners('default'), T0 + MINUTE + DAY);
    expect(reported()).toEqual(['run']);
  });

  it('pauses the monitor of a CronJob that was deleted meanwhile', () => {
    bridge.take([seen({ ...CRON, resourceVersion: '101' }, true)], T0 + 2 * MINUTE);
    const paused = () =>
      bridge.reader.desired({ limit: 10 }).items.find((row) => row.destination === 'cronitor/default')!;
    expect(paused().wanted).not.toHaveProperty('paused');
    bridge.restart(planners('default'), T0 + 10 * MINUTE);
    expect(paused().wanted).toMatchObject({ paused: true });
  });
});
