import { redact } from '../../../kubernetes/redact.ts';
import { VERSION } from '../../../lib/version.ts';
import type { QuarantineView } from '../../read.ts';
import type { Quarantined } from '../../store.ts';
import type { Db } from './db.ts';

const MAX_ROWS = 1000;
const MAX_BYTES = 64 * 1024 * 1024;
/** More than the largest object of a Kubernetes API (1.5 MiB), so that a record is kept whole. */
const MAX_ROW_BYTES = 2 * 1024 * 1024;

/** Keeps one row per subject, that of the highest version, and of all rows the newest within the bounds above. */
export function putQuarantined(db: Db, { subject, reason, version, error, bytes, at }: Quarantined): void {
  const kept = bytes.subarray(0, MAX_ROW_BYTES);
  // Versions compare as Kubernetes compares them: by length, then as text.
  db.run(
    `INSERT INTO quarantine (subject, reason, version, error, size, at, bytes, release) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (subject) DO UPDATE SET reason = excluded.reason, version = excluded.version, error = excluded.error,
       size = excluded.size, at = excluded.at, bytes = excluded.bytes, release = excluded.release
     WHERE excluded.version IS NULL OR quarantine.version IS NULL
       OR (length(excluded.version), excluded.version) >= (length(quarantine.version), quarantine.version)`,
    subject,
    reason,
    version ?? null,
    redact(error.slice(0, 4000)).slice(0, 1000),
    kept.length,
    at,
    kept,
    VERSION,
  );
  db.run(
    `DELETE FROM quarantine WHERE id IN (
       SELECT id FROM (
         SELECT id, row_number() OVER newest AS rows, sum(size) OVER newest AS bytes
         FROM quarantine WINDOW newest AS (ORDER BY at DESC, id DESC ROWS UNBOUNDED PRECEDING))
       WHERE rows > ? OR bytes > ?)`,
    MAX_ROWS,
    MAX_BYTES,
  );
}

/** The version of an object that this release could not process; what another one could not is tried again. */
export function quarantinedVersion(db: Db, uid: string): string | undefined {
  const row = db.get<{ version: string | null }>(
    'SELECT version FROM quarantine WHERE subject = ? AND release = ?',
    uid,
    VERSION,
  );
  return row?.version ?? undefined;
}

export function release(db: Db, uid: string, version: string): void {
  db.run(
    'DELETE FROM quarantine WHERE subject = ? AND (length(version), version) <= (length(?), ?)',
    uid,
    version,
    version,
  );
}

/** Of a row's bytes so many are read: a person looks at them. */
const VIEW_BYTES = 32 * 1024;

interface QuarantineColumns extends Omit<QuarantineView, 'version'> {
  readonly version: string | null;
}

export function readQuarantined(db: Db, column: 'id' | 'subject', value: number | string): QuarantineView | undefined {
  // A part of no bytes is NULL in SQLite.
  const row = db.get<QuarantineColumns>(
    `SELECT id, subject, reason, version, error, size, at, coalesce(substr(bytes, 1, ${VIEW_BYTES}), x'') AS bytes
     FROM quarantine WHERE ${column} = ?`,
    value,
  );
  return row && { ...row, version: row.version ?? undefined };
}
