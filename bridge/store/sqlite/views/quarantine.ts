import type { QuarantineView } from '../../read.ts';
import type { Db } from '../db/db.ts';

/** How many of a row's bytes are read: a person looks at them. */
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
