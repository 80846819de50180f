import { NEEDLESS } from '../../../lib/reasons.ts';
import type { OutboxDepth } from '../../read.ts';
import type { Db } from '../db/db.ts';

const DEPTH = `WITH
  waiting AS (SELECT destination, count(*) AS pending, min(created_at) AS oldest FROM intents
    WHERE settled_at IS NULL GROUP BY destination),
  unsynced AS (SELECT destination, count(*) AS rows FROM desired WHERE not_in_sync_since IS NOT NULL
    AND NOT (refused = 1 AND reason IN (SELECT value FROM json_each(?1))) AND destination NOT IN (SELECT destination FROM left_destinations) GROUP BY destination),
  known AS (SELECT destination FROM cutoffs UNION SELECT destination FROM waiting UNION SELECT destination FROM unsynced)
  SELECT destination, coalesce(pending, 0) AS pending, oldest, coalesce(rows, 0) AS not_in_sync
  FROM known LEFT JOIN waiting USING (destination) LEFT JOIN unsynced USING (destination) ORDER BY destination`;

const NEEDLESS_REASONS = JSON.stringify([...NEEDLESS]);

/** What waits per destination. Rows that need nothing, rows of `dryRuns`, which send nothing, and of destinations that left count as in sync. */
export function readDepth(db: Db, dryRuns: ReadonlySet<string>): OutboxDepth[] {
  const rows = db.all<{ destination: string; pending: number; oldest: number | null; not_in_sync: number }>(
    DEPTH,
    NEEDLESS_REASONS,
  );
  return rows.map(({ destination, pending, oldest, not_in_sync: notInSync }) => ({
    destination,
    pending,
    notInSync: dryRuns.has(destination) ? 0 : notInSync,
    oldestCreatedAt: oldest ?? undefined,
  }));
}
