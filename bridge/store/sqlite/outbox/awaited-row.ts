import { sha256Hex } from '../../../lib/ids.ts';
import type { Db } from '../db/db.ts';

/** What a row wants, and its hash, when the vendor should have nothing. */
export const NOTHING = 'null';
export const NOTHING_HASH = sha256Hex(NOTHING);

/** True when the vendor has accepted the desired row once, or refuses it for good. */
export function isDecided(db: Db, destination: string, key: string): boolean {
  const sql =
    'SELECT first_accepted_at IS NOT NULL OR refused AS decided FROM desired WHERE destination = ? AND key = ?';
  return db.get<{ decided: number }>(sql, destination, key)?.decided === 1;
}

/** True when the vendor should have nothing under this key: telemetry would make it again. */
export function isRemoved(db: Db, destination: string, key: string): boolean {
  const sql = 'SELECT 1 FROM desired WHERE destination = ? AND key = ? AND wanted = ?';
  return db.get(sql, destination, key, NOTHING) !== undefined;
}
