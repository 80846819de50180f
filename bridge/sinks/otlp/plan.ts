import type { Facts } from '../../kubernetes/observation.ts';
import { isInSelection } from '../selection.ts';
import type { PlanContext, Planner, Reads } from '../sink.ts';
import { isOfRun } from '../sink.ts';
import type { OtlpConfig } from './config.ts';

/** Where somebody who makes a Job says from which span it comes: a link of the run's trace. */
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

/** A trace for each run, once nothing more of it is expected; the journal needs no plan. */
export function createOtlpPlanner(name: string, config: OtlpConfig): Planner {
  return {
    destination: `opentelemetry/${name}`,
    hears: new Set(config.traces || config.podLogs ? ['run.settled'] : []),
    reads: READS,
    plan({ id }, context) {
      if (!isOfRun(context)) return null;
      if (!isSelected(context, config)) return { drop: 'not_selected' };
      const { uid } = context.run;
      return { intents: [{ key: id, lane: uid, payload: { run: uid }, limits: [], story: uid }] };
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
