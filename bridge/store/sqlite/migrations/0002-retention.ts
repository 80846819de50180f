/**
 * What is left of pruned objects, and records that were refused for being older than that memory. No index on the
 * tables of 0001: retention walks them, so that a record costs no write more than before.
 */
export const retention = {
  number: 2,
  oldestReader: 1,
  sql: `
CREATE TABLE tombstones (
  id INTEGER PRIMARY KEY AUTOINCREMENT, uid TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, namespace TEXT NOT NULL,
  name TEXT NOT NULL, run_key TEXT, created_at INTEGER, pruned_at INTEGER NOT NULL, announced TEXT NOT NULL);
CREATE TABLE refused (
  id INTEGER PRIMARY KEY AUTOINCREMENT, uid TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, namespace TEXT NOT NULL,
  name TEXT NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL, count INTEGER NOT NULL);
CREATE INDEX refused_newest ON refused (at, id);
`,
} as const;
