import type { Reason } from '../../../lib/reasons.ts';
import { OWN_CLAIM } from '../../desired.ts';
import type { OwnRow } from '../../desired.ts';
import type { DesiredReads, DesiredView, ListQuery, Page } from '../../read.ts';
import { page, readCursor } from '../db/cursor.ts';
import type { Db } from '../db/db.ts';
import { readKeyRefusals } from '../desired/refusals.ts';
import { readLeftDestinations } from '../destinations/destinations.ts';
import { readRetirement } from '../outbox/retirements.ts';
import { readable } from './readable.ts';

interface DesiredViewColumns {
  readonly id: number;
  readonly destination: string;
  readonly key: string;
  readonly wanted: string;
  readonly not_in_sync_since: number | null;
  readonly first_accepted_at: number | null;
  readonly attempts: number;
  readonly reason: Reason | null;
  readonly detail: string | null;
  readonly remove_at: number | null;
  readonly claimed_for: string;
  readonly has_left: number;
}

/** With the names of the CronJobs on each key. */
const DESIRED = `SELECT desired.*, (
    SELECT json_group_array(name) FROM (
      SELECT DISTINCT of_rank, of_uid, coalesce(iif(kind = 'CronJob', '', kind || ' ') || objects.namespace || '/' ||
        objects.name, of_uid) AS name
      FROM claims LEFT JOIN objects ON objects.uid = of_uid
      WHERE claims.destination = desired.destination AND claims.key = desired.key ORDER BY of_rank, of_uid)) AS claimed_for,
    desired.destination IN (SELECT destination FROM left_destinations) AS has_left
  FROM desired`;

const OWN = `SELECT key, first_accepted_at FROM claims JOIN desired USING (destination, key)
  WHERE destination = ? AND uid = ?`;

/** `dryRuns`: destinations that send nothing. */
export function desiredReads(db: Db, dryRuns: ReadonlySet<string>): DesiredReads {
  return {
    desired: (query) => listDesired(db, query, dryRuns),
    ownRow: (destination) => readOwnRow(db, destination),
    retirement: () => db.snapshot(() => readRetirement(db)),
    keyRefusals: () => readKeyRefusals(db).filter(({ destination }) => !dryRuns.has(destination)),
    leftDestinations: () => readLeftDestinations(db),
  };
}

function listDesired(db: Db, query: ListQuery, dryRuns: ReadonlySet<string>): Page<DesiredView> {
  const [id] = readCursor(query.cursor, [Number.MAX_SAFE_INTEGER] as const);
  const rows = db.all<DesiredViewColumns>(`${DESIRED} WHERE id < ? ORDER BY id DESC LIMIT ?`, id, query.limit + 1);
  return page(
    rows,
    query,
    (row) => toDesiredView(row, dryRuns),
    (row) => [row.id],
  );
}

/** The rows that an object claims. */
export function claimedBy(db: Db, uid: string, dryRuns: ReadonlySet<string>): DesiredView[] {
  const claimed = 'SELECT destination, key FROM claims WHERE uid = ?';
  const sql = `${DESIRED} WHERE (destination, key) IN (${claimed}) ORDER BY destination, key`;
  return db.all<DesiredViewColumns>(sql, uid).map((row) => toDesiredView(row, dryRuns));
}

function readOwnRow(db: Db, destination: string): OwnRow | undefined {
  const row = db.get<{ key: string; first_accepted_at: number | null }>(OWN, destination, OWN_CLAIM);
  return row && { key: row.key, accepted: row.first_accepted_at !== null };
}

/** A dry run leaves its rows as they are, so that they are sent once it is over. */
function toDesiredView(row: DesiredViewColumns, dryRuns: ReadonlySet<string>): DesiredView {
  const view = toView(row);
  return dryRuns.has(row.destination) && !view.inSync ? { ...view, reason: 'dry_run' } : view;
}

function toView(row: DesiredViewColumns): DesiredView {
  const { destination, key, attempts } = row;
  return {
    destination,
    key,
    attempts,
    wanted: readable(row.wanted),
    inSync: row.not_in_sync_since === null,
    notInSyncSince: row.not_in_sync_since ?? undefined,
    firstAcceptedAt: row.first_accepted_at ?? undefined,
    reason: row.has_left === 1 ? 'destination_removed' : (row.reason ?? undefined),
    detail: row.detail ?? undefined,
    removeAt: row.remove_at ?? undefined,
    objects: JSON.parse(row.claimed_for) as string[],
  };
}
