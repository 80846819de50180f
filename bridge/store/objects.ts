import type { Kind } from '../kubernetes/observation.ts';
import type { Instant } from '../lib/clock.ts';

/** One followed object: what its reducer must remember. `state` is the reducer's own, facts included. */
export interface ObjectRow {
  readonly uid: string;
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
  readonly ownerUid: string | undefined;
  readonly version: string;
  readonly deleted: boolean;
  /** When a `deleted` one was found so; the first time that is written counts. Of a live one: since when it is unwatched. */
  readonly overAt?: Instant | undefined;
  /** Schema of the kind's facts (kubernetes/kinds.ts) as the bridge had it that read them; default this one's. */
  readonly factsSchema?: number;
  readonly state: object;
}

/** Objects, deleted ones included until retention removes them. */
export interface ObjectsTx {
  get(uid: string): ObjectRow | undefined;
  put(row: ObjectRow): void;
  /** A namespace by its name: the live one, else the one that was deleted last, for what outlives it in the stream. */
  namespace(name: string): ObjectRow | undefined;
  /** Objects of a kind whose controller is `ownerUid`, by UID. */
  children(ownerUid: string, kind: Kind): ObjectRow[];
}

export interface StoredVersion {
  readonly version: string;
  readonly deleted: boolean;
  readonly factsSchema: number;
}

export interface LiveObject {
  readonly row: number;
  readonly uid: string;
  readonly namespace: string;
  readonly version: string;
}

export interface LiveSum {
  readonly count: number;
  /** Another text once anything of the objects is another. */
  readonly text: string;
}

/** What the audit compares, without states. */
export interface VersionsTx {
  get(uid: string): StoredVersion | undefined;
  /** Up to `limit` live objects of a kind, of all namespaces or one; `row` of the last is the next call's `after`, 0 at first. */
  live(kind: Kind, after: number, limit: number, namespace?: string): LiveObject[];
  /** The live objects of a kind, of all namespaces or one, as a whole. */
  liveSum(kind: Kind, namespace?: string): LiveSum;
  /** The newest version of live objects of a kind; undefined when the store holds none of that kind, live or not. */
  newest(kind: Kind): string | undefined;
  /** What is live of a kind is not watched since then, or (undefined) is watched again. */
  setUnwatched(kind: Kind, since: Instant | undefined): void;
  /** Makes the versions of all objects of a kind unknown: they are older than any other. */
  forget(kind: Kind): void;
}
