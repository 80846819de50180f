import type { Kind } from '../kubernetes/observation.ts';
import type { Instant } from '../lib/clock.ts';
import type { Reason } from '../lib/reasons.ts';

/** A record that was not taken. */
export interface Refused {
  readonly uid: string;
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
  readonly reason: Reason;
  readonly at: Instant;
}

/** An object that is remembered without its state. */
export interface Grave {
  readonly uid: string;
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
  readonly runKey?: string | undefined;
  readonly createdAt: Instant | undefined;
}
