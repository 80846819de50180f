import type { Instant } from '../lib/clock.ts';
import type { Json } from '../lib/json.ts';
import type { Reason } from '../lib/reasons.ts';

export type DeliveryStatus = 'pending' | 'sending' | 'delivered' | 'dropped';

/** One outbox row as people see it. */
export interface DeliveryView {
  readonly seq: number;
  readonly destination: string;
  readonly transitionId: string;
  readonly runUid: string | undefined;
  readonly lane: string;
  readonly payload: Json;
  readonly status: DeliveryStatus;
  readonly reason: Reason | undefined;
  readonly detail: string | undefined;
  readonly attempts: number;
  /** Tries whose outcome is unknown: the vendor may have seen them. */
  readonly unknownOutcomes: number;
  readonly createdAt: Instant;
  readonly nextAt: Instant | undefined;
  readonly settledAt: Instant | undefined;
  /** Answers to tries that did not settle it, by reason, in the order of their last. */
  readonly answers: readonly Answer[];
  /** When a person had it sent again, the oldest first. */
  readonly resends: readonly Resend[];
}

export interface Answer {
  readonly reason: Reason;
  /** Of the last one. */
  readonly detail?: string;
  readonly count: number;
  readonly lastAt: Instant;
}

export interface Resend {
  readonly at: Instant;
  readonly by: string;
  /** The receipt that it had before. */
  readonly wasStatus: 'delivered' | 'dropped';
  readonly wasReason?: Reason;
  readonly wasDetail?: string;
  readonly wasSettledAt: Instant;
}
