import { UserError } from '../../../lib/errors.ts';
import type { Instant } from '../../../lib/clock.ts';
import type { Db } from '../db/db.ts';
import { foundation } from './0014-foundation.ts';

/** One step of the schema. Additive: a bridge with the schema `oldestReader` must still be able to use the result. */
export interface Migration {
  readonly number: number;
  readonly oldestReader: number;
  readonly sql: string;
}

/** In the order of their numbers. schema.sql shows what they make together. */
export const MIGRATIONS: readonly Migration[] = [foundation];

const KNOWN = `CREATE TABLE IF NOT EXISTS migrations (
  number INTEGER PRIMARY KEY, oldest_reader INTEGER NOT NULL, applied_at INTEGER NOT NULL)`;

/**
 * Brings the database up to the newest of `migrations`, all in one transaction: of several processes that start
 * at once the first does it and the others find it done. Throws a UserError when the database is too new, or older than
 * the first of them.
 */
export function migrate(db: Db, now: Instant, migrations: readonly Migration[] = MIGRATIONS): void {
  db.write(() => {
    db.exec(KNOWN);
    refuseOtherSchema(db, migrations);
    for (const { number, oldestReader, sql } of migrations) {
      if (db.run('INSERT OR IGNORE INTO migrations VALUES (?, ?, ?)', number, oldestReader, now) > 0) db.exec(sql);
    }
  });
}

/** Throws a UserError when the database was not brought up to this bridge's schema yet. */
export function refuseOlderStore(db: Db): void {
  const { number } = db.get<{ number: number }>('SELECT coalesce(max(number), 0) AS number FROM migrations')!;
  if (number >= MIGRATIONS.at(-1)!.number) return;
  throw new UserError(
    'the store was made by an older bridge',
    'start this bridge once: it brings the store up to date; or use the release that made it',
  );
}

/**
 * Throws a UserError when the database may only be opened by a newer bridge than this, or has a schema from before the
 * first release, which nothing brings up to date.
 */
export function refuseOtherSchema(db: Db, migrations: readonly Migration[] = MIGRATIONS): void {
  const { oldestReader, lowest, highest } = db.get<{ oldestReader: number; lowest: number | null; highest: number }>(
    'SELECT coalesce(max(oldest_reader), 0) AS oldestReader, min(number) AS lowest, max(number) AS highest FROM migrations',
  )!;
  if (lowest !== null && lowest < migrations[0]!.number) {
    throw new UserError(
      `the store ${db.path} was made by a development version from before the first release (schema ${highest})`,
      'move the file away, with its -wal and -shm: the next start makes a new store, which takes cut-offs and keys from the small files beside it',
    );
  }
  const own = migrations.at(-1)!.number;
  if (own >= oldestReader) return;
  throw new UserError(
    `the store needs a bridge with schema ${oldestReader} or newer, this one has schema ${own}`,
    'install the newer release again, or start with another store',
  );
}
