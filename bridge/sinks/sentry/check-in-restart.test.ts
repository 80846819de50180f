import { afterEach, describe, expect, it } from 'vitest';
import { seen, T0 } from '../../../test/fixtures/facts.ts';
import { complete, CRON, JOB_UID, scheduled, TestEngine } from '../../ingest/test-engine.ts';
import type { CheckIn } from './check-in.ts';
import { rules } from './cron-fixtures.ts';
import { payloadSchema } from './payload.ts';
import { createSentryPlanner } from './plan.ts';

const HOUR = 3_600_000;
const planner = () => createSentryPlanner('default', rules({ issues: { enabled: false } }));

let bridge: TestEngine;
afterEach(() => bridge.close());

/** What happens to a run, in the states between which the bridge may be restarted. */
const STEPS: readonly (() => void)[] = [
  () => bridge.take([seen(CRON)]),
  () => bridge.take([seen(scheduled())]),
  () => bridge.tick(T0 + HOUR),
  () => bridge.take([seen(complete())]),
  () => bridge.take([seen(complete())]),
  () => bridge.tick(T0 + 2 * HOUR),
];

function checkIns(): CheckIn[] {
  const all: CheckIn[] = [];
  for (;;) {
    const next = bridge.store.claim('sentry/default', 10, T0 + 100 * HOUR, [], false, 1);
    if (next.length === 0) return all;
    for (const { payload } of next) {
      const parsed = payloadSchema.parse(payload);
      if (parsed.kind === 'check_in') all.push(parsed.checkIn);
    }
    bridge.store.settle(
      next.map(({ seq }) => ({ seq, delivery: { outcome: 'delivered' as const } })),
      T0,
    );
  }
}

describe('the check-in of a run', () => {
  it.each(STEPS.map((_, index) => index))(
    'is closed once, the one that was opened, by a restart after step %i',
    (at) => {
      bridge = new TestEngine({ planners: [planner()] });
      for (const [index, step] of STEPS.entries()) {
        step();
        if (index === at) bridge.restart([planner()]);
      }
      const sent = checkIns();
      expect(sent.map(({ status, again }) => (again === true ? 'again' : status))).toEqual([
        'in_progress',
        'again',
        'ok',
      ]);
      expect(new Set(sent.map(({ id }) => id)).size).toBe(1);
      expect(sent[0]!.traceId).toBe(JOB_UID.replaceAll('-', ''));
    },
  );

  it('is closed by a bridge that was away all the time of the run', () => {
    bridge = new TestEngine({ planners: [planner()] });
    bridge.take([seen(CRON)]);
    bridge.restart([planner()]);
    bridge.take([seen(scheduled()), seen(complete())], T0 + HOUR);
    const sent = checkIns();
    expect(sent.at(-1)).toMatchObject({ status: 'ok', duration: expect.any(Number) });
    expect(new Set(sent.map(({ id }) => id)).size).toBe(1);
  });
});
