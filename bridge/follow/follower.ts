import type { Facts, Observation } from '../kubernetes/observation.ts';
import type { ObjectRow } from '../store/objects.ts';
import type { Turn } from '../turn/turn.ts';

/** What follows from objects of one kind. Each call is a part of one transaction. */
export interface Follower<F extends Facts> {
  /** Takes in a record. */
  readonly observe: (turn: Turn, observation: Observation & { readonly facts: F }) => void;
  /** The object was missing from two LISTs in a row, and its row says so already. */
  readonly gone: (turn: Turn, row: ObjectRow) => void;
  /** The time is over in which the ending of one that is gone, or is being deleted, could still come. */
  readonly settleGone?: (turn: Turn, row: ObjectRow) => void;
  /** What is wanted for a live object: the configuration may be another one than that of the last start. */
  readonly plan: (turn: Turn, row: ObjectRow) => void;
  /** Whether that is due at each start, and not only where a destination reads such objects, or did at the last start. */
  readonly plansAlways?: true;
}
