import type { Facts } from '../../kubernetes/observation.ts';
import type { TransitionKind } from '../../lifecycle/transition.ts';
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
const MILESTONES: ReadonlySet<TransitionKind> = new Set(['run.progressing', 'run.stuck', 'run.unstuck']);

/** A trace for each run, once nothing more of it is expected, and what of a rollout is over before; the journal needs no plan. */
export function createOtlpPlanner(name: string, config: OtlpConfig): Planner {
  return {
    destination: `opentelemetry/${name}`,
    hears: new Set<TransitionKind>([
      ...(config.traces || config.podLogs ? ['run.settled' as const] : []),
      ...(config.traces ? MILESTONES : []),
    ]),
    reads: READS,
    plan({ id, kind }, context) {
      if (!isOfRun(context)) return null;
      const { uid, revision } = context.run;
      const isMilestone = MILESTONES.has(kind);
      if (isMilestone && revision === undefined) return null;
      // Why nothing is sent is recorded with the end of the run.
      if (!isSelected(context, config)) return isMilestone ? null : { drop: 'not_selected' };
      const payload = isMilestone ? { run: uid, milestone: true } : { run: uid };
      return { intents: [{ key: id, lane: uid, payload, limits: [], story: uid }] };
    },
    wantsLogs: ({ owners }) => config.podLogs && owners().every((owner) => isInSelection(owner, config)),
    planDesired: () => [],
    retire: () => null,
  };
}

/** By the nearest owner, as a destination that selects CronJobs does; of a run without one by its own object. */
function isSelected(context: PlanContext, config: OtlpConfig): boolean {
  const object: Facts | undefined = context.owners().at(-1) ?? context.object();
  return object === undefined || isInSelection(object, config);
}
