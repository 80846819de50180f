import type { EventFacts } from '../../../kubernetes/kinds/event.ts';
import type { Run, Transition } from '../../../lifecycle/transition.ts';
import type { Instant } from '../../../lib/clock.ts';
import type { Reason } from '../../../lib/reasons.ts';
import type { JournalEntry } from '../../../sinks/sink.ts';
import { UNREADABLE_ROW } from '../../quarantine.ts';
import type { Db } from '../db/db.ts';
import { parsed } from '../db/unreadable-rows.ts';

/** Of each source by its own index; `?2`: where it ends. A Warning is an entry as the Event that it is. */
const ENTRIES = `SELECT * FROM (
    SELECT seq, recorded_at AS recordedAt, transition AS text, NULL AS version, NULL AS at, NULL AS count,
      (SELECT run FROM runs WHERE runs.uid = run_uid) AS run FROM transitions
    WHERE seq > ?1 AND seq <= ?2 AND (NOT json_valid(transition) OR transition ->> '$.kind' <> 'event.warned')
    ORDER BY seq LIMIT ?3 + 0)
  UNION ALL SELECT * FROM (
    SELECT seq, taken_at, event, version, at, count, (SELECT run FROM runs WHERE runs.uid = coalesce(
      (SELECT run_uid FROM attempts WHERE pod_uid = about), about)) FROM events WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3 + 0)
  ORDER BY seq LIMIT ?3 + 0`;

interface EntryColumns {
  readonly seq: number;
  readonly recordedAt: number;
  readonly text: string;
  readonly version: string | null;
  readonly at: number | null;
  readonly count: number | null;
  readonly run: string | null;
}

/** SQL: up to this number, all that follow have settled everything. */
export const PASSED = 'coalesce((SELECT min(cursor) FROM journals), 9223372036854775807)';

/** An entry and when it was taken in, or why it is passed. */
export type ReadEntry = { readonly seq: number } & (
  | { readonly entry: JournalEntry; readonly recordedAt: Instant }
  | { readonly passed: Reason }
);

/** The entries after `cursor` up to `upTo`, `limit` at most, in their order. What happened before `cutoff` is passed. */
export function readEntries(db: Db, cursor: number, upTo: number, limit: number, cutoff: Instant): ReadEntry[] {
  return db.all<EntryColumns>(ENTRIES, cursor, upTo, limit).map((row): ReadEntry => {
    const entry = row.version === null ? transitionEntry(row) : eventEntry(row);
    if (entry === undefined) return { seq: row.seq, passed: UNREADABLE_ROW };
    const at = 'event' in entry ? (entry.event.lastAt ?? 0) : entry.transition.at;
    return at < cutoff
      ? { seq: row.seq, passed: 'before_cutoff' }
      : { seq: row.seq, entry, recordedAt: row.recordedAt };
  });
}

function transitionEntry({ seq, text, run }: EntryColumns): JournalEntry | undefined {
  const transition = parsed<Transition>(text, (value) => typeof value?.id === 'string').value;
  return transition && { seq, transition, run: readRun(run) };
}

function readRun(run: string | null): Run | undefined {
  return run === null ? undefined : parsed<Run>(run).value;
}

function eventEntry({ seq, text, version, at, count, run }: EntryColumns): JournalEntry | undefined {
  const event = parsed<EventFacts>(text, (value) => typeof value?.uid === 'string').value;
  if (event === undefined) return undefined;
  const known = { ...event, resourceVersion: version!, lastAt: at!, count: count! };
  return { seq, event: known, run: readRun(run) };
}

/** How many entries lie after `cursor` up to `upTo`. */
export function countEntries(db: Db, cursor: number, upTo: number): number {
  const sql = `SELECT (SELECT count(*) FROM transitions WHERE seq > ?1 AND seq <= ?2
      AND (NOT json_valid(transition) OR transition ->> '$.kind' <> 'event.warned'))
    + (SELECT count(*) FROM events WHERE seq > ?1 AND seq <= ?2) AS count`;
  return db.get<{ count: number }>(sql, cursor, upTo)!.count;
}
