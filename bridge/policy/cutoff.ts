import type { Run, Transition } from '../lifecycle/transition.ts';
import type { Instant } from '../lib/clock.ts';
import type { Reason } from '../lib/reasons.ts';

export interface CutoffRule {
  /** What happened before it is recorded, not announced. Stored once per destination. */
  readonly cutoff: Instant;
  /** Whether the start of a run that began before the cut-off and was still running then is announced. */
  readonly running: 'announce' | 'suppress';
  /** Up to then a store that was lost reported everything, the starts of runs that go on too. */
  readonly reportedUntil?: Instant | undefined;
}

/**
 * Why a transition is not announced, or undefined. An ending before the cut-off is announced all the same when the
 * start was: the Collector's queue may bring an old run's start before its end, and a run must not stay open.
 */
export function cutoffReason(
  transition: Transition,
  run: Run | undefined,
  startWasPlanned: boolean,
  { cutoff, running, reportedUntil = -Infinity }: CutoffRule,
): Reason | undefined {
  if (transition.at < reportedUntil) return 'before_cutoff';
  if (transition.at >= cutoff) return undefined;
  if (transition.kind === 'run.started' && run !== undefined) {
    if (run.endedAt !== undefined && run.endedAt < cutoff) return 'before_cutoff';
    return running === 'suppress' ? 'running_suppressed' : undefined;
  }
  return startWasPlanned ? undefined : 'before_cutoff';
}
