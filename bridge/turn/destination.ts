import type { CutoffRule } from '../policy/cutoff.ts';
import type { Kind } from '../kubernetes/observation.ts';
import type { Run, TransitionKind } from '../lifecycle/transition.ts';
import type { GuardedPlanner } from './guarded-planner.ts';

/** What the ingest needs to know of the configuration: one entry per destination. */
export interface Destination {
  readonly planner: GuardedPlanner;
  readonly rule: CutoffRule;
  /** Whether a run that is gone and whose ending is not known is announced as failed; default none. */
  readonly onUnknown?: 'none' | 'fail';
  /** Whether the logs that it wants are read; default true. */
  readonly readsLogs?: boolean;
}

/** Whether a destination plans desired state of objects of a kind, and finds problems with them. */
export function reads({ planner }: Pick<Destination, 'planner'>, kind: Kind): boolean {
  return planner.reads.kinds.has(kind);
}

/** Whether a destination hears of such transitions of a run: of a rollout only if it reads the kind of the workload. */
export function hears(to: Destination, kind: TransitionKind, run: Run): boolean {
  return to.planner.hears.has(kind) && (run.revision === undefined || reads(to, run.kind));
}
