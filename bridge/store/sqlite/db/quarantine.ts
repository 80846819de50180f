import { redact } from '../../../kubernetes/redact.ts';
import { VERSION } from '../../../lib/version.ts';
import type { Quarantined, QuarantineTx } from '../../quarantine.ts';
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

/** What could not be processed. The caller holds the transaction. */
export class Quarantine implements QuarantineTx {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  put(row: Quarantined): void {
    putQuarantined(this.#db, row);
  }

  release(uid: string, version: string): void {
    const sql = 'DELETE FROM quarantine WHERE subject = ? AND (length(version), version) <= (length(?), ?)';
    this.#db.run(sql, uid, version, version);
  }

  /** What another release could not process is tried again. */
  version(uid: string): string | undefined {
    const sql = 'SELECT version FROM quarantine WHERE subject = ? AND release = ?';
    return this.#db.get<{ version: string | null }>(sql, uid, VERSION)?.version ?? undefined;
  }
}
