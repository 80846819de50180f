import type { Instant } from '../lib/clock.ts';
import type { Json } from '../lib/json.ts';
import type { FORGET, RetireCause } from '../sinks/sink.ts';

/** What a sink makes of a row with, or without, live claims. */
export interface DesiredRules {
  readonly retire: (wanted: Json, cause: RetireCause) => Json | null | typeof FORGET;
  readonly adopt?: (wanted: Json, previous: Json) => Json;
  /** Ms after which a row without claim is wanted as null: the vendor should have nothing. */
  readonly removeAfterMs?: number | undefined;
  /** Whose payload counts of several live claims; default that of the object that was created first. */
  readonly elect?: 'oldest' | 'newest' | undefined;
  /** Ms between assertions of a row that was accepted; default a day. */
  readonly assertEveryMs?: number | 'never' | undefined;
}

/** Who claims rows. */
export interface Claimant {
  readonly destination: string;
  readonly uid: string;
  readonly createdAt: Instant;
  /** False once the object is deleted. */
  readonly alive: boolean;
}
