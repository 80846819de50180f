import type { ReadStore } from '../../read.ts';
import type { Db } from '../db/db.ts';

/** What probes and scrapes read, 20 times a minute for ever. */
const ASKED_OFTEN = [
  'activeRuns',
  'cronJobCount',
  'depth',
  'journals',
  'keyRefusals',
  'leftDestinations',
  'problemCounts',
  'problemObjects',
  'receiptCounts',
  'refusedCounts',
  'retirement',
  'unjudgedCounts',
  'usedBytes',
] as const satisfies readonly (keyof ReadStore)[];

type AskedOften = (typeof ASKED_OFTEN)[number];

/** The same reads, which read again only when something was written since. For a connection that writes nothing itself. */
export function kept(db: Db, reads: Pick<ReadStore, AskedOften>): Pick<ReadStore, AskedOften> {
  const keep = <T>(read: () => T): (() => T) => {
    let last: { readonly version: number; readonly value: T } | undefined;
    return () => {
      // Before the value: one that is newer than its version is read once more, and never kept for too long.
      const version = db.dataVersion();
      if (last?.version !== version) last = { version, value: read() };
      return last.value;
    };
  };
  return Object.fromEntries(ASKED_OFTEN.map((name) => [name, keep<unknown>(reads[name])])) as typeof reads;
}
