import type { Attempt, Outcome, Run, Transition } from '../lifecycle/transition.ts';
import type { Json } from '../lib/json.ts';

/** What is remembered of a run beside its object. */
export interface RunMemory {
  /** Per destination, what its sink asked to be given back (the key its start used). */
  readonly memos: Readonly<Record<string, Json>>;
  /** Transition ids that are not planned yet, oldest first, and why. */
  readonly waiting: readonly Transition[];
  readonly waitingFor: 'owner' | 'pods' | undefined;
  /** The outcome with which the run settled. */
  readonly settledAs?: Outcome;
}

export interface RunRow {
  readonly run: Run;
  readonly memory: RunMemory;
}

/** Runs with their attempts. */
export interface RunsTx {
  get(uid: string): RunRow | undefined;
  put(row: RunRow): void;
  /** Runs whose transitions wait for this owner to be seen. */
  waitingForOwner(ownerUid: string): RunRow[];
  /** UID that holds a run key; claims it for `uid` when no other does. */
  claimKey(runKey: string, uid: string): string;
  /** UID that holds a run key, if any. */
  keyHolder(runKey: string): string | undefined;
  putAttempt(runUid: string, attempt: Attempt): void;
  /** The pods of a run as far as they were seen, by start; with `podUid` that one at most. */
  attempts(runUid: string, podUid?: string): Attempt[];
}
