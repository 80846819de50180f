import type { Instant } from '../lib/clock.ts';
import type { Json } from '../lib/json.ts';
import type { ObjectRef } from '../lifecycle/transition.ts';
import type { Desired, FORGET, RetireCause } from '../sinks/sink.ts';

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

/** What an object claims, whole. */
export type Claim = Required<Omit<Desired, 'sticky'>>;

/** What an object is called, whichever of that name it is: a Deployment and a CronJob may have the same. */
export type ObjectName = Pick<ObjectRef, 'kind' | 'namespace' | 'name'>;

/** What objects want at vendors. */
export interface DesiredTx {
  /** What a row was last wanted to be, by anyone; also of one that is forgotten. */
  wanted(destination: string, key: string): Json | undefined;
  /**
   * Sets what one object claims at a destination (replacing its earlier claims) and recomputes the rows concerned: the
   * payload is that of the elected live claim, after `rules.adopt` has seen what the row was before, which another object
   * may have claimed; without a live one it is `rules.retire` of the last.
   */
  claim(claimant: Claimant, claims: readonly Desired[], rules: DesiredRules, at: Instant): void;
  /** What an object claims at a destination. One that cannot be read is left out. */
  claimsOf(destination: string, uid: string): readonly Claim[];
  /** Recomputes every row of a destination from its live claims, and retires the others: after a retirement. */
  recompute(destination: string, rules: DesiredRules, at: Instant): void;
  /** The first key that was seeded for an object of this kind and name. */
  stickyKey(destination: string, of: ObjectName): string | undefined;
  /** Keeps the first key; later calls change nothing. */
  setStickyKey(destination: string, of: ObjectName, key: string): void;
}

/** Who claims the rows that the bridge wants for itself; the page shows it in the place of a CronJob. */
export const OWN_CLAIM = 'lifecycle-bridge';

/** The row that a destination has for the bridge itself, and whether the vendor ever accepted it. */
export interface OwnRow {
  readonly key: string;
  readonly accepted: boolean;
}
