import type { KeepsAnnotation } from './annotations.ts';
import type { KubeObject } from './fields.ts';
import type { ObjectFacts } from './object-facts.ts';
import type { FieldsPlan } from './plan.ts';

/** What a kind is: one file of `kinds/` each, one line of `kinds.ts`. */
export interface KindSpec<F extends ObjectFacts> {
  /** Under which its LIST and its watch give it. */
  readonly apiVersion: string;
  /** Another API version of the same stored objects, as a Collector may watch it. */
  readonly alsoAs?: string;
  /** Its name in a path, such as `cronjobs`. */
  readonly resource: string;
  readonly namespaced: boolean;
  /** What the reader reads beside kind, apiVersion and the metadata of every object; of `metadata`, what it reads more. */
  readonly plan: FieldsPlan;
  /**
   * Facts of an object of this kind. Never throws: what a field cannot hold is as if it were absent. `keeps`: which
   * annotations stay in the facts; without it those that readers need.
   */
  readonly read: (object: KubeObject, keeps?: KeepsAnnotation) => F;
  /** Raise it when the reader keeps more than before: the audit reads rows of this kind with an older number again. */
  readonly schema: number;
  /** It may have existed for a year when it is seen first, so that an old one is not late (follow/late-records.ts). */
  readonly longLived: boolean;
  /** Whether the audit LISTs it; Events come and go by themselves. */
  readonly audit: 'full' | 'none';
}
