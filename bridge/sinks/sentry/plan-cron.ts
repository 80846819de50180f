import type { CronJobFacts } from '../../kubernetes/observation.ts';
import type { Transition, TransitionKind } from '../../lifecycle/transition.ts';
import type { Json } from '../../lib/json.ts';
import type { AnnotationProblem, Desired, DesiredContext, PlanContext, Planned, RetireCause } from '../sink.ts';
import type { SentryRules } from './rules.ts';

export function cronHears(_rules: SentryRules): readonly TransitionKind[] {
  return [];
}

/** Check-ins of the runs of CronJobs. */
export function planCron(_transition: Transition, _context: PlanContext, _rules: SentryRules): Planned {
  return null;
}

/** The monitor of a CronJob, where the API may be asked. */
export function planMonitor(_cronJob: CronJobFacts, _context: DesiredContext, _rules: SentryRules): readonly Desired[] {
  return [];
}

/** What a monitor becomes that is wanted no more. */
export function retireMonitor(wanted: Json, _cause: RetireCause, _rules: SentryRules): Json | null {
  return wanted;
}

/** What the annotations and the schedule of a CronJob say that Sentry does not do. */
export function cronProblems(_cronJob: CronJobFacts, _rules: SentryRules): AnnotationProblem[] {
  return [];
}
