import type { CronJobFacts } from '../../kubernetes/observation.ts';
import type { TransitionKind } from '../../lifecycle/transition.ts';
import type { Json } from '../../lib/json.ts';
import { isJsonObject } from '../../lib/json.ts';
import { plainSchedule } from '../../kubernetes/plain-schedule.ts';
import { isInSelection } from '../selection.ts';
import type { AnnotationProblem, Desired, DesiredContext, Planner, Reads, RetireCause } from '../sink.ts';
import { isOfRun } from '../sink.ts';
import { annotationProblems, PREFIX } from './annotations.ts';
import type { CronitorPlanConfig } from './config.ts';
import { MAX_TEXT } from './limits.ts';
import { monitorKey, monitorPayload, selected } from './payload.ts';
import { heartbeatMonitor } from './plan-heartbeat.ts';
import { planLogs, wantsLogs } from './plan-logs.ts';
import { planRun } from './plan-run.ts';
import { podFilter } from './pod-filter.ts';
import { shorten } from './shorten.ts';

export const READS: Reads = { kinds: new Set(['CronJob']), annotations: [PREFIX] };

/** The pure half of `cronitor/<name>`: monitors from CronJobs, pings from the runs of their Jobs. */
export function createCronitorPlanner(name: string, config: CronitorPlanConfig): Planner {
  const rules = { ...config, matchesPod: podFilter(config.podFilter ?? '') };
  return {
    destination: `cronitor/${name}`,
    hears: heard(config),
    reads: READS,
    plan(transition, context) {
      if (!isOfRun(context)) return null;
      return transition.kind === 'run.logs'
        ? planLogs(transition, context, config)
        : planRun(transition, context, rules);
    },
    wantsLogs: (context) => wantsLogs(context, config),
    planOwn: () => (config.heartbeat === undefined ? [] : [heartbeatMonitor(config.heartbeat, config)]),
    planDesired: (object, context) => (object.kind === 'CronJob' ? planMonitor(object, context, config) : []),
    problems: (object) =>
      object.kind === 'CronJob' && isInSelection(object, config) ? problemsOf(object, config) : [],
    retire: (wanted, cause) => retiredMonitor(wanted, cause, config),
    ...(config.onDelete === 'delete' && { removeAfterMs: config.deleteAfter }),
    // The claim may be older than the pause, which another CronJob on this key asked for.
    adopt: (wanted, previous) =>
      isJsonObject(wanted) && mentionsPause(previous) ? { paused: false, ...wanted } : wanted,
  };
}

/** The annotations of its CronJob say whether a pod's start is reported. */
function heard({ stuck, shipLogs }: CronitorPlanConfig): ReadonlySet<TransitionKind> {
  return new Set<TransitionKind>([
    'run.started',
    'run.ended',
    'attempt.started',
    ...(stuck === 'fail' ? (['run.stuck'] as const) : []),
    ...(shipLogs ? (['run.logs'] as const) : []),
  ]);
}

/** What cannot be read of the annotations, and of the schedule of a CronJob that has a monitor. */
function problemsOf(cronJob: CronJobFacts, config: CronitorPlanConfig): AnnotationProblem[] {
  const { schedule, timeZone, doubt } = plainSchedule(cronJob.schedule, cronJob.timeZone);
  const problems = annotationProblems(cronJob);
  if (doubt === undefined || !selected(cronJob, config)) return problems;
  const problem = {
    annotation: 'spec.schedule',
    value: shorten(cronJob.schedule, MAX_TEXT),
    allowed: `a schedule that Kubernetes and Cronitor understand alike; ${doubt}`,
    used: shorten(`${schedule} in the time zone ${timeZone}`, MAX_TEXT),
  };
  return [...problems, problem];
}

function planMonitor(cronJob: CronJobFacts, context: DesiredContext, config: CronitorPlanConfig): Desired[] {
  if (!selected(cronJob, config)) return [];
  const { key, sticky } = monitorKey(cronJob, context.stickyKey, config);
  const payload = monitorPayload(cronJob, key, config);
  const paused = pausedField(cronJob, context.previous(key));
  return [{ key, wanted: { ...payload, ...paused }, sticky }];
}

/** `paused` is sent only from the first pause of ours on: what a person paused at the vendor stays paused. */
function pausedField(cronJob: CronJobFacts, previous: Json | undefined): { paused?: boolean } {
  if (cronJob.suspend) return { paused: true };
  return mentionsPause(previous) ? { paused: false } : {};
}

/** True for a monitor that we paused once; one that we deleted was paused before. */
function mentionsPause(wanted: Json | undefined): boolean {
  return wanted === null || (isJsonObject(wanted) && 'paused' in wanted);
}

function retiredMonitor(wanted: Json, cause: RetireCause, { onDelete }: CronitorPlanConfig): Json | null {
  if (!isJsonObject(wanted)) return wanted;
  // A heartbeat that nobody sends any more would alert for ever: onDelete is about monitors of CronJobs.
  const kept = cause === 'unclaimed' && onDelete === 'keep' && wanted['type'] !== 'heartbeat';
  return kept ? null : { ...wanted, paused: true };
}
