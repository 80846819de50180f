import type { Transition, TransitionKind } from '../../lifecycle/transition.ts';
import type { PlanContext, Planned } from '../sink.ts';
import type { SentryRules } from './rules.ts';

export function eventHears(_rules: SentryRules): readonly TransitionKind[] {
  return [];
}

/** An issue from a Warning Event. */
export function planEvent(_transition: Transition, _context: PlanContext, _rules: SentryRules): Planned {
  return null;
}
