import type { Facts } from '../../kubernetes/observation.ts';
import type { Run, TransitionKind } from '../../lifecycle/transition.ts';
import type { Instant } from '../../lib/clock.ts';
import type { Json } from '../../lib/json.ts';
import { isInSelection } from '../selection.ts';
import type { PlanContext, Planner, Reads } from '../sink.ts';
import { isOfRun } from '../sink.ts';
import type { OtlpConfig } from './config.ts';

/** Where whoever makes a Job says from which span it comes: a link of the run's trace. */
export const TRACEPARENT = 'traceparent';

export const READS: Reads = {
  kinds: new Set([
    'CronJob',
    'Job',
    'Pod',
    'Deployment',
    'StatefulSet',
    'DaemonSet',
    'ReplicaSet',
    'ControllerRevision',
    'Event',
  ]),
  annotations: [TRACEPARENT],
};

/** Where the spans of a rollout so far are sent: one may take days, or never end. */
const MILESTONES: ReadonlySet<TransitionKind> = new Set(['run.active', 'run.progressing', 'run.stuck', 'run.unstuck']);

/** While nothing of that happens they are sent after these times of a rollout, then each time that it took twice as long. */
const MILESTONE_MINUTES = [10, 30, 60] as const;
const MINUTE = 60_000;

/** A trace for each run, once nothing more of it is expected, and what of a rollout is over before; the journal needs no plan. */
export function createOtlpPlanner(name: string, config: OtlpConfig): Planner {
  return {
    destination: `opentelemetry/${name}`,
    hears: new Set<TransitionKind>([
      ...(config.traces || config.podLogs ? ['run.settled' as const] : []),
      ...(config.traces ? (['run.started', ...MILESTONES] as const) : []),
    ]),
    reads: READS,
    reportsUnknown: true,
    plan({ id, kind, at }, context) {
      if (!isOfRun(context)) return null;
      const { uid, revision } = context.run;
      const isEarly = kind !== 'run.settled';
      if (isEarly && revision === undefined) return null;
      // Why nothing is sent is recorded with the end of the run.
      if (!isSelected(context, config)) return isEarly ? null : { drop: 'not_selected' };
      const isRegular = kind === 'run.started' || kind === 'run.active';
      const again = isRegular ? { again: nextMilestone(context.run, at) } : {};
      if (kind === 'run.started') return { intents: [], ...again };
      const intent = { key: id, lane: uid, limits: [], story: uid };
      if (!isEarly)
        return { intents: [{ ...intent, payload: { run: uid } }], ...(revision !== undefined && { memo: at }) };
      const milestone = milestoneAt(at, context.memo);
      return { intents: [{ ...intent, payload: { run: uid, milestone } }], memo: milestone.upTo, ...again };
    },
    wantsLogs: ({ owners }) => config.podLogs && owners().every((owner) => isInSelection(owner, config)),
    planDesired: () => [],
    retire: () => null,
  };
}

/** What ended in this time is sent at a milestone of a rollout: after the milestone before, or the last end. */
export type Milestone = { readonly after: Instant | null; readonly upTo: Instant };

/** `last`: how far the milestone before went. */
function milestoneAt(at: Instant, last: Json | undefined): Milestone {
  return typeof last === 'number' ? { after: last, upTo: Math.max(at, last) } : { after: null, upTo: at };
}

/** The first one after `now`. */
function nextMilestone({ startedAt }: Run, now: Instant): Instant {
  const began = startedAt ?? now;
  let after = MILESTONE_MINUTES.find((minutes) => began + minutes * MINUTE > now) ?? MILESTONE_MINUTES.at(-1)!;
  while (began + after * MINUTE <= now) after *= 2;
  return began + after * MINUTE;
}

/** By the nearest owner, as a destination that selects CronJobs does; of a run without one by its own object. */
function isSelected(context: PlanContext, config: OtlpConfig): boolean {
  const object: Facts | undefined = context.owners().at(-1) ?? context.object();
  return object === undefined || isInSelection(object, config);
}
