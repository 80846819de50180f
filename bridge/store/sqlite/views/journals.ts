import type { Reason } from '../../../lib/reasons.ts';
import type { JournalReads, JournalView, RunJournal } from '../../journal.ts';
import type { Db } from '../db/db.ts';
import { countEntries } from '../journal/journal-entries.ts';

interface JournalViewColumns {
  readonly destination: string;
  readonly cursor: number;
  readonly attempts: number;
  readonly reason: Reason | null;
  readonly detail: string | null;
  readonly next_at: number;
  readonly exported_at: number | null;
  readonly oldest_at: number | null;
}

const JOURNALS = `SELECT journals.*,
    (SELECT recorded_at FROM transitions WHERE seq > cursor ORDER BY seq LIMIT 1) AS oldest_at
  FROM journals ORDER BY destination`;

/** Of those that still follow. */
const OF_RUN = `SELECT destination, reason, detail,
    (SELECT count(*) FROM transitions WHERE run_uid = ? AND seq > cursor) AS waiting
  FROM journals WHERE destination NOT IN (SELECT destination FROM left_destinations) ORDER BY destination`;

export function journalReads(db: Db): JournalReads {
  return {
    journals: () => db.snapshot(() => db.all<JournalViewColumns>(JOURNALS).map((row) => toView(db, row))),
  };
}

/** What of a run is not settled yet. */
export function journalsOfRun(db: Db, uid: string): RunJournal[] {
  const rows = db.all<Pick<JournalViewColumns, 'destination' | 'reason' | 'detail'> & { waiting: number }>(OF_RUN, uid);
  return rows.map(({ destination, waiting, reason, detail }) => {
    return { destination, waiting, reason: reason ?? undefined, detail: detail ?? undefined };
  });
}

function toView(db: Db, row: JournalViewColumns): JournalView {
  const { destination, cursor, attempts, reason } = row;
  return {
    destination,
    attempts,
    waiting: countEntries(db, cursor, Number.MAX_SAFE_INTEGER),
    oldestAt: row.oldest_at ?? undefined,
    exportedAt: row.exported_at ?? undefined,
    reason: reason ?? undefined,
    detail: row.detail ?? undefined,
    nextAt: reason === null ? undefined : row.next_at,
  };
}
