import { expect, it } from 'vitest';
import type { Run, TransitionKind } from '../../lifecycle/transition.ts';
import type { PlanContext, Planned } from '../sink.ts';
import { otlpSchema } from './config.ts';
import { JOB_UID, rollout, run, transition } from './fixtures.ts';
import { createOtlpPlanner } from './plan.ts';

function plan(kind: TransitionKind, of: Run, settings: object = {}): Planned {
  const config = otlpSchema.parse({ endpoint: 'http://x:4317', ...settings });
  const planner = createOtlpPlanner('x', config);
  if (!planner.hears.has(kind)) return null;
  const nothing = { owners: () => [], object: () => undefined };
  return planner.plan(transition({ kind }), { run: of, ...nothing } as unknown as PlanContext);
}

it.each(['run.progressing', 'run.stuck', 'run.unstuck'] as const)(
  'at %s what is over of a rollout is sent, in the lane of its trace; of a Job nothing',
  (kind) => {
    expect(plan(kind, rollout())).toMatchObject({
      intents: [{ lane: JOB_UID, payload: { milestone: { after: null } }, story: JOB_UID }],
    });
    expect(plan(kind, run())).toBeNull();
    expect(plan(kind, rollout(), { traces: false, podLogs: true })).toBeNull();
  },
);
