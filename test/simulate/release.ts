import type { Migration } from '../../bridge/store/sqlite/schema/migrations.ts';
import { MIGRATIONS } from '../../bridge/store/sqlite/schema/migrations.ts';

const RELEASED = [...MIGRATIONS];
const TABLES = RELEASED.flatMap(({ sql }) => [...sql.matchAll(/CREATE TABLE (\w+)/g)].map(([, table]) => table!));

/** What a later release adds to the store: a column of every table, a table, an index. Today's release must be able to go on with it. */
const LATER: Migration = {
  number: RELEASED.at(-1)!.number + 1,
  oldestReader: RELEASED.at(-1)!.number,
  sql: `${TABLES.map((table) => `ALTER TABLE ${table} ADD COLUMN later TEXT NOT NULL DEFAULT 'later';`).join('\n')}
CREATE TABLE later (uid TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX runs_later ON runs (later, uid);`,
};

/** The releases that the bridge is made of from its next start on. */
function release(migrations: readonly Migration[]): void {
  (MIGRATIONS as Migration[]).splice(0, Infinity, ...migrations);
}

/** The next start is that of a later release. */
export function upgrade(): void {
  release([...RELEASED, LATER]);
}

/** The next start is that of today's release, whatever became of the store. */
export function rollBack(): void {
  release(RELEASED);
}
