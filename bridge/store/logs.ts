import type { LogEnd, LogOutcome, RunLog } from '../lifecycle/logs.ts';
import type { Instant } from '../lib/clock.ts';

/** A log that is still to be read. */
export interface WantedLog extends LogEnd {
  readonly id: number;
  readonly wantedAt: Instant;
  /** Tries so far. */
  readonly attempts: number;
}

/** What reading a log gave: its tail (gzip of UTF-8) or why there is none, or that it is to be tried again. */
export type LogResult =
  | {
      readonly id: number;
      readonly outcome: Exclude<LogOutcome, 'log_limit' | 'log_expired'>;
      readonly detail?: string;
      readonly text?: Uint8Array;
      /** Of the text. */
      readonly bytes?: number;
      readonly cut?: boolean;
    }
  | { readonly id: number; readonly outcome: 'retry'; readonly delayMs: number; readonly detail: string };

export interface LogLimits {
  /** Of all tails of a run, before compression: beyond it those of containers that succeeded are removed first, then the oldest. */
  readonly maxRunBytes: number;
  /** Of all tails in the store, compressed: beyond it the oldest go. */
  readonly maxStoredBytes: number;
}

/** The side of the store that logs are read for. */
export interface LogStore {
  /** Up to `limit` logs that are to be read now, but those of `reading`. */
  wantedLogs(limit: number, now: Instant, reading: readonly number[]): WantedLog[];
  settleLogs(results: readonly LogResult[], limits: LogLimits, now: Instant): void;
}

export interface LogTx {
  /** Once per pod, container and instance. */
  want(end: LogEnd, now: Instant): void;
  /** The logs of a run by their ends. */
  ofRun(runUid: string): RunLog[];
  /** When the first log of a run was wanted that is not read yet. */
  waitingSince(runUid: string): Instant | undefined;
  /** What is not read yet will not be. */
  giveUp(runUid: string, detail: string, now: Instant): void;
}
