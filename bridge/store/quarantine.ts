import type { Instant } from '../lib/clock.ts';

/** A stored row that says nothing any more: its disk lost a bit. */
export const UNREADABLE_ROW = 'unreadable_row';

export interface Quarantined {
  /** `request` for undecodable bytes, the UID (or a hash) for a record: one row per subject. */
  readonly subject: string;
  readonly reason: 'undecodable' | 'not_kubernetes' | 'core_error' | typeof UNREADABLE_ROW;
  readonly version: string | undefined;
  readonly error: string;
  readonly bytes: Uint8Array;
  readonly at: Instant;
}

export interface QuarantineTx {
  put(row: Quarantined): void;
  /** What was in quarantine at this version or an older one could be processed after all. */
  release(uid: string, version: string): void;
  /** The version of an object that this release put into quarantine. */
  version(uid: string): string | undefined;
}
