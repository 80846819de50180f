import type { Kind } from '../kubernetes/observation.ts';
import type { Instant } from '../lib/clock.ts';
import type { AnnotationProblem } from '../sinks/sink.ts';

/** Stands in place of an annotation where not the object but the bridge is at fault. */
export const PLANNER_ERROR = 'planner_error';

/** An annotation that cannot be read, and the destinations that say so with the same words. */
export interface Problem extends AnnotationProblem {
  readonly destinations: readonly string[];
}

export interface ProblemView extends Problem {
  readonly sinceAt: Instant;
}

/** What it is that has problems: any object that destinations read. */
export interface ProblemSubject {
  readonly kind: Kind;
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
}

/** A live object with annotations that cannot be read. */
export interface ObjectProblems extends ProblemSubject {
  readonly problems: readonly ProblemView[];
  /** When the Kubernetes Event about them was written last. */
  readonly eventAt: Instant | undefined;
  /** Why it could not be written. */
  readonly eventError: string | undefined;
}

/** A problem that was not there before. */
export interface FoundProblem extends Problem, ProblemSubject {}

export interface ProblemCount {
  readonly destination: string;
  readonly annotation: string;
  readonly count: number;
}

/** The problems of one object that a Kubernetes Event is to report. */
export interface DueEvent extends ProblemSubject {
  readonly problems: readonly Problem[];
  /** The same for the same set of problems of this object. */
  readonly setHash: string;
  /** Number of this try, from 1. */
  readonly attempt: number;
}

export interface SettledEvent {
  readonly uid: string;
  readonly setHash: string;
  /** Without it the Event is there. */
  readonly failed?: { readonly error: string; readonly delayMs: number };
}

/** The problems inside one transaction. */
export interface ProblemsTx {
  /** Replaces what is known of an object; an empty list forgets it. */
  set(object: ProblemSubject, problems: readonly Problem[], at: Instant): void;
  /** Forgets those of objects that are not alive: the row of one that could not be read went without a deletion. */
  forgetDead(): void;
}

/** Which Kubernetes Events are to be written. Every call is one durable commit. */
export interface ProblemStore {
  /** Those that are due, the longest due first. What was written is due again a day later: Kubernetes forgets Events. */
  dueEvents(limit: number, now: Instant): DueEvent[];
  settleEvents(results: readonly SettledEvent[], now: Instant): void;
}
