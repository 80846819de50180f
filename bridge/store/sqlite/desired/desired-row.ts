import { sha256Hex } from '../../../lib/ids.ts';
import { canonicalJson } from '../../../lib/json.ts';
import type { Instant } from '../../../lib/clock.ts';
import type { Json } from '../../../lib/json.ts';
import { nextAssertion } from './assertion.ts';
import type { Db } from '../db/db.ts';
import { SHOWN_MS } from './removals.ts';
import { parsed, readJson } from '../db/unreadable-rows.ts';

export interface DesiredColumns {
  readonly id: number;
  readonly destination: string;
  readonly key: string;
  readonly wanted: string;
  readonly wanted_hash: string;
  readonly retired: number;
  readonly attempts: number;
  readonly assert_every_ms: number | null;
}

/** Parameters: the destination, the key. */
export const ROW = `SELECT id, destination, key, wanted, wanted_hash, retired, attempts, assert_every_ms
  FROM desired WHERE destination = ? AND key = ?`;

const CHANGE = `UPDATE desired SET wanted = ?2, wanted_hash = ?3, retired = ?4, attempts = 0, refused = 0, reason = NULL,
    detail = NULL, next_at = ?5,
    not_in_sync_since = iif(accepted_hash IS ?3, NULL, coalesce(not_in_sync_since, ?5))
  WHERE id = ?1`;

/** One that is in sync is shown for its time once it is retired, and asserted as others when it no longer is. */
const RETIRED = `UPDATE desired SET retired = ?1, next_at = iif(not_in_sync_since IS NULL, ?2, next_at) WHERE id = ?3`;

/** What a row is to be, beside its payload. */
export interface RowRules {
  /** No live object claims it. */
  readonly retired?: true;
  /** Ms until the vendor should have nothing for it. */
  readonly removeAfterMs?: number | undefined;
  /** Ms between assertions; null: once accepted it is not sent again. */
  readonly assertEveryMs: number | null;
}

/** One desired row by its destination and key. */
export function desiredRow(db: Db, destination: string, key: string): DesiredColumns | undefined {
  return db.get<DesiredColumns>(ROW, destination, key);
}

/** Which row. */
export interface RowKey {
  readonly destination: string;
  readonly key: string;
}

/** Makes a row what is wanted now. */
export function putRow(db: Db, { destination, key }: RowKey, wanted: Json, rules: RowRules, at: Instant): void {
  const text = canonicalJson(wanted);
  const hash = sha256Hex(text);
  const row = desiredRow(db, destination, key);
  const retired = Number(rules.retired === true);
  if (row?.wanted_hash !== hash) db.work.desired(destination);
  if (row === undefined) insertRow(db, { destination, key }, text, hash, rules, at);
  else if (row.wanted_hash !== hash) db.run(CHANGE, row.id, text, hash, retired, at);
  else if (row.retired !== retired) retireRow(db, row, retired, at);
  const removeAt = rules.removeAfterMs === undefined ? null : at + rules.removeAfterMs;
  db.run(
    `UPDATE desired SET remove_at = ?1, assert_every_ms = ?4
     WHERE destination = ?2 AND key = ?3 AND (remove_at IS NOT ?1 OR assert_every_ms IS NOT ?4)`,
    removeAt,
    destination,
    key,
    rules.assertEveryMs,
  );
}

function insertRow(
  db: Db,
  { destination, key }: RowKey,
  text: string,
  hash: string,
  { retired, assertEveryMs }: RowRules,
  at: Instant,
): void {
  db.run('DELETE FROM former_rows WHERE destination = ? AND key = ?', destination, key);
  db.run(
    `INSERT INTO desired (destination, key, wanted, wanted_hash, retired, next_at, not_in_sync_since, assert_every_ms)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7)`,
    destination,
    key,
    text,
    hash,
    Number(retired === true),
    at,
    assertEveryMs,
  );
}

/** It stays as it is wanted, with (`1`) or without a live object that claims it. */
export function retireRow(db: Db, row: DesiredColumns, retired: number, at: Instant): void {
  db.run(RETIRED, retired, retired === 1 ? at + SHOWN_MS : nextAssertion(row, at), row.id);
}

/** What a row was that is forgotten: the vendor may have it still, as it was left. */
export function formerRow(db: Db, { destination, key }: RowKey): Json | undefined {
  const sql = 'SELECT wanted FROM former_rows WHERE destination = ? AND key = ?';
  const row = db.get<{ wanted: string }>(sql, destination, key);
  return row && parsed<Json>(row.wanted).value;
}

/** What a row wants; undefined for one that cannot be read. */
export function wantedOf(db: Db, row: DesiredColumns): Json | undefined {
  return readJson<Json>(db, { table: 'desired', column: 'id', value: row.id }, row.wanted, isAny);
}

const isAny = (): boolean => true;
