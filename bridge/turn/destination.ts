import type { CutoffRule } from '../policy/cutoff.ts';
import type { Kind } from '../kubernetes/observation.ts';
import type { GuardedPlanner } from './guarded-planner.ts';

/** What the ingest needs to know of the configuration: one entry per destination. */
export interface Destination {
  readonly planner: GuardedPlanner;
  readonly rule: CutoffRule;
  /** Whether a run that is gone and whose ending nothing tells is announced as failed; default none. */
  readonly onUnknown?: 'none' | 'fail';
  /** Whether somebody reads the logs that it wants; default true. */
  readonly readsLogs?: boolean;
}

/** Whether a destination plans desired state of objects of a kind, and finds problems with them. */
export function reads({ planner }: Pick<Destination, 'planner'>, kind: Kind): boolean {
  return planner.reads.kinds.has(kind);
}
