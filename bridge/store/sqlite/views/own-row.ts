import type { OwnRow } from '../../own-row.ts';
import { OWN_CLAIM } from '../../own-row.ts';
import type { Db } from '../db/db.ts';

const OWN = `SELECT key, first_accepted_at FROM claims JOIN desired USING (destination, key)
  WHERE destination = ? AND uid = ?`;

export function readOwnRow(db: Db, destination: string): OwnRow | undefined {
  const row = db.get<{ key: string; first_accepted_at: number | null }>(OWN, destination, OWN_CLAIM);
  return row && { key: row.key, accepted: row.first_accepted_at !== null };
}
