import type { EndedRun } from '../lifecycle/ended-run.ts';
import type { Transition } from '../lifecycle/transition.ts';
import type { Instant } from '../lib/clock.ts';
import type { Reason } from '../lib/reasons.ts';
import type { Intent } from '../sinks/sink.ts';

/** The decision on one transition for one destination: planned, or not sent and why. */
export interface Decision {
  readonly transitionId: string;
  readonly destination: string;
  readonly verdict: 'planned' | 'waiting' | 'dropped';
  readonly reason: Reason | undefined;
  readonly detail: string | undefined;
  readonly at: Instant;
}

/** A decision that a transition is not reported to a destination. */
export interface Dropped {
  readonly destination: string;
  readonly reason: Reason;
}

/** What happened, what was decided on it for each destination, and what is to be sent. */
export interface TimelineTx {
  /** False when the transition is known already: nothing is written. */
  add(transition: Transition, recordedAt: Instant): boolean;
  /** Counts, with the commit, a run that is over. */
  ended(run: EndedRun): void;
  /** What is recorded under these ids, in the order in which it was. */
  recorded(ids: readonly string[]): Transition[];
  /** What is recorded of a run, in the order of its times. */
  ofRun(runUid: string): Transition[];
  /** What is recorded of a run is that of another one. */
  move(fromRun: string, toRun: string): void;
  /** Replaces a decision that waits, or that was taken while no CronJob was known; any other stays as it is. */
  decide(decision: Decision): void;
  /** Takes back a decision that waits, to take it again; false when none does. */
  takeBack(transitionId: string, destination: string): boolean;
  decision(transitionId: string, destination: string): Decision | undefined;
  /** False when the key is known already: nothing is written. */
  enqueue(destination: string, transitionId: string, intent: Intent, at: Instant): boolean;
}
