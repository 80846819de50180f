import { UserError } from '../../lib/errors.ts';
import type { Instant } from '../../lib/clock.ts';
import type { Db } from './db.ts';
import { foundation } from './migrations/0001-foundation.ts';
import { retention } from './migrations/0002-retention.ts';
import { operations } from './migrations/0003-operations.ts';
import { reread } from './migrations/0004-reread.ts';
import { annotationProblems } from './migrations/0005-annotation-problems.ts';
import { removals } from './migrations/0006-removals.ts';
import { logs } from './migrations/0007-logs.ts';
import { scale } from './migrations/0008-scale.ts';
import { runCounts } from './migrations/0009-run-counts.ts';
import { bounds } from './migrations/0010-bounds.ts';
import { redaction } from './migrations/0011-redaction.ts';
import { unjudged } from './migrations/0012-unjudged.ts';
import { claims } from './migrations/0013-claims.ts';

/** One step of the schema. Additive: a bridge with the schema `oldestReader` must still be able to use the result. */
export interface Migration {
  readonly number: number;
  readonly oldestReader: number;
  readonly sql: string;
  /** What SQL cannot do, after it and in the same transaction. */
  readonly work?: (db: Db) => void;
}

const MIGRATIONS: readonly Migration[] = [
  foundation,
  retention,
  operations,
  reread,
  annotationProblems,
  removals,
  logs,
  scale,
  runCounts,
  bounds,
  redaction,
  unjudged,
  claims,
];

const KNOWN = `CREATE TABLE IF NOT EXISTS migrations (
  number INTEGER PRIMARY KEY, oldest_reader INTEGER NOT NULL, applied_at INTEGER NOT NULL)`;

/**
 * Brings the database up to the newest of `migrations`, all in one transaction: of several processes that start
 * at once the first does it and the others find it done. Throws a UserError when the database is too new.
 */
export function migrate(db: Db, now: Instant, migrations: readonly Migration[] = MIGRATIONS): void {
  const added = db.write(() => {
    db.exec(KNOWN);
    refuseNewerStore(db, migrations);
    return migrations.filter(({ number, oldestReader, sql, work }) => {
      if (db.run('INSERT OR IGNORE INTO migrations VALUES (?, ?, ?)', number, oldestReader, now) === 0) return false;
      db.exec(sql);
      work?.(db);
      return true;
    });
  });
  // What a migration replaced is in the write-ahead log as well.
  if (added.some(({ work }) => work !== undefined)) db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
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

/** Throws a UserError when the database may only be opened by a newer bridge than this. */
export function refuseNewerStore(db: Db, migrations: readonly Migration[] = MIGRATIONS): void {
  const oldest = db.get<{ number: number }>('SELECT coalesce(max(oldest_reader), 0) AS number FROM migrations')!.number;
  const own = migrations.at(-1)?.number ?? 0;
  if (own >= oldest) return;
  throw new UserError(
    `the store needs a bridge with schema ${oldest} or newer, this one has schema ${own}`,
    'install the newer release again, or start with another store',
  );
}
