import type { Reason } from '../../../lib/reasons.ts';
import { DROP_KINDS } from '../../read.ts';
import type { DropCount, DropKind, DropReads, DropsQuery, DropView, Page } from '../../read.ts';
import { page, readCursor } from '../db/cursor.ts';
import type { Db } from '../db/db.ts';
import { countRefused } from '../housekeeping/tombstones.ts';
import { readQuarantined } from './quarantine.ts';

interface DropColumns {
  readonly at: number;
  readonly kind: DropView['kind'];
  readonly id: number;
  readonly subject: string;
  readonly destination: string | null;
  readonly run_uid: string | null;
  readonly reason: Reason;
  readonly detail: string | null;
}

/** Each source by its own index, newest first; of one instant by kind, then by row. `?5` is the reason, if one is asked for. */
const SOURCES: Readonly<Record<DropKind, (reason: string) => string>> = {
  decision: (reason) => `SELECT decisions.at, 'decision' AS kind, decisions.id, transition_id AS subject, destination,
     run_uid, reason, detail
   FROM decisions LEFT JOIN transitions ON transitions.id = transition_id
   WHERE verdict = 'dropped'${reason} AND decisions.at <= ?1 AND (decisions.at, 'decision', decisions.id) < (?1, ?2, ?3)
   ORDER BY decisions.at DESC, decisions.id DESC LIMIT ?4`,
  delivery: (reason) => `SELECT settled_at AS at, 'delivery' AS kind, intents.seq AS id, transition_id AS subject,
     destination, run_uid, reason, detail
   FROM intents LEFT JOIN transitions ON transitions.id = transition_id
   WHERE status = 'dropped'${reason} AND settled_at <= ?1 AND (settled_at, 'delivery', intents.seq) < (?1, ?2, ?3)
   ORDER BY settled_at DESC, intents.seq DESC LIMIT ?4`,
  journal: (
    reason,
  ) => `SELECT at, 'journal' AS kind, id, 'entries ' || from_seq || ' to ' || to_seq || ': ' || count AS subject,
     destination, NULL AS run_uid, reason, detail
   FROM journal_drops WHERE at <= ?1${reason} AND (at, 'journal', id) < (?1, ?2, ?3) ORDER BY at DESC, id DESC LIMIT ?4`,
  quarantine: (reason) => `SELECT at, 'quarantine' AS kind, id, subject, NULL AS destination, NULL AS run_uid, reason,
     error AS detail
   FROM quarantine WHERE at <= ?1${reason} AND (at, 'quarantine', id) < (?1, ?2, ?3) ORDER BY at DESC, id DESC LIMIT ?4`,
  record: (reason) => `SELECT at, 'record' AS kind, id, kind || ' ' || namespace || '/' || name AS subject,
     NULL AS destination, NULL AS run_uid, reason, 'UID ' || uid || ', ' || count || ' time(s)' AS detail
   FROM refused WHERE at <= ?1${reason} AND (at, 'record', id) < (?1, ?2, ?3) ORDER BY at DESC, id DESC LIMIT ?4`,
};

const COUNTS = `SELECT 'decision' AS kind, reason, count(*) AS count FROM decisions WHERE verdict = 'dropped' GROUP BY reason
  UNION ALL SELECT 'delivery', reason, count(*) FROM intents WHERE status = 'dropped' GROUP BY reason
  UNION ALL SELECT 'journal', reason, count(*) FROM journal_drops GROUP BY reason
  UNION ALL SELECT 'quarantine', reason, count(*) FROM quarantine GROUP BY reason
  UNION ALL SELECT 'record', reason, count(*) FROM refused GROUP BY reason
  ORDER BY count DESC, kind, reason`;

export function dropReads(db: Db): DropReads {
  return {
    drops: (query) => db.snapshot(() => readDrops(db, query)),
    dropCounts: () => db.snapshot(() => countDrops(db)),
    refusedCounts: () => countRefused(db),
    quarantined: (id) => readQuarantined(db, 'id', id),
    quarantinedObject: (uid) => readQuarantined(db, 'subject', uid),
  };
}

/** What was decided against, given up, or not understood, in one list. */
function readDrops(db: Db, query: DropsQuery): Page<DropView> {
  const position = readCursor(query.cursor, [Number.MAX_SAFE_INTEGER, '', 0] as const);
  const kinds = query.kind === undefined ? DROP_KINDS : [query.kind];
  const { reason } = query;
  const rows = kinds.flatMap((kind) =>
    reason === undefined
      ? db.all<DropColumns>(SOURCES[kind](''), ...position, query.limit + 1)
      : db.all<DropColumns>(SOURCES[kind](' AND reason = ?5'), ...position, query.limit + 1, reason),
  );
  return page(rows.toSorted(newestFirst), query, toDrop, (row) => [row.at, row.kind, row.id]);
}

function countDrops(db: Db): DropCount[] {
  return db.all<DropCount>(COUNTS).map(({ kind, reason, count }) => ({ kind, reason, count }));
}

function newestFirst(a: DropColumns, b: DropColumns): number {
  if (a.at !== b.at) return b.at - a.at;
  if (a.kind !== b.kind) return a.kind < b.kind ? 1 : -1;
  return b.id - a.id;
}

function toDrop({ at, kind, id, subject, destination, run_uid: runUid, reason, detail }: DropColumns): DropView {
  return {
    at,
    kind,
    id,
    subject,
    reason,
    destination: destination ?? undefined,
    runUid: runUid ?? undefined,
    detail: detail ?? undefined,
  };
}
