import { UserError } from '../../../lib/errors.ts';
import type { Instant } from '../../../lib/clock.ts';
import { sha256Hex } from '../../../lib/ids.ts';
import type { Db } from '../db/db.ts';
import { foundation } from './0014-foundation.ts';

/** One step of the schema, never changed once it is published. Additive: a bridge with the schema `oldestReader` must still be able to use the result. */
export interface Migration {
  readonly number: number;
  readonly oldestReader: number;
  readonly sql: string;
}

/** In the order of their numbers. schema.sql shows what they make together. */
export const MIGRATIONS: readonly Migration[] = [foundation];

const KNOWN = `CREATE TABLE IF NOT EXISTS migrations (
  number INTEGER PRIMARY KEY, oldest_reader INTEGER NOT NULL, applied_at INTEGER NOT NULL, sql_hash TEXT NOT NULL)`;

/**
 * Brings the database up to the newest of `migrations`, all in one transaction: of several processes that start
 * at once the first does it and the others find it done. Throws a UserError when the database is too new, or was made
 * before the first release.
 */
export function migrate(db: Db, now: Instant, migrations: readonly Migration[] = MIGRATIONS): void {
  db.write(() => {
    db.exec(KNOWN);
    refuseOtherSchema(db, migrations);
    const applied = new Set(appliedIn(db).map(({ number }) => number));
    for (const { number, oldestReader, sql } of migrations) {
      if (applied.has(number)) continue;
      db.run(
        'INSERT INTO migrations (number, oldest_reader, applied_at, sql_hash) VALUES (?, ?, ?, ?)',
        number,
        oldestReader,
        now,
        sha256Hex(sql),
      );
      db.exec(sql);
    }
  });
}

/** Throws a UserError when the database was not brought up to this bridge's schema yet. */
export function refuseOlderStore(db: Db): void {
  if (appliedIn(db).some(({ number }) => number >= MIGRATIONS.at(-1)!.number)) return;
  throw new UserError(
    'the store was made by an older bridge',
    'start this bridge once: it brings the store up to date; or use the release that made it',
  );
}

/**
 * Throws a UserError when the database may only be opened by a newer bridge than this, or has a schema from before the
 * first release, which nothing brings up to date: a number below the first one, or another text under a number.
 */
export function refuseOtherSchema(db: Db, migrations: readonly Migration[] = MIGRATIONS): void {
  const applied = appliedIn(db);
  const hashes = new Map(migrations.map(({ number, sql }) => [number, sha256Hex(sql)]));
  const first = migrations[0]!.number;
  const isPublished = ({ number, sql_hash: hash }: Applied): boolean =>
    number >= first && (!hashes.has(number) || hash === hashes.get(number));
  if (!applied.every(isPublished)) {
    throw new UserError(
      `the store ${db.path} was made by a development version from before the first release`,
      'move the file away, with its -wal and -shm: the next start makes a new store, which takes cut-offs and keys from the small files beside it',
    );
  }
  const own = migrations.at(-1)!.number;
  const oldestReader = Math.max(0, ...applied.map((row) => row.oldest_reader));
  if (own >= oldestReader) return;
  throw new UserError(
    `the store needs a bridge with schema ${oldestReader} or newer, this one has schema ${own}`,
    'install the newer release again, or start with another store',
  );
}

interface Applied {
  readonly number: number;
  readonly oldest_reader: number;
  /** Undefined in a store from before the first release. */
  readonly sql_hash: string | undefined;
}

function appliedIn(db: Db): Applied[] {
  return db.all<Applied>('SELECT * FROM migrations ORDER BY number');
}
