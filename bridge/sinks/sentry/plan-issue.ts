import type { Transition, TransitionKind } from '../../lifecycle/transition.ts';
import type { PlanContext, Planned } from '../sink.ts';
import type { SentryRules } from './rules.ts';

/** What issues are made of. */
export function issueHears(_rules: SentryRules): readonly TransitionKind[] {
  return [];
}

/** An issue from a failure that the status of an object shows. */
export function planIssue(_transition: Transition, _context: PlanContext, _rules: SentryRules): Planned {
  return null;
}
