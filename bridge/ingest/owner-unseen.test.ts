import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { condition, seen, T0 } from '../../test/fixtures/facts.ts';
import { runText } from '../commands/run-text.ts';
import { annotated, complete, CRON, JOB_UID, scheduled, TestEngine } from './test-engine.ts';

const MINUTE = 60_000;
let bridge: TestEngine;
beforeEach(() => (bridge = new TestEngine()));
afterEach(() => bridge.close());

const unseen = (count: number) =>
  bridge.reader.dropCounts().filter((row) => row.reason === 'owner_unseen' && row.count === count);

describe('a run whose CronJob is not seen', () => {
  it('waits for it for 15 minutes, over a restart, and then has a reason', () => {
    bridge.take([seen(scheduled()), seen(complete())], T0 + MINUTE);
    bridge.restart();
    bridge.tick(T0 + 15 * MINUTE);
    expect(bridge.decisions()).toEqual(['waiting owner_unknown', 'waiting owner_unknown']);
    bridge.tick(T0 + 17 * MINUTE);
    expect(bridge.decisions()).toEqual(['dropped owner_unseen', 'dropped owner_unseen']);
    expect(unseen(2)).toHaveLength(1);
    expect(bridge.pings()).toEqual([]);
    expect(runText(bridge.reader.run(JOB_UID)!)).toContain(`CronJob shop/${CRON.name} with the UID ${CRON.uid}`);
  });

  it('is reported once, and everything of it, when the CronJob comes after all', () => {
    bridge.take([seen(scheduled())], T0 + MINUTE);
    bridge.tick(T0 + 17 * MINUTE);
    bridge.restart();
    bridge.take([seen(complete())], T0 + 20 * MINUTE);
    expect(bridge.decisions()).toEqual(['dropped owner_unseen', 'waiting owner_unknown']);
    bridge.take([seen(CRON)], T0 + 40 * MINUTE);
    bridge.take([seen(CRON), seen(complete())], T0 + 41 * MINUTE);
    bridge.tick(T0 + 60 * MINUTE);
    expect(bridge.reported()).toEqual(['run@1', 'complete@9']);
    expect(bridge.decisions()).toEqual(['planned', 'planned']);
    expect(bridge.reader.dropCounts()).toEqual([]);
  });

  it('is not reported at all when that excludes it', () => {
    bridge.take([seen(scheduled())], T0 + MINUTE);
    bridge.tick(T0 + 17 * MINUTE);
    bridge.take([seen(annotated({ exclude: 'true' }))], T0 + 40 * MINUTE);
    expect(bridge.decisions()).toEqual(['dropped not_selected']);
  });

  it('and that fails and is deleted has a reason for its end as well', () => {
    const end = { resourceVersion: '120', conditions: [condition('Failed', T0 + 9_000)], failed: 1 };
    bridge.take([seen(scheduled()), seen(scheduled({ ...end, deletionAt: T0 + 10_000 }), true)], T0 + MINUTE);
    bridge.tick(T0 + 17 * MINUTE);
    expect(bridge.decisions()).toEqual(['dropped owner_unseen', 'dropped owner_unseen']);
  });
});
