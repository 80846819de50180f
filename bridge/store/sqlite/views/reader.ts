import type { ReadStore } from '../../read.ts';
import type { Db } from '../db/db.ts';
import { usedBytes } from '../housekeeping/retention.ts';
import { cronJobReads } from './cron-jobs.ts';
import { outboxReads } from './deliveries.ts';
import { desiredReads } from './desired.ts';
import { dropReads } from './drops.ts';
import { journalReads } from './journals.ts';
import { kept } from './kept.ts';
import { runReads } from './runs.ts';

/** Reads over a connection that only reads. `dryRuns`: destinations that send nothing. */
export function readStore(db: Db, dryRuns: readonly string[]): ReadStore {
  const sendsNothing = new Set(dryRuns);
  const reads = {
    ...runReads(db),
    ...outboxReads(db, sendsNothing),
    ...desiredReads(db, sendsNothing),
    ...journalReads(db),
    ...dropReads(db),
    ...cronJobReads(db, sendsNothing),
    usedBytes: () => db.snapshot(() => usedBytes(db)),
  };
  return {
    ...reads,
    ...kept(db, reads),
    close: () => db.close(),
  };
}
