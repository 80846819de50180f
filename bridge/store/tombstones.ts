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
export interface Tombstone {
  readonly uid: string;
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
  readonly runKey?: string | undefined;
  readonly createdAt: Instant | undefined;
}

/** What is remembered of pruned objects, so that a late record reports nothing twice. */
export interface TombstonesTx {
  has(uid: string): boolean;
  put(tombstone: Tombstone, at: Instant): void;
  /** Newest creation time of what is remembered no more; -Infinity when nothing was forgotten yet. */
  forgottenUpTo(): Instant;
  /** Lists a record that was not taken; one row per object. */
  refuse(row: Refused): void;
}
